"""The friendly form: rows of plain values in, labels with their probabilities or plain values out."""

from __future__ import annotations

import math
from typing import Any

import encoding
import numpy as np
import tensors
from inference import Answer
from models import Model
from refusals import Refused, shown
from tensors import Spec

MOST_LABELS = 10_000


class Predictions:
    """Answers `/v1/predict` and `/v1/signature` of one model."""

    def __init__(self, model: Model, name: str, version: str) -> None:
        self._model = model
        self._inputs = {spec.name: spec for spec in model.inputs}
        self._table = _table_of(model)
        self._label = _label_of(model, self._table)
        self._others = [spec.name for spec in model.outputs if spec.name not in (self._table, self._label)]
        self.example = self._example()
        self.signature = encoding.to_json(self._described(name, version))

    def _described(self, name: str, version: str) -> dict[str, Any]:
        return {
            "name": name,
            "version": version,
            "platform": self._model.platform,
            "kind": "classification" if self._table or self._label else "other",
            "inputs": [_described(spec) for spec in self._model.inputs],
            "outputs": [_described(spec) for spec in self._model.outputs],
            "labels": list(self._model.labels),
            "example": self.example,
        }

    def _example(self) -> dict[str, Any]:
        """A body for `/v1/predict` of the right form: one row of nothing."""
        if self._is_text():
            return {"text": ""}
        specs = self._model.inputs
        if len(specs) > 1:
            return {"inputs": {spec.name: _nothing(spec, spec.shape) for spec in specs}}
        (spec,) = specs
        if spec.features:
            return {"rows": [dict.fromkeys(spec.features, 0)]}
        return {"rows": _nothing(spec, spec.shape)}

    def _is_text(self) -> bool:
        return [spec.datatype for spec in self._model.inputs] == ["BYTES"]

    def answer(self, body: bytes | bytearray) -> Answer:
        """Carry out one request. Raises Refused."""
        arrays = self._arrays(encoding.read(body))
        names = [spec.name for spec in self._model.outputs]
        found = dict(zip(names, self._model.run(arrays, names), strict=True))
        return Answer(encoding.to_json({"predictions": self._told(found)}))

    def _arrays(self, request: dict[str, Any]) -> dict[str, np.ndarray]:
        given = [key for key in ("rows", "inputs", "text") if key in request]
        if len(given) != 1:
            raise Refused(400, 'The body needs exactly one of "rows", "inputs" and "text".')
        value = request[given[0]]
        if given == ["text"]:
            return self._texts(value)
        if given == ["inputs"]:
            if type(value) is not dict or value.keys() != self._inputs.keys():
                names = ", ".join(shown(name) for name in self._inputs)
                raise Refused(400, f"inputs must be an object with {names}.")
            return {name: _array(self._inputs[name], one) for name, one in value.items()}
        if type(value) is not list or not value:
            raise Refused(400, "rows must be a list with one entry for each row.")
        return self._rows(value)

    def _texts(self, value: Any) -> dict[str, np.ndarray]:
        if not self._is_text():
            raise Refused(400, 'The model takes no text; send "rows" or "inputs".')
        (spec,) = self._model.inputs
        texts = [value] if type(value) is str else value
        if type(texts) is not list or not texts:
            raise Refused(400, "text must be a text or a list of texts.")
        return {spec.name: _array(spec, [[one] for one in texts] if len(spec.shape) == 2 else texts)}

    def _rows(self, rows: list) -> dict[str, np.ndarray]:
        """Each row is a list, an object by the names of its values, or one value."""
        specs = self._model.inputs
        if type(rows[0]) is dict:
            names = list(self._inputs) if len(specs) > 1 else list(specs[0].features or self._inputs)
            rows = [_ordered(row, names, number) for number, row in enumerate(rows, 1)]
        if len(specs) == 1:
            (spec,) = specs
            # A value on its own, or a list around it, for models that take one of each row.
            if len(spec.shape) == 1 and type(rows[0]) is list:
                rows = [row[0] if type(row) is list and len(row) == 1 else row for row in rows]
            return {spec.name: _array(spec, rows)}
        if any(type(row) is not list or len(row) != len(specs) for row in rows):
            raise Refused(400, f"Each row needs {len(specs)} values: {', '.join(map(shown, self._inputs))}.")
        return {spec.name: _array(spec, [row[at] for row in rows]) for at, spec in enumerate(specs)}

    def _told(self, found: dict[str, np.ndarray]) -> list[Any]:
        rows = min(array.shape[0] if array.ndim else 1 for array in found.values())
        if not self._table and not self._label and len(found) == 1:
            return _plain(next(iter(found.values())))
        told: list[dict[str, Any]] = [{} for _ in range(rows)]
        if self._label or self._table:
            self._label_rows(told, found)
        for name in self._others:
            for one, value in zip(told, _plain(found[name]), strict=False):
                one[name] = value
        return told

    def _label_rows(self, told: list[dict[str, Any]], found: dict[str, np.ndarray]) -> None:
        labels = self._model.labels
        table = found[self._table] if self._table else None
        known = table is not None and len(labels) == table.shape[1]
        best = table.argmax(axis=1).tolist() if table is not None else []
        own = found[self._label].ravel().tolist() if self._label else []
        shares = _plain(table) if table is not None else []
        for row, one in enumerate(told):
            one["label"] = own[row] if own else labels[best[row]] if known else best[row]
            # A model that numbers its labels: the list beside it names them.
            if own and known and type(own[row]) is int:
                one["label"] = labels[best[row]]
            if shares:
                one["probability"] = shares[row][best[row]]
                names = labels if known else map(str, range(len(shares[row])))
                one["probabilities"] = dict(zip(names, shares[row], strict=True))


