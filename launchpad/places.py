"""Addresses of named pages in a place."""

from typing import Any

from django.urls import NoReverseMatch, reverse

from launchpad.access import Scope


def place_url(scope: Scope | None, name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a named page in the scope's place; give the rest as args or as kwargs, not both.

    A page that exists both in a group and in its workspace is addressed in the group, if the scope
    has one; a page outside any place is addressed as it is. Raises NoReverseMatch.
    """
    places: list[dict[str, str]] = [{}]
    if scope is not None:
        places.insert(0, {"workspace": scope.workspace.pk})
        if scope.resource_group is not None:
            places.insert(0, {"workspace": scope.workspace.pk, "resource_group": scope.resource_group.slug})
    *narrower, widest = places
    for place in narrower:
        try:
            return _reverse(name, place, args, kwargs)
        except NoReverseMatch:
            continue
    return _reverse(name, widest, args, kwargs)


def _reverse(name: str, place: dict[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    return (
        reverse(name, kwargs={**place, **kwargs}) if kwargs else reverse(name, args=(*place.values(), *args))
    )
