"""Sample values for the arguments of addresses: one's own and a neighbour's; the URL walk needs each."""

from collections.abc import Callable
from dataclasses import dataclass

from launchpad.resource_groups.models import ResourceGroup


@dataclass(frozen=True)
class Sample:
    """A value of a URL argument: `own` names something in red or its workspace, `foreign` one elsewhere.

    foreign is None where the argument names nothing that belongs to anyone.
    """

    own: str
    foreign: str | None


Builder = Callable[[ResourceGroup, ResourceGroup, ResourceGroup], dict[str, Sample]]
# Each builder makes objects in red, blue (same workspace) and green (another one) and names them.
BUILDERS: list[Builder] = []


def build(red: ResourceGroup, blue: ResourceGroup, green: ResourceGroup) -> dict[str, Sample]:
    """URL argument to sample, for every argument but the place itself."""
    samples: dict[str, Sample] = {}
    for builder in BUILDERS:
        samples.update(builder(red, blue, green))
    return samples
