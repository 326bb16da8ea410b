"""The form that a model's inputs make: fields to fill in, and the request that comes of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from mlops.domain.model_signatures import Input, Signature
from mlops.domain.served_models import Served
from mlops.formats import pictures

Widget = Literal["text", "lines", "number", "yes", "values", "picture"]
MOST_TEXTS = 16
_MOST_FIELDS = 32
_MOST_VALUES = 1_000_000
# A sample of a large picture would be longer than the page.
_SAMPLE_VALUES = 10_000
# Fewer values than this are measurements, however square their number is.
_LEAST_PIXELS = 64
_LARGEST_SIDE = 1024
TOPS = (1, 16, 255)
_TEXTS = (
    "We waited three hours at the gate and nobody told us why.",
    "The crew found my lost bag within an hour.",
)


@dataclass(frozen=True)
class Picture:
    """What a picture is brought to. last: the channels of a pixel follow each other."""

    channels: int
    height: int
    width: int
    last: bool = False

    @property
    def top(self) -> int:
        """The largest value, as a first guess: the scanned digits of scikit-learn go up to 16."""
        return 16 if (self.channels, self.height, self.width) == (1, 8, 8) else 1


@dataclass
class Field:
    """One field. name: in the form. value: as it was typed. error: what is wrong with that."""

    name: str
    label: str
    widget: Widget
    help: str = ""
    value: str = ""
    error: str = ""
    picture: Picture | None = None
    of: Input | None = field(default=None, repr=False)


class Unfit(Exception):
    """What was filled in makes no request; the fields say why."""


class TrialForm:
    """The form for what is served. given: what was typed, by field name; None for an empty one.

    files: the bytes of uploaded files, by field name.
    """

    def __init__(
        self,
        served: Served,
        signature: Signature | None,
        given: Mapping[str, str] | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        self._served = served
        self._inputs = signature.inputs if signature else ()
        self._given = given or {}
        self._files = files or {}

    @property
    def is_there(self) -> bool:
        """Whether anything is known that a form could be made of."""
        return bool(self.fields)

    @cached_property
    def fields(self) -> list[Field]:
        """The fields, filled with what was typed."""
        found = self._made()
        for one in found:
            one.value = self._given.get(one.name, "")
        return found

    def _made(self) -> list[Field]:
        if not self._inputs:
            return [Field("text", "Text", "text")] if self._served.takes_text else []
        if len(self._inputs) > _MOST_FIELDS:
            return []
        if len(self._inputs) > 1:
            return [_one(one, f"input-{at}") for at, one in enumerate(self._inputs)]
        (only,) = self._inputs
        if only.kind == "text":
            help_text = f"One text per line, up to {MOST_TEXTS}."
            return [Field("text", only.name.capitalize() or "Text", "lines", help_text, of=only)]
        picture = _picture(only)
        if picture is not None:
            return [_picture_field(only, picture), _values_field(only, "The values instead, row by row")]
        if only.width is not None and only.width <= _MOST_FIELDS and len(only.shape) == 2:
            names = only.features if len(only.features) == only.width else ()
            labels = names or tuple(f"Value {at}" for at in range(1, only.width + 1))
            return [_single(only, f"value-{at}", label) for at, label in enumerate(labels)]
        return [_values_field(only, only.name or "Values")]

    @property
    def has_picture(self) -> bool:
        """Whether a file can be uploaded."""
        return any(one.widget == "picture" for one in self.fields)

    @property
    def top(self) -> int:
        """The largest value of a pixel that is chosen."""
        chosen = self._given.get("top", "")
        picture = next((one.picture for one in self.fields if one.picture), None)
        return int(chosen) if chosen in map(str, TOPS) else picture.top if picture else 1

    @property
    def tops(self) -> list[tuple[int, bool]]:
        """Largest values to choose from, and whether each is chosen."""
        return [(one, one == self.top) for one in TOPS]

    @property
    def inverts(self) -> bool:
        """Whether dark is to become bright."""
        return self._given.get("invert") == "on"

    def body(self) -> dict[str, Any]:
        """The request. Raises Unfit, after the fields were told what is wrong with them."""
        found = self._body()
        if any(one.error for one in self.fields):
            raise Unfit
        return found

    def _body(self) -> dict[str, Any]:
        if not self._inputs:
            return {"text": self._required(self.fields[0])}
        if len(self._inputs) > 1:
            return {"inputs": {one.of.name: self._input(one) for one in self.fields if one.of}}
        (only,) = self._inputs
        first = self.fields[0]
        if first.widget == "lines":
            texts = [line for line in first.value.splitlines() if line.strip()]
            if not 1 <= len(texts) <= MOST_TEXTS:
                first.error = f"Write 1 to {MOST_TEXTS} lines."
            return {"text": texts}
        if first.picture is not None:
            return {"rows": self._pixels(first, first.picture, self.fields[1], only)}
        if first.widget == "values":
            return {"rows": _rows(first, only)}
        row = [_value(one, only) for one in self.fields]
        return {"rows": [dict(zip(only.features, row, strict=True))] if only.features else [row]}

    def _required(self, one: Field) -> str:
        if not one.value.strip():
            one.error = "Write something to send."
        return one.value

    def _input(self, one: Field) -> Any:
        assert one.of is not None
        return _rows(one, one.of) if one.widget == "values" else [_value(one, one.of)]

    def _pixels(self, upload: Field, picture: Picture, typed: Field, only: Input) -> list[Any]:
        data = self._files.get(upload.name, b"")
        if not data:
            if not typed.value.strip():
                upload.error = "Choose a picture, or write its values."
                return []
            return _rows(typed, only)
        shape = {"channels": picture.channels, "height": picture.height, "width": picture.width}
        try:
            values = pictures.values(data, **shape, last=picture.last, top=self.top, invert=self.inverts)
        except ValueError as error:
            upload.error = str(error)
            return []
        return [[round(value) for value in values] if only.kind == "whole" else values]

    def sample(self) -> dict[str, str]:
        """What one may begin with, by field name; a row of very many values is left out."""
        return {one.name: _sample(one) for one in self.fields if one.widget != "picture"}

    @property
    def has_sample(self) -> bool:
        """Whether there is anything to begin with."""
        return any((one.of is None or (one.of.width or 1) <= _SAMPLE_VALUES) for one in self.fields)


def _one(one: Input, name: str) -> Field:
    """The field of one input among several."""
    return _single(one, name, one.name) if one.width == 1 else _values_field(one, one.name, name)


def _single(one: Input, name: str, label: str) -> Field:
    widgets: dict[str, Widget] = {"text": "text", "yes": "yes"}
    help_text = "A whole number" if one.kind == "whole" else ""
    return Field(name, label, widgets.get(one.kind, "number"), help_text, of=one)


def _picture_field(one: Input, picture: Picture) -> Field:
    colours = "grey" if picture.channels == 1 else "red, green and blue"
    size = f"It is cut and scaled to {picture.width} × {picture.height} pixels, {colours}."
    return Field("picture", "Picture", "picture", size, picture=picture, of=one)


def _values_field(one: Input, label: str, name: str = "values") -> Field:
    count = f"{one.width:,} values a row. " if one.width is not None else ""
    return Field(name, label, "values", f"{count}One row per line, separated by commas or blanks.", of=one)


def _picture(one: Input) -> Picture | None:
    """What pictures an input takes, by the shape of a row; None when it looks like anything else."""
    row = one.row
    if row is None or one.kind not in ("number", "whole"):
        return None
    side = math.isqrt(row[0]) if len(row) == 1 else 0
    if side and side * side == row[0] >= _LEAST_PIXELS and not one.features:
        return Picture(1, side, side) if side <= _LARGEST_SIDE else None
    found = None
    if len(row) == 3 and row[0] in (1, 3):
        found = Picture(row[0], row[1], row[2])
    elif len(row) == 3 and row[2] in (1, 3):
        found = Picture(row[2], row[0], row[1], last=True)
    elif len(row) == 2 and min(row) >= 8:
        found = Picture(1, row[0], row[1])
    return found if found and max(found.height, found.width) <= _LARGEST_SIDE else None


def _value(one: Field, of: Input) -> Any:
    """A single value as its input takes it; what cannot be read is told to the field."""
    text = one.value.strip()
    if of.kind == "text":
        return one.value
    if of.kind == "yes":
        return text in ("on", "true", "True", "1")
    try:
        return _number(text, of)
    except ValueError:
        one.error = "Write a whole number." if of.kind == "whole" else "Write a number such as 3.5."
        return None


def _number(text: str, of: Input) -> float | int:
    if of.kind == "whole":
        return int(text)
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _rows(one: Field, of: Input) -> list[Any]:
    """Rows of values, one a line."""
    lines = [line.replace(",", " ").split() for line in one.value.splitlines() if line.strip()]
    if not lines:
        one.error = "Write at least one row of values."
    elif of.width is not None and (
        wrong := [at for at, line in enumerate(lines, 1) if len(line) != of.width]
    ):
        count = len(lines[wrong[0] - 1])
        one.error = f"Row {wrong[0]} has {count:,} values, it needs {of.width:,}."
    if one.error or sum(map(len, lines)) > _MOST_VALUES:
        one.error = one.error or f"At most {_MOST_VALUES:,} values."
        return []
    if of.kind == "text":
        return lines
    if of.kind == "yes":
        return [[word.lower() in ("1", "true", "yes") for word in line] for line in lines]
    try:
        return [[_number(word, of) for word in line] for line in lines]
    except ValueError as error:
        word = str(error).rpartition(": ")[2].strip("'")
        one.error = f"“{word[:40]}” is no {'whole number' if of.kind == 'whole' else 'number'}."
        return []


def _sample(one: Field) -> str:
    if one.widget == "lines":
        return "\n".join(_TEXTS)
    if one.widget == "text":
        return _TEXTS[0]
    if one.widget == "values" and one.of is not None:
        width = one.of.width or 1
        values = _ring(one.of) or [1] * width if width <= _SAMPLE_VALUES else []
        return " ".join(map(str, values))
    return "on" if one.widget == "yes" else "1"


def _ring(one: Input) -> list[float]:
    """A bright ring on dark ground, which looks like a zero; none for what is no grey picture."""
    picture = _picture(one)
    if picture is None or picture.channels != 1:
        return []
    found = []
    for row in range(picture.height):
        for column in range(picture.width):
            y, x = (row + 0.5) / picture.height - 0.5, (column + 0.5) / picture.width - 0.5
            found.append(picture.top if 0.22 < math.hypot(x * 1.15, y) < 0.42 else 0)
    return found


def example(served: Served, signature: Signature | None) -> Any:
    """The smallest request that fits what is served, for snippets and an empty editor."""
    inputs = signature.inputs if signature else ()
    if served.takes_text or [one.kind for one in inputs] == ["text"]:
        return {"text": _TEXTS[1] if served.takes_text else [_TEXTS[1]]}
    if len(inputs) > 1:
        return {"inputs": {one.name: [_nothing(one)] for one in inputs}}
    if inputs:
        (only,) = inputs
        if only.features:
            return {"rows": [dict.fromkeys(only.features, 0)]}
        return {"rows": [[_nothing(only)] * min(only.width or 1, 1000)]}
    return {"rows": [[0]]} if served.built_in else {}


def _nothing(one: Input) -> Any:
    return {"text": "", "yes": False}.get(one.kind, 0)
