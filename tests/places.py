"""The three resource groups that rights are tried between."""

from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace


def three() -> tuple[ResourceGroup, ResourceGroup, ResourceGroup]:
    """Red and blue in the workspace `north`, green in another one, `south`."""
    north = Workspace.unscoped.create(slug="north", description="Where red and blue are")
    south = Workspace.unscoped.create(slug="south")
    red, blue = (ResourceGroup.unscoped.create(workspace=north, slug=slug) for slug in ("red", "blue"))
    return red, blue, ResourceGroup.unscoped.create(workspace=south, slug="green")
