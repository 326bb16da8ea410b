"""What the page of one artifact shows; each query runs when a template first asks for its result."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import artifacts, configurations, metrics
from mlops.views import api_calls
from mlops.views.discussion import Discussion
from mlops.views.nouns import BY_KIND

VERSIONS_SHOWN = 50
FILES_SHOWN = 200
USES_SHOWN = 10
ROWS_SHOWN = 20


class ArtifactPage:
    """One version of an artifact. Raises NotFound when made for one of another group.

    query: `file` is the path of the file to look into, `check=bytes` reads all bytes again.
    """

    def __init__(self, scope: Scope, artifact_id: Any, query: QueryDict) -> None:
        self._scope = scope
        self._query = query
        self.artifact = artifacts.get(scope, artifact_id)
        self.noun = BY_KIND[self.artifact.kind]

    @cached_property
    def _found(self) -> list[Any]:
        return list(artifacts.versions(self._scope, self.artifact)[: VERSIONS_SHOWN + 1])

    @property
    def versions(self) -> list[Any]:
        """The newest versions of this name."""
        return self._found[:VERSIONS_SHOWN]

    @property
    def has_more_versions(self) -> bool:
        """Whether there are older ones than those shown."""
        return len(self._found) > VERSIONS_SHOWN

    @property
    def newest(self) -> Any:
        """The highest version of this name."""
        return self._found[0]

    @cached_property
    def _contents(self) -> artifacts.Contents:
        if self.was_checked:
            return artifacts.check(self._scope, self.artifact)
        return artifacts.contents(self._scope, self.artifact)

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
        return self._query.get("check") == "bytes"

    @property
    def files(self) -> list[Any]:
        """The first files by path, as they lie in the store now."""
        return list(self._contents.files[:FILES_SHOWN])

    @property
    def hidden_files(self) -> int:
        """How many files are not shown."""
        return max(len(self._contents.files) - FILES_SHOWN, 0)

    @cached_property
    def preview(self) -> artifacts.Preview | None:
        """The beginning of the file asked for, or of the first readable one; None when nothing is stored."""
        if not self._contents.files:
            return None
        return artifacts.preview(self._scope, self.artifact, self._query.get("file", ""))

    @property
    def preview_rows(self) -> list[tuple[str, ...]]:
        """The first rows of a table."""
        return list(self.preview.rows[:ROWS_SHOWN]) if self.preview else []

    @property
    def is_preview_cut(self) -> bool:
        """Whether the file goes on after what is shown of it."""
        preview = self.preview
        return bool(preview) and (preview.is_cut or len(preview.rows) > ROWS_SHOWN) and preview.kind != "none"

    @cached_property
    def source(self) -> configurations.Bindings | None:
        """Parameters and inputs of the execution that made it."""
        if self.artifact.execution is None:
            return None
        return configurations.bindings(self.artifact.execution.configuration)

    @cached_property
    def metrics(self) -> list[metrics.SeriesSummary]:
        """What the execution that made it measured of this very output."""
        if self.artifact.execution_id is None:
            return []
        return metrics.of_output(self._scope, self.artifact.execution_id, self.artifact.name)

    @cached_property
    def _uses(self) -> artifacts.Uses:
        return artifacts.used_by(self._scope, self.artifact)

    @cached_property
    def configurations(self) -> list[Any]:
        """The newest configurations that bind it."""
        return list(self._uses.configurations[:USES_SHOWN])

    @cached_property
    def executions(self) -> list[Any]:
        """The newest executions that read it."""
        return list(self._uses.executions[:USES_SHOWN]) if self.configurations else []

    @cached_property
    def discussion(self) -> Discussion:
        """What people say about this version."""
        return Discussion(self._scope, self.artifact, self._query)

    @property
    def api(self) -> api_calls.ApiUse:
        """The same version over the API."""
        found = self.artifact
        shown = self.preview.path if self.preview else ""
        file_url = artifacts.file_url(self._scope, found, shown) if shown else ""
        known = {"kind": found.kind, "name": found.name, "file_url": file_url}
        return api_calls.artifact(self._scope, found.pk, **known)

    @property
    def is_used(self) -> bool:
        """Whether any configuration binds it."""
        return bool(self.configurations)
