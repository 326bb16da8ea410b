"""What the page of one scenario shows; each query runs when a template first asks for its result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

from launchpad import access
from launchpad.access import Scope
from mlops import paging
from mlops.domain import catalog, catalog_uses, use_cases
from mlops.views import api_calls
from mlops.views.discussion import Discussion

TABS = ("executables", "versions", "discussion")
LABELS_SHOWN = 50
LONGEST_QUERY = 200


@dataclass(frozen=True)
class Family:
    """Executables of one kind. rows: (newest version, typed template, uses)."""

    kind: str
    title: str
    rows: list[tuple[Any, Any, catalog_uses.Uses]]


@dataclass(frozen=True)
class Label:
    """A version label with its bar. x: percent of the longest bar, of executables and of executions."""

    label: str
    executables: int
    executables_x: str
    uses: catalog_uses.Uses
    executions_x: str


class ScenarioPage:
    """One scenario. Raises NotFound when made for one of another workspace.

    query: `tab`; of the executables `kind`, `version` (a label) and `q` (a part of name or id).
    """

    def __init__(self, scope: Scope, scenario: str, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.scenario = catalog.scenario(scope, scenario)
        tab = query.get("tab", "")
        self.tab = tab if tab in TABS else TABS[0]
        self.q = query.get("q", "").strip()[:LONGEST_QUERY]
        kind = query.get("kind", "")
        self.kind = kind if kind in ("workflow", "serving") else ""
        self.version = query.get("version", "").replace("\x00", "")

    @cached_property
    def discussion(self) -> Discussion | None:
        """What is said of it in this resource group; None in a workspace."""
        if self._scope.resource_group is None:
            return None
        return Discussion(self._scope, self.scenario, self._query)

    @cached_property
    def use_case(self) -> Any:
        """What it is for; one query."""
        return use_cases.get(self._scope, self.scenario)

    @cached_property
    def use_case_url(self) -> str:
        """Where this person may change the use case: here, or in a group they edit; "" nowhere."""
        group = self._scope.resource_group
        if group is not None:
            slug = group.slug if self._scope.may_change else ""
        else:
            held = access.resource_groups(self._scope.user, self._scope.workspace)
            slug = next((one.slug for one, role in held if role != "viewer"), "")
        place = (self._scope.workspace.pk, slug, self.scenario.slug)
        return reverse("mlops:scenarios.use_case", args=place) if slug else ""

    @cached_property
    def snapshots(self) -> list[Any]:
        """The newest versions of all its executables, for what can be chosen and counted by label."""
        return list(catalog.snapshots(self._scope, scenario=self.scenario)[:LABELS_SHOWN])

    @property
    def labels(self) -> list[str]:
        """Version labels to filter by, the one that arrived last first; what is asked for is among them."""
        asked = [self.version] if self.version else []
        return list(dict.fromkeys([*(one.label for one in self.snapshots), *asked]))

    @cached_property
    def _newest(self) -> list[Any]:
        return list(catalog.newest_versions(self._scope, self.scenario, self.version or None))

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is on."""
        return bool(self.q or self.kind or self.version)

    @property
    def count(self) -> int:
        """How many executables are shown."""
        return sum(len(family.rows) for family in self.families)

    @cached_property
    def families(self) -> list[Family]:
        """The executables that match, workflows first, each at its newest version or that of the label."""
        uses = catalog_uses.of_executables(self._scope, [one.executable for one in self._newest])
        found = {"workflow": Family("workflow", "Workflow executables", [])}
        found["serving"] = Family("serving", "Serving executables", [])
        for version in self._newest:
            owner, template = version.executable, catalog.describe(version)
            words = f"{owner.slug} {template.name}".lower()
            if self.q.lower() in words and self.kind in ("", owner.kind):
                row = (version, template, uses.get(owner.pk, catalog_uses.NONE))
                found[owner.kind].rows.append(row)
        return [family for family in found.values() if family.rows]

    @cached_property
    def page(self) -> paging.Page:
        """A page of all versions, newest first."""
        return paging.page(catalog.snapshots(self._scope, scenario=self.scenario), self._query)

    @cached_property
    def _uses(self) -> dict[Any, catalog_uses.Uses]:
        versions = {one.pk: one for one in (*self.snapshots, *self.page.rows)}
        return catalog_uses.of_versions(self._scope, list(versions.values()))

    @property
    def rows(self) -> list[tuple[Any, catalog_uses.Uses]]:
        """The page's versions with their uses."""
        return [(one, self._uses.get(one.pk, catalog_uses.NONE)) for one in self.page.rows]

    @cached_property
    def by_label(self) -> list[Label]:
        """The newest version labels with what there is of each, for the chart."""
        members: dict[str, list[Any]] = {}
        for one in self.snapshots:
            members.setdefault(one.label, []).append(one)
        told = []
        for label, versions in members.items():
            used = [self._uses.get(one.pk, catalog_uses.NONE) for one in versions]
            uses = catalog_uses.Uses(*(sum(part) for part in zip(*used, strict=True)))
            told.append((label, len({one.executable_id for one in versions}), uses))
        most = max((count for _, count, _ in told), default=1)
        runs = max((uses.executions for *_, uses in told), default=0) or 1
        return [
            Label(label, count, f"{count / most * 100:.2f}%", uses, f"{uses.executions / runs * 100:.2f}%")
            for label, count, uses in told
        ]

    @property
    def here(self) -> str:
        """The query of the executables shown, for a link."""
        asked = {"q": self.q, "kind": self.kind, "version": self.version}
        return "?" + urlencode({key: value for key, value in asked.items() if value})

    @property
    def api(self) -> api_calls.ApiUse:
        """The same scenario over the API."""
        return api_calls.scenario(self._scope, self.scenario.slug)
