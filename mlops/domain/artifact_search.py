"""Artifacts found by what they are, what they say and where they come from."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import F, QuerySet

from launchpad.access import Question, Scope
from mlops.domain.label_selection import Selector, with_labels
from mlops.domain.limits import search_words, storable
from mlops.domain.text_search import containing, folded
from mlops.models import Artifact

_BRIEF = ("id", "name", "kind", "url", "description", "labels", "execution_id", "created_at", "modified_at")


def search(
    scope: Scope,
    *,
    key: uuid.UUID | None = None,
    kind: str | None = None,
    name: str | None = None,
    q: str = "",
    any_case: bool = True,
    scenario: str | None = None,
    execution: str | None = None,
    selectors: Iterable[Selector] = (),
    newest_only: bool = False,
) -> QuerySet[Artifact]:
    """Artifacts, newest first, with scenario and author.

    q: found in name or description, at most 80 characters. name: the whole of it. scenario: its slug.
    execution: the one that made them. selectors: of labels, all of which hold. newest_only: the highest
    version of each name. Raises Invalid.
    """
    rows = scope.of(Artifact).select_related("scenario", "created_by")
    exact = {"kind": kind, "name": name, "scenario__slug": scenario, "execution": execution}
    if key is not None:
        rows = rows.filter(pk=key)
    if newest_only:
        rows = rows.filter(is_newest=True)
    for lookup, value in exact.items():
        if value:
            rows = rows.filter(**{lookup: value}) if storable(value) else rows.none()
    if words := search_words(q):
        # What the index finds; the case is looked at among these.
        rows = rows.filter(search_text__contains=folded(words))
        rows = rows if any_case else containing(rows, words, "name", "description", any_case=False)
    return with_labels(rows, selectors).order_by("-created_at", "-id")


def search_text(name: str, description: str) -> str:
    """What of an artifact is searched, as its row keeps it."""
    return folded(f"{name}\n{description}")


def newest_matches(scope: Scope, rows: QuerySet[Artifact], limit: int) -> QuerySet[Artifact]:
    """The newest of filtered rows, at most `limit`, to be sorted by something else at a bounded cost.

    Left to itself a database may walk the index of the other order and meet few of them on its way.
    """
    keys = rows.order_by("-created_at", "-id").values("pk")[:limit]
    return scope.of(Artifact).filter(pk__in=keys).select_related("scenario", "created_by")


def brief(rows: QuerySet[Artifact]) -> QuerySet[Artifact, Any]:
    """The same artifacts as named tuples of what clients read of them.

    Their names are those of the model, besides scenario_slug, and configuration_id, which is the execution's.
    """
    return (
        rows.select_related(None)
        .annotate(scenario_slug=F("scenario__slug"), configuration_id=F("execution__configuration_id"))
        .values_list(*_BRIEF, "scenario_slug", "configuration_id", named=True)
    )


_ONE = Question(Artifact, lambda rows, key: brief(rows.filter(pk=key)), uuid.uuid4())


def get(scope: Scope, artifact_id: str | uuid.UUID) -> Any:
    """One artifact as `brief` tells it; raises NotFound."""
    return scope.ask_one(_ONE, artifact_id)


_OF_ONE = Question(
    Artifact,
    lambda rows, key: brief(rows.filter(execution=key).order_by("kind", "name", "version")),
    "an execution",
)


def outputs(scope: Scope, execution_ids: Iterable[str]) -> dict[str, list[Any]]:
    """What executions have registered as `brief` tells it, by kind and name; those without are left out."""
    found: dict[str, list[Any]] = {}
    keys = list(execution_ids)
    if not keys:
        return found
    if len(keys) == 1:
        rows = scope.ask(_OF_ONE, keys[0])
    else:
        many = scope.of(Artifact).filter(execution__in=keys).order_by("kind", "name", "version")
        rows = list(brief(many))
    for row in rows:
        found.setdefault(row.execution_id, []).append(row)
    return found
