"""What the page of the difference between two versions shows."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import artifacts, differences
from mlops.views.nouns import BY_KIND

VERSIONS_SHOWN = 100
ROWS_SHOWN = 200


class DifferencePage:
    """From another version to this one. Raises NotFound when made for one of another group.

    query: `with` is the number of the other version; by default the one before this, or the next.
    """

    def __init__(self, scope: Scope, artifact_id: Any, query: QueryDict) -> None:
        self._scope = scope
        self.artifact = artifacts.get(scope, artifact_id)
        self.noun = BY_KIND[self.artifact.kind]
        self._wanted = query.get("with", "")

    @cached_property
    def versions(self) -> list[Any]:
        """The other versions of this name, newest first."""
        found = artifacts.versions(self._scope, self.artifact).exclude(pk=self.artifact.pk)
        return list(found[:VERSIONS_SHOWN])

    @cached_property
    def other(self) -> Any:
        """The version that this one is compared with; None when there is no other."""
        if (asked := self._asked) is not None:
            return asked
        found = artifacts.versions(self._scope, self.artifact)
        before = found.filter(version__lt=self.artifact.version).first()
        return before or found.filter(version__gt=self.artifact.version).last()

    @cached_property
    def _asked(self) -> Any:
        text = self._wanted
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            return None
        found = artifacts.versions(self._scope, self.artifact).exclude(pk=self.artifact.pk)
        return found.filter(version=int(text)).first()

    @property
    def problem(self) -> str:
        """That the version asked for is not there, in a sentence."""
        if not self._wanted or self._asked is not None:
            return ""
        return (
            f"There is no other version “{self._wanted[:20]}” of this name; this compares with another one."
        )

    @cached_property
    def difference(self) -> differences.Difference:
        """From the other version to this one."""
        return differences.between(self._scope, self.other, self.artifact)

    @property
    def files(self) -> tuple[differences.FileChange, ...]:
        """The first files that changed."""
        return (self.difference.files or ())[:ROWS_SHOWN]

    @property
    def hidden_files(self) -> int:
        """How many are not shown."""
        return max(len(self.difference.files or ()) - ROWS_SHOWN, 0)

    @property
    def is_recorded(self) -> bool:
        """Whether the single files of both versions are known."""
        return self.difference.files is not None

    @property
    def is_same(self) -> bool:
        """Whether both hold the same bytes."""
        return self.other.digest == self.artifact.digest