def _table_of(model: Model) -> str | None:
    """The output with a probability for each label: by its name, or by its width when labels are known."""
    tables = [spec for spec in model.outputs if spec.datatype.startswith("FP") and len(spec.shape) == 2]
    named = [spec.name for spec in tables if "prob" in spec.name.lower()]
    fitting = [spec.name for spec in tables if model.labels and spec.shape[1] == len(model.labels)]
    return next(iter(named or fitting), None)


def _label_of(model: Model, table: str | None) -> str | None:
    flat = [
        spec
        for spec in model.outputs
        if not spec.datatype.startswith("FP") and (len(spec.shape) == 1 or spec.shape[1:] == (1,))
    ]
    named = [spec.name for spec in flat if "label" in spec.name.lower() or "class" in spec.name.lower()]
    return next(iter(named), flat[0].name if table and len(flat) == 1 else None)


def _described(spec: Spec) -> dict[str, Any]:
    """What a form needs to know: how many values a row has, and their names where they are known."""
    width = math.prod(spec.shape[1:]) if all(length > 0 for length in spec.shape[1:]) else None
    told = {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape), "width": width}
    return told | ({"features": list(spec.features)} if spec.features else {})


def _nothing(spec: Spec, shape: tuple[int, ...]) -> Any:
    if not shape:
        return "" if spec.datatype == "BYTES" else False if spec.datatype == "BOOL" else 0
    return [_nothing(spec, shape[1:]) for _ in range(min(max(shape[0], 1), 1000))]


def _ordered(row: Any, names: list[str], number: int) -> list:
    if type(row) is not dict or row.keys() != set(names):
        raise Refused(400, f"Row {number} must be an object with {', '.join(map(shown, names[:50]))}.")
    return [row[name] for name in names]


def _array(spec: Spec, value: Any) -> np.ndarray:
    """An input of nested lists or of one value. Lists may leave out the lengths that are fixed."""
    values, lengths = tensors.flatten(value if type(value) is list else [value], spec.name)
    rank, fixed = len(spec.shape), spec.shape[1:]
    if len(lengths) != rank and values and all(length > 0 for length in fixed):
        # Pixels of a picture in one list, a single row without a list around it, a column of single values.
        rows, rest = divmod(len(values), math.prod(fixed))
        if not rest and rank and (lengths[0] == rows or rows == 1):
            lengths = [rows, *fixed]
    shape, _ = tensors.checked_shape(lengths, spec.name)
    array = tensors.from_values(values, spec.datatype, spec.name)
    return tensors.fitting(spec, array, shape, spec.datatype)


def _plain(array: np.ndarray) -> list:
    """Values as JSON takes them, floats of 16 and 32 bits by their shortest form."""
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        array = array.astype(str).astype(np.float64)
    plain = array.tolist()
    if array.ndim == 2 and array.shape[1] == 1:
        plain = [one for (one,) in plain]
    return plain if isinstance(plain, list) else [plain]
