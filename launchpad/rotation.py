"""Rotation of FIELD_KEYS: every stored secret anew under the first of them, so that old ones can go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import F, Model, QuerySet, TextField, Value
from django.db.models.functions import Cast

from launchpad.vault import SealedField, Unreadable, reseal

_AT_ONCE = 500


@dataclass
class Rotation:
    """How many values were sealed anew, and which could not be read, as `<model> <key>: <field>`."""

    resealed: int = 0
    unreadable: list[str] = field(default_factory=list)


def rotate() -> Rotation:
    """Seal every value of every SealedField anew under the first key.

    Safe beside a running server and when it is interrupted: a value that is changed meanwhile is left as it
    is, under the first key already. Commits value by value.
    """
    done = Rotation()
    for model, name in _fields():
        for pk, stored in _stored(model, name):
            try:
                text = reseal(stored)
            except Unreadable:
                done.unreadable.append(f"{model._meta.label} {pk}: {name}")
                continue
            same = _texts(model, name).filter(pk=pk, stored=stored)
            done.resealed += same.update(**{name: Value(text, output_field=TextField())})
    return done


def _fields() -> list[tuple[type[Model], str]]:
    """Every model with a SealedField and the field's name."""
    return [
        (model, one.name)
        for model in apps.get_models()
        for one in model._meta.local_fields
        if isinstance(one, SealedField)
    ]


def _texts(model: type[Model], name: str) -> QuerySet[Any]:
    """The model's rows with what is stored in the field, still sealed."""
    return model._base_manager.annotate(stored=Cast(F(name), TextField()))


def _stored(model: type[Model], name: str) -> Iterator[tuple[object, str]]:
    """Key and sealed text of every row, by key; no more than some at once in memory."""
    last = None
    while True:
        rows = _texts(model, name).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        page = list(rows.values_list("pk", "stored")[:_AT_ONCE])
        yield from page
        if len(page) < _AT_ONCE:
            return
        last = page[-1][0]
