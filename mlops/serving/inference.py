"""Inference requests of the Open Inference Protocol: JSON, with or without raw bytes after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import encoding
import numpy as np
import tensors
from models import Model
from refusals import Refused, shown
from tensors import Spec

JSON = b"application/json"
BINARY = b"application/octet-stream"


class Answer(NamedTuple):
    """A body with its type. json_length: of the JSON before raw bytes, None where there are none."""

    body: bytes
    content_type: bytes = JSON
    json_length: int | None = None


class Inference:
    """Reads requests for one model, and writes what it answers."""

    def __init__(self, model: Model, name: str, version: str) -> None:
        self._model = model
        self._name, self._version = name, version
        self._inputs = {spec.name: spec for spec in model.inputs}
        self._outputs = {spec.name: spec for spec in model.outputs}
        self._all = list(self._outputs)
        self._head = f'{{"model_name":{encoding.write(name)},"model_version":{encoding.write(version)},'
        self._heads = {
            spec.name: f'{{"name":{encoding.write(spec.name)},"datatype":"{spec.datatype}","shape":'
            for spec in model.outputs
        }

    def answer(self, body: bytes | bytearray, json_length: int | None) -> Answer:
        """Carry out one request. json_length: as the header says it, None without one. Raises Refused."""
        raw = memoryview(body)
        if json_length is not None and not 0 < json_length <= len(raw):
            raise Refused(400, f"Inference-Header-Content-Length must be from 1 to {len(raw):,}.")
        request = encoding.read(body if json_length is None else raw[:json_length])
        tail = raw[len(raw) if json_length is None else json_length :]
        arrays = self._arrays(request, tail)
        wanted, binary = self._wanted(request)
        identity = request.get("id", "")
        if type(identity) is not str:
            raise Refused(400, "id must be a text.")
        return self._written(identity, wanted, self._model.run(arrays, wanted), binary)

    def _arrays(self, request: dict[str, Any], tail: memoryview) -> dict[str, np.ndarray]:
        given = request.get("inputs")
        if type(given) is not list or not given:
            raise Refused(400, "inputs must be a list of tensors.")
        arrays: dict[str, np.ndarray] = {}
        for tensor in given:
            if type(tensor) is not dict or type(tensor.get("name")) is not str:
                raise Refused(400, "Each of inputs must be an object with a name.")
            name = tensor["name"]
            spec = self._inputs.get(name)
            if spec is None:
                raise Refused(
                    400, f"Tensor {shown(name)}: the model has no such input; it has {self._named()}."
                )
            if name in arrays:
                raise Refused(400, f"Tensor {shown(name)}: it is given twice.")
            arrays[name], tail = _read(tensor, spec, tail)
        if len(arrays) < len(self._inputs):
            missing = next(name for name in self._inputs if name not in arrays)
            raise Refused(400, f"Tensor {shown(missing)}: it is missing; the model has {self._named()}.")
        if len(tail):
            raise Refused(400, f"{len(tail):,} bytes after the JSON belong to no tensor.")
        return arrays

    def _named(self) -> str:
        return ", ".join(shown(name) for name in list(self._inputs)[:20])

    def _wanted(self, request: dict[str, Any]) -> tuple[list[str], set[str]]:
        """Names of the outputs asked for, and of those wanted as raw bytes.

        parameters.binary_data_output is not heard: JSON is right for every client, and bytes go to those who
        ask for an output by its name.
        """
        asked = request.get("outputs")
        if not asked:
            return self._all, set()
        if type(asked) is not list:
            raise Refused(400, "outputs must be a list.")
        wanted: dict[str, bool] = {}
        for one in asked:
            name = one.get("name") if type(one) is dict else None
            if type(name) is not str or name not in self._outputs:
                known = ", ".join(shown(each) for each in self._all[:20])
                raise Refused(400, f"Tensor {shown(name)}: the model has no such output; it has {known}.")
            parameters = _parameters(one, name)
            if "classification" in parameters:
                raise Refused(400, f"Tensor {shown(name)}: the classification extension is not supported.")
            wanted[name] = parameters.get("binary_data") is True
        return list(wanted), {name for name, binary in wanted.items() if binary}

    def _written(self, identity: str, wanted: list[str], found: list[np.ndarray], binary: set[str]) -> Answer:
        if not binary and sum(array.size for array in found) <= encoding.SLICE:
            return Answer(encoding.to_json(self._small(identity, wanted, found)))
        parts, tails = [], []
        for name, array in zip(wanted, found, strict=True):
            head = f"{self._heads[name]}{list(array.shape)},"
            if name in binary:
                tails.append(tensors.to_bytes(array, self._outputs[name].datatype))
                parts.append(f'{head}"parameters":{{"binary_data_size":{len(tails[-1])}}}}}')
            else:
                parts.append(f'{head}"data":{encoding.values(array)}}}')
        middle = f'"id":{encoding.write(identity)},' if identity else ""
        text = f'{self._head}{middle}"outputs":[{",".join(parts)}]}}'.encode()
        if not binary:
            return Answer(text)
        return Answer(b"".join((text, *tails)), BINARY, len(text))

    def _small(self, identity: str, wanted: list[str], found: list[np.ndarray]) -> dict[str, Any]:
        """The whole answer as one object: several pieces take several times as long to write."""
        told: dict[str, Any] = {"model_name": self._name, "model_version": self._version}
        if identity:
            told["id"] = identity
        told["outputs"] = [
            {
                "name": name,
                "datatype": self._outputs[name].datatype,
                "shape": array.shape,
                "data": array.ravel().tolist(),
            }
            for name, array in zip(wanted, found, strict=True)
        ]
        return told


def _read(tensor: dict[str, Any], spec: Spec, tail: memoryview) -> tuple[np.ndarray, memoryview]:
    """One input, and what is left of the raw bytes after it. Raises Refused."""
    name, datatype = spec.name, tensor.get("datatype")
    if type(datatype) is not str or datatype not in tensors.TYPES:
        raise Refused(400, f"Tensor {shown(name)}: {shown(datatype)} is no datatype that is served here.")
    shape, count = tensors.checked_shape(tensor.get("shape"), name)
    parameters = _parameters(tensor, name)
    size = parameters.get("binary_data_size")
    if size is not None:
        if type(size) is not int or not 0 <= size <= len(tail):
            raise Refused(
                400,
                f"Tensor {shown(name)}: binary_data_size {shown(size)} is not within the {len(tail):,} bytes "
                "that are left.",
            )
        if "data" in tensor:
            raise Refused(400, f"Tensor {shown(name)}: it has both data and binary_data_size.")
        array = tensors.from_bytes(tail[:size], datatype, count, name)
        return tensors.fitting(spec, array, shape, datatype), tail[size:]
    data = tensor.get("data")
    if type(data) is not list:
        raise Refused(400, f"Tensor {shown(name)}: its data must be a list.")
    values, lengths = tensors.flatten(data, name)
    if len(values) != count or (len(lengths) > 1 and lengths != shape):
        found = f"{len(values):,} values" if len(lengths) == 1 else f"lists of the shape {shown(lengths)}"
        raise Refused(400, f"Tensor {shown(name)}: the shape {shown(shape)} does not fit {found}.")
    return tensors.fitting(spec, tensors.from_values(values, datatype, name), shape, datatype), tail


def _parameters(owner: Mapping[str, Any], name: str) -> dict[str, Any]:
    parameters = owner.get("parameters") or {}
    if type(parameters) is not dict:
        raise Refused(400, f"Tensor {shown(name)}: its parameters must be an object.")
    return parameters
