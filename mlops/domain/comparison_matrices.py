"""Confusion matrices of several executions, to be put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, TextField, Value, When
from django.db.models.functions import Length

from launchpad.access import Scope
from mlops.domain import metrics
from mlops.domain.metrics import Matrix
from mlops.models import CustomInfo

# What one page reads and shows: a text is parsed each time, and 50 executions may have 100 of them each.
TEXTS, TEXT_BYTES, ALL_BYTES, CELLS = 200, 64 * 1024, 512 * 1024, 6_000


@dataclass(frozen=True)
class Matrices:
    """Name of the custom info to (key of the execution, its matrix); in one of them labels have one order.

    is_cut: whether others are left out because they are too many or too large for one page.
    """

    named: dict[str, list[tuple[str, Matrix]]]
    is_cut: bool = False


def read(scope: Scope, keys: Sequence[str]) -> Matrices:
    """The confusion matrices in custom info of executions, by name, then as the keys are; one query.

    keys: of executions, at most 50; those of other groups have none. At most 200 texts of 64 KiB are read,
    512 KiB in all, and 6,000 cells are given.
    """
    rows = scope.of(CustomInfo).filter(execution__in=keys, value__contains="Predicted")
    rows = (
        rows.filter(value__contains="Actual")
        .annotate(size=Length("value"))
        .filter(size__lte=metrics.MATRIX_BYTES)
    )
    text = Case(When(size__lte=TEXT_BYTES, then="value"), default=Value(""), output_field=TextField())
    told = rows.annotate(text=text).order_by("name", "execution_id")
    found = list(told.values_list("name", "execution_id", "text")[: TEXTS + 1])
    is_cut = len(found) > TEXTS
    places = {key: place for place, key in enumerate(keys)}
    named: dict[str, list[tuple[str, Matrix]]] = {}
    bytes_left, cells_left = ALL_BYTES, CELLS
    for name, key, value in sorted(found[:TEXTS], key=lambda row: (row[0], places[row[1]])):
        if not value or len(value) > bytes_left:
            is_cut = True
            continue
        bytes_left -= len(value)
        matrix = metrics.confusion_matrix(value)
        if matrix is None:
            continue
        if len(matrix.labels) ** 2 > cells_left:
            is_cut = True
            continue
        cells_left -= len(matrix.labels) ** 2
        named.setdefault(name, []).append((key, matrix))
    return Matrices({name: _aligned(of) for name, of in named.items()}, is_cut)


def _aligned(found: list[tuple[str, Matrix]]) -> list[tuple[str, Matrix]]:
    """The same with labels in the order in which any of them first has them."""
    order = list(dict.fromkeys(label for _, matrix in found for label in matrix.labels))
    return [(key, _ordered(matrix, order)) for key, matrix in found]


def _ordered(matrix: Matrix, order: Sequence[str]) -> Matrix:
    at = {label: place for place, label in enumerate(matrix.labels)}
    labels = tuple(label for label in order if label in at)
    counts = tuple(tuple(matrix.counts[at[row]][at[column]] for column in labels) for row in labels)
    return Matrix(labels, counts)
