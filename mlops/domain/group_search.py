"""Resource groups by a part of their id and by their labels."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from launchpad.access import Scope
from launchpad.resource_groups import resource_groups
from launchpad.resource_groups.models import ResourceGroup
from mlops.domain.label_selection import Selector, with_labels
from mlops.domain.limits import search_words
from mlops.domain.text_search import containing


def search(
    scope: Scope, *, q: str = "", any_case: bool = True, selectors: Iterable[Selector] = ()
) -> QuerySet[ResourceGroup]:
    """Groups of the workspace that the holder may view, by id.

    q: found in the id, at most 80 characters. selectors: of labels, all of which hold. Raises Invalid.
    """
    rows = containing(resource_groups.search(scope), search_words(q), "slug", any_case=any_case)
    return with_labels(rows, selectors)
