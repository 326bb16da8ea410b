"""What surrounds every page: the place switcher, the side navigation and the account menu."""

import functools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from launchpad import access, viewing
from launchpad.places import place_url

THEMES = ("system", "light", "dark")
OVERVIEW = "mlops:overview.index"
# Label, icon, URL name, whether a resource group must be chosen first, key after G.
ITEMS = (
    ("Overview", "overview", OVERVIEW, False, "O"),
    ("Scenarios", "scenario", "mlops:scenarios.index", False, "S"),
    ("Configurations", "configuration", "mlops:configurations.index", True, "C"),
    ("Executions", "execution", "mlops:executions.index", True, "E"),
    ("Deployments", "deployment", "mlops:deployments.index", True, "P"),
    ("Schedules", "schedule", "mlops:schedules.index", True, "T"),
    ("Boards", "compare", "mlops:boards.index", True, "B"),
    ("Datasets", "dataset", "mlops:datasets.index", True, "D"),
    ("Models", "model", "mlops:models.index", True, "M"),
    ("Result sets", "result", "mlops:resultsets.index", True, "R"),
    ("Other artifacts", "artifact", "mlops:others.index", True, "A"),
    ("Bin", "trash", "mlops:bin.index", True, "X"),
    ("Flags", "flag", "mlops:flags.index", True, "F"),
    ("Notifications", "bell", "mlops:notification_rules.index", True, "N"),
    ("Service keys", "key", "service_keys.index", True, "K"),
)


# What stands under a heading of its own; administrators find it in a workspace too.
_ADMINISTRATION = ("service_keys.index",)
# Label, icon, URL name of the pages of a workspace that its administrators alone are shown.
ADMINISTRATION = (
    ("Repositories", "plug", "mlops:repositories.index"),
    ("Applications", "again", "mlops:applications.index"),
    ("Object stores", "dataset", "mlops:object_stores.index"),
    ("Secrets", "lock", "mlops:secrets.index"),
    ("Resource groups", "workspaces", "mlops:resource_groups.index"),
    ("Workers", "execution", "mlops:workers.index"),
    ("Quotas", "columns", "mlops:workers.quotas"),
    ("Audit trail", "clock", "mlops:audit_events.index"),
    ("Access", "admin", "mlops:access_review.index"),
)


@dataclass(frozen=True)
class Item:
    """One entry of the side navigation; without a url it waits for a place, and `why` says which."""

    label: str
    icon: str
    key: str
    url: str = ""
    why: str = ""
    current: bool = False
    group: str = "ML operations"


class Shell:
    """The frame of one request's page; queries run only for what a template asks."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._scope: access.Scope | None = getattr(request, "scope", None)

    @property
    def theme(self) -> str:
        """The theme the person chose: system, light or dark."""
        chosen = self._request.COOKIES.get("theme", "")
        return chosen if chosen in THEMES else "system"

    @property
    def rail(self) -> bool:
        """Whether the side navigation is folded to a rail of icons."""
        return self._request.COOKIES.get("nav") == "rail"

    @cached_property
    def viewing(self) -> viewing.Viewing | None:
        """Through whose role the person looks at a resource group now, if at all."""
        return viewing.of(self._request)

    @cached_property
    def resource_groups(self) -> list[tuple[Any, str]]:
        """Groups the person may view in this workspace, each with the role held there; one query."""
        if self._scope is None or self._scope.user is None:
            return []
        if self._scope.viewed_as is not None:
            return [(self._scope.group, self.role.lower())]
        return access.resource_groups(self._scope.user, self._scope.workspace)

    @property
    def uses_keys(self) -> bool:
        """Whether single keys do something; the person may have turned them off."""
        return self._request.COOKIES.get("keys") != "off"

    @property
    def search_url(self) -> str:
        """Where one goes to anything by name or id, seen from this place."""
        return place_url(self._scope, "mlops:search.index" if self._scope else "search.index")

    @property
    def role(self) -> str:
        """The person's role in this place, in words; empty where there is no place."""
        user = self._request.user
        if user.is_superuser and not self.viewing:
            return "Administrator"
        if self._scope is None:
            return ""
        if self._scope.resource_group is None:
            return "Operations manager"
        return "Editor" if self._scope.may_change else "Viewer"

    @property
    def on_workspaces(self) -> bool:
        """Whether the page shown is the choice of a workspace."""
        match = self._request.resolver_match
        return match is not None and match.url_name in ("workspaces.index", "workspaces.detail")

    @property
    def items(self) -> list[Item]:
        """The entries below ML operations and Administration, with addresses in this place."""
        entries = [self._item(*row) for row in ITEMS]
        if self.administers:
            entries += [self._administration(*row) for row in ADMINISTRATION]
        return entries

    @property
    def administers(self) -> bool:
        """Whether the person administers this workspace, whose gate they passed to be in a place at all."""
        user = self._request.user
        return self._scope is not None and not self.viewing and (user.is_superuser or user.is_staff)

    def _administration(self, label: str, icon: str, name: str) -> Item:
        assert self._scope is not None
        url = place_url(self._scope, name)
        current = self._request.path.startswith(url)
        return Item(label, icon, "", url=url, current=current, group="Administration")

    def _item(self, label: str, icon: str, name: str, needs_group: bool, key: str) -> Item:
        scope = self._scope
        item = functools.partial(Item, label, icon, key)
        if name in _ADMINISTRATION:
            item = functools.partial(item, group="Administration")
        if scope is None:
            return item(why="Choose a workspace first.")
        is_open = name in _ADMINISTRATION and scope.may_change
        if needs_group and scope.resource_group is None and not is_open:
            return item(why="Choose a resource group first.")
        url = place_url(scope, name)
        # Every address of a workspace begins as its overview's does.
        path = self._request.path
        return item(url=url, current=path == url if name == OVERVIEW else path.startswith(url))
