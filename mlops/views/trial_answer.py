"""What a server answered to a trial, as people read it: scores as bars, JSON laid out, what went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops.views import api_snippets

ROWS = 5
BARS = 10
SHOWN_CHARACTERS = 20_000
# Laying out costs time that grows with the size.
_LAID_OUT_CHARACTERS = 128 * 1024


@dataclass(frozen=True)
class Scores:
    """One row of an answer. label: what it was taken for; bars: each label with its share in percent."""

    label: str
    bars: list[tuple[str, float]]
    hidden: int


@dataclass
class Shown:
    """An answer, fresh or kept.

    problem: why there is none. status, milliseconds: of the answer, None without one. body: its text. size:
    of the whole body in bytes; was_cut: `body` is its beginning. method, path, request: of the call.
    """

    problem: str
    status: int | None
    milliseconds: float | None
    body: str
    size: int
    was_cut: bool
    method: str
    path: str
    request: str
    revision: int | None

    @property
    def is_error(self) -> bool:
        """Whether the server refused or failed."""
        return self.status is not None and self.status >= 400

    @cached_property
    def _value(self) -> Any:
        """The body as JSON; None for anything else."""
        if len(self.body) > _LAID_OUT_CHARACTERS:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @cached_property
    def _whole(self) -> str:
        if self._value is None:
            return self.body
        try:
            return api_snippets.json_text(self._value)
        except RecursionError:
            return self.body

    @property
    def text(self) -> str:
        """The body, laid out if it is JSON, up to 20,000 characters."""
        return self._whole[:SHOWN_CHARACTERS]

    @property
    def is_cut(self) -> bool:
        """Whether there is more than is shown."""
        return self.was_cut or len(self._whole) > SHOWN_CHARACTERS

    @property
    def said(self) -> str:
        """What the server said was wrong, in its words; "" where it did not."""
        if not self.is_error or not isinstance(self._value, dict):
            return ""
        told = self._value.get("error", self._value.get("detail", ""))
        if isinstance(told, dict):
            told = told.get("message", "")
        return _utf8(told[:1000]) if isinstance(told, str) else ""

    @cached_property
    def _rows(self) -> list[Scores]:
        return [] if self.is_error else [_bars(label, shares) for label, shares in scored(self._value)]

    @property
    def rows(self) -> list[Scores]:
        """The scores of the first rows."""
        return self._rows[:ROWS]

    @property
    def hidden_rows(self) -> int:
        """How many rows more have scores."""
        return max(len(self._rows) - ROWS, 0)


def _bars(label: str, shares: Sequence[tuple[str, float]]) -> Scores:
    ordered = sorted(shares, key=lambda one: -one[1])
    best = label or ordered[0][0]
    bars = [(_utf8(name), share * 100) for name, share in ordered[:BARS]]
    return Scores(_utf8(best), bars, max(len(ordered) - BARS, 0))


def _utf8(text: str) -> str:
    """Text that a page can hold: JSON may escape halves of characters."""
    return text.encode(errors="replace").decode()


def scored(value: Any) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """Each row's label and shares in an answer of a form that is known; nothing of any other.

    Known are the built-in server's predictions, tensors of the V2 protocol, and objects with `label` and
    `probabilities`, each for one row or a list of them.
    """
    if not isinstance(value, dict):
        return
    if isinstance(value.get("outputs"), list):
        yield from _tensors(value["outputs"])
        return
    predictions = value.get("predictions", [value])
    for row in predictions if isinstance(predictions, list) else ():
        if isinstance(row, dict):
            yield from _row(row)


def _row(row: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    label = row.get("label", row.get("labels"))
    found = row.get("probabilities", row.get("scores"))
    if isinstance(found, dict) and found and _are_shares(found.values()):
        yield _word(label), [(str(name), float(share)) for name, share in found.items()]
    elif isinstance(found, list):
        names = row.get("classes")
        tables = found if found and isinstance(found[0], list) else [found]
        labels = label if isinstance(label, list) else [label]
        for at, table in enumerate(tables):
            yield from _listed(table, labels[at] if at < len(labels) else "", names)


def _listed(table: Any, label: Any, names: Any) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    if not isinstance(table, list) or not table or not _are_shares(table):
        return
    known = names if isinstance(names, list) and len(names) == len(table) else range(len(table))
    shares = [(str(name), float(share)) for name, share in zip(known, table, strict=True)]
    best = max(range(len(table)), key=table.__getitem__)
    if label not in ("", None) and str(label) not in {name for name, _ in shares}:
        # The list does not say which is which; the label is that of the largest share.
        shares[best] = (str(label), shares[best][1])
    yield _word(label), shares


def _word(label: Any) -> str:
    """A label as text, "" for none."""
    return "" if label is None else str(label)


def _tensors(outputs: list[Any]) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    tensors = [one for one in outputs if isinstance(one, dict) and isinstance(one.get("data"), list)]
    labels = next((one["data"] for one in tensors if "label" in str(one.get("name", "")).lower()), [])
    for one in tensors:
        shape, data = one.get("shape"), one["data"]
        if not (isinstance(shape, list) and len(shape) == 2 and isinstance(shape[1], int) and shape[1] > 1):
            continue
        for at in range(0, len(data), shape[1]):
            row = at // shape[1]
            yield from _listed(data[at : at + shape[1]], labels[row] if row < len(labels) else "", None)
        return


def _are_shares(values: Any) -> bool:
    return all(
        isinstance(one, int | float)
        and not isinstance(one, bool)
        # No number beyond all floats passes, nor NaN.
        and -1e-6 <= one <= 1.000001
        for one in values
    )
