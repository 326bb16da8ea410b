"""What the page of one artifact shows; each query runs when a template first asks for its result."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import (
    aliases,
    artifact_checks,
    artifact_facts,
    artifact_files,
    artifact_seals,
    artifacts,
    configurations,
    metrics,
    previews,
)
from mlops.views import api_calls
from mlops.views.discussion import Discussion
from mlops.views.lineage_graph import Lineage
from mlops.views.nouns import BY_KIND

VERSIONS_SHOWN = 50
FILES_SHOWN = 200
USES_SHOWN = 50
ROWS_SHOWN = 20
MOVES_SHOWN = 20
PORTS_SHOWN = 50
TABS = {
    "overview": "Overview",
    "files": "Files",
    "versions": "Versions",
    "metrics": "Metrics",
    "uses": "Used by",
    "lineage": "Lineage",
}
FRAGMENTS = ("artifact-preview", "artifact-state", "artifact-check")
# More is not read while somebody waits for a page.
CHECKED_AT_ONCE = 64 * 1024 * 1024


class ArtifactPage:
    """One version of an artifact. Raises NotFound when made for one of another group.

    query: `tab` is what of it is shown, `file` the path of the file to look into; `check=bytes` reads all the
    bytes again.
    """

    def __init__(self, scope: Scope, artifact_id: Any, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.artifact = artifacts.get(scope, artifact_id)
        self.noun = BY_KIND[self.artifact.kind]
        wanted = query.get("tab", "")
        about_files = "file" in query or "check" in query
        self.tab = wanted if wanted in TABS else "files" if about_files else "overview"

    @property
    def template(self) -> str:
        """The template of the tab."""
        return f"mlops/artifacts/{self.tab}.html"

    @property
    def tabs(self) -> list[tuple[str, str, int | None, bool]]:
        """Key, label, count or None, whether it is the one shown."""
        counts = {"files": self.artifact.file_count, "versions": self.newest.version}
        return [(key, label, counts.get(key), key == self.tab) for key, label in TABS.items()]

    @cached_property
    def newest(self) -> Any:
        """The highest version of this name."""
        return self._found[0]

    @cached_property
    def _found(self) -> list[Any]:
        limit = VERSIONS_SHOWN + 1 if self.tab == "versions" else 1
        return list(artifacts.versions(self._scope, self.artifact)[:limit])

    @cached_property
    def all_aliases(self) -> list[Any]:
        """Every alias of this name with the version it points to."""
        return aliases.of_name(self._scope, self.artifact)

    @property
    def aliases(self) -> list[str]:
        """Those that point to this version."""
        return [one.alias for one in self.all_aliases if one.artifact_id == self.artifact.pk]

    @cached_property
    def moves(self) -> list[Any]:
        """The last moves of this name's aliases, newest first."""
        return list(aliases.history(self._scope, self.artifact)[:MOVES_SHOWN])

    @property
    def versions(self) -> list[tuple[Any, list[str]]]:
        """The newest versions of this name, each with the aliases that point to it."""
        held: dict[Any, list[str]] = {}
        for one in self.all_aliases:
            held.setdefault(one.artifact_id, []).append(one.alias)
        return [(one, held.get(one.pk, [])) for one in self._found[:VERSIONS_SHOWN]]

    @property
    def has_more_versions(self) -> bool:
        """Whether there are older ones than those shown."""
        return len(self._found) > VERSIONS_SHOWN

    @property
    def others(self) -> list[Any]:
        """Versions to compare this one with."""
        return [one for one in self._found[:VERSIONS_SHOWN] if one.pk != self.artifact.pk]

    @cached_property
    def _contents(self) -> artifact_files.Contents:
        if self.was_checked:
            return artifact_files.check(self._scope, self.artifact)
        return artifact_files.contents(self._scope, self.artifact)

    @property
    def state(self) -> str:
        """Whether the stored files are as registered: ok, missing, changed or unreadable."""
        return self._contents.state

    @property
    def reason(self) -> str:
        """Why the files cannot be read, in a sentence."""
        return self._contents.reason

    @property
    def was_checked(self) -> bool:
        """Whether every byte was read for `state`."""
        return self._query.get("check") == "bytes" and self.may_check_now

    @property
    def may_check_now(self) -> bool:
        """Whether its bytes are few enough to be read for a page."""
        return self.artifact.size_bytes <= CHECKED_AT_ONCE

    @cached_property
    def check(self) -> Any:
        """The last check of all bytes, or the one asked for; None without any."""
        return artifact_checks.of(self._scope, self.artifact)

    @property
    def bin_days(self) -> int:
        """How long it can be had back once it is deleted."""
        return settings.BIN_DAYS

    @property
    def ancestry(self) -> Lineage:
        """What it was made from and what was made from it, over several hops."""
        return Lineage(self._scope, self.artifact)

    @property
    def files(self) -> list[tuple[Any, str]]:
        """The first files by path, as they lie in the store now, each with what is odd about it."""
        found = self._contents
        return [(file, found.odd.get(file.path, "")) for file in found.files[:FILES_SHOWN]]

    @property
    def missing(self) -> list[str]:
        """Paths of files that were registered and are gone."""
        return list(self._contents.missing[:FILES_SHOWN])

    @property
    def hidden_files(self) -> int:
        """How many files are not shown."""
        return max(len(self._contents.files) - FILES_SHOWN, 0)

    @cached_property
    def preview(self) -> previews.Preview | None:
        """The beginning of the file asked for, or of the first readable one; None when nothing is stored."""
        if not self._contents.files:
            return None
        return previews.of(self._scope, self.artifact, self._query.get("file", ""))

    @property
    def preview_rows(self) -> tuple[tuple[str, ...], ...]:
        """The first rows of a table."""
        return self.preview.table.rows[:ROWS_SHOWN] if self.preview and self.preview.table else ()

    @property
    def is_preview_cut(self) -> bool:
        """Whether the file goes on after what is shown of it."""
        preview = self.preview
        if not preview or preview.kind not in ("table", "text"):
            return False
        return preview.is_cut or bool(preview.table and len(preview.table.rows) > ROWS_SHOWN)

    @cached_property
    def _facts(self) -> Any:
        return artifact_facts.of(self._scope, self.artifact)

    @property
    def seal(self) -> artifact_seals.Seal:
        """Who or what registered it, and whether the record is what was signed then."""
        return artifact_seals.look(self.artifact, self._facts)

    @cached_property
    def onnx(self) -> list[dict[str, Any]]:
        """What its ONNX models said of themselves when they were registered, ports cut to those shown."""
        found = self._facts.onnx
        return [
            one
            | {name: one.get(name, [])[:PORTS_SHOWN] for name in ("inputs", "outputs")}
            | {"more": max(len(one.get("inputs", [])), len(one.get("outputs", []))) > PORTS_SHOWN}
            for one in found
        ]

    @cached_property
    def source(self) -> configurations.Bindings | None:
        """Parameters and inputs of the execution that made it."""
        if self.artifact.execution is None:
            return None
        return configurations.bindings(self.artifact.execution.configuration)

    @cached_property
    def metrics(self) -> list[metrics.SeriesSummary]:
        """What the execution that made it measured of this very output."""
        return artifacts.metrics_of(self._scope, self.artifact)

    @cached_property
    def _uses(self) -> artifacts.Uses:
        return artifacts.users_of(self._scope, self.artifact)

    @cached_property
    def configurations(self) -> list[Any]:
        """The newest configurations that bind it."""
        return list(self._uses.configurations[:USES_SHOWN])

    @cached_property
    def executions(self) -> list[Any]:
        """The newest executions that read it."""
        return list(self._uses.executions[:USES_SHOWN]) if self.configurations else []

    @cached_property
    def deployments(self) -> list[Any]:
        """The newest deployments that serve it or did."""
        return list(self._uses.deployments[:USES_SHOWN]) if self.configurations else []

    @cached_property
    def discussion(self) -> Discussion:
        """What people say about this version."""
        return Discussion(self._scope, self.artifact, self._query)

    @cached_property
    def why_kept(self) -> str:
        """Why it cannot be deleted, in words; "" when nothing uses it."""
        return self._uses.sentence

    @property
    def owns_bytes(self) -> bool:
        """Whether its files may go with it."""
        return artifacts.owns_bytes(self._scope, self.artifact)

    @property
    def uses_shown(self) -> int:
        """How many of either are shown at most."""
        return USES_SHOWN

    @property
    def is_used(self) -> bool:
        """Whether any configuration binds it."""
        return bool(self.configurations)

    @property
    def api(self) -> api_calls.ApiUse:
        """The same version over the API."""
        found = self.artifact
        recorded = self._facts.files
        is_single = found.url.rsplit("/", 1)[-1] == recorded[0][0] if len(recorded) == 1 else False
        file_url = "" if not recorded else found.url if is_single else f"{found.url}/{recorded[0][0]}"
        known = {"kind": found.kind, "name": found.name, "file_url": file_url}
        return api_calls.artifact(self._scope, found.pk, **known)
