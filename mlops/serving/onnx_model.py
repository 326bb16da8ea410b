"""Models in the ONNX format, run by onnxruntime."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import models
import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state
from refusals import BadModel, Refused, shown
from tensors import TYPES, Spec

FAULTS = (
    *(state.EPFail, state.EngineError, state.Fail, state.InvalidArgument, state.InvalidGraph),
    *(state.InvalidProtobuf, state.ModelLoaded, state.NoModel, state.NoSuchFile, state.NotImplemented),
    *(state.RuntimeException, MemoryError, RuntimeError, ValueError),
)
_NAMES = {
    **{f"tensor(int{bits})": f"INT{bits}" for bits in (8, 16, 32, 64)},
    **{f"tensor(uint{bits})": f"UINT{bits}" for bits in (8, 16, 32, 64)},
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(bool)": "BOOL",
    "tensor(string)": "BYTES",
}
_TABLES = ("seq(map(string,tensor(float)))", "seq(map(int64,tensor(float)))")


class OnnxModel:
    """One session. Rows of labels and their probabilities (a ZipMap) are made a table."""

    lonely = False

    def __init__(self, place: Path, threads: int) -> None:
        """Load the model and run it once. Raises BadModel."""
        self.file = models.find(place, (".onnx",), ("model.onnx",))
        self._session = _open(self.file, threads)
        self.platform = "onnx_onnxv1"
        self.inputs = tuple(_spec(one, "input") for one in self._session.get_inputs())
        self.labels = models.read_labels(self.file)
        # Columns of each table by its name, known once it has been made.
        self._columns: dict[str, list] = {
            one.name: [] for one in self._session.get_outputs() if one.type in _TABLES
        }
        self._try_once()
        self.outputs = tuple(self._output(one) for one in self._session.get_outputs())

    def _try_once(self) -> None:
        """Run a row of nothing, as the first run is the slow one, and learn the labels of tables."""
        arrays = {}
        for spec in self.inputs:
            shape = [max(length, 1) for length in spec.shape]
            arrays[spec.name] = (
                np.full(shape, "", object)
                if spec.datatype == "BYTES"
                else np.zeros(shape, TYPES[spec.datatype])
            )
        try:
            found = self._session.run(None, arrays)
        except FAULTS as error:
            # Zeros need not be what a model takes: it is served all the same, unless its labels stay unknown.
            if self._columns:
                raise BadModel(
                    f"{self.file.name}: its output {shown(next(iter(self._columns)))} is a list of maps "
                    "(ZipMap), and a trial that would tell their labels failed. Export the model with "
                    f'options={{"zipmap": False}}. The trial said: {told(error)}'
                ) from error
            models.log.warning("A trial with zeros failed: %s", told(error))
            return
        for spec, value in zip(self._session.get_outputs(), found, strict=True):
            if spec.name in self._columns:
                self._columns[spec.name] = list(value[0])
                self.labels = self.labels or tuple(map(str, value[0]))

    def _output(self, one: onnxruntime.NodeArg) -> Spec:
        if one.name in self._columns:
            return Spec(one.name, "FP32", (-1, len(self._columns[one.name])))
        return _spec(one, "output")

    def run(self, arrays: Mapping[str, np.ndarray], wanted: Sequence[str]) -> list[np.ndarray]:
        """The wanted outputs. Raises Refused: 400 where the values do not suit the model, else 500."""
        try:
            found = self._session.run(wanted, arrays)
        except (state.InvalidArgument, ValueError) as error:
            raise Refused(400, f"The model refuses these values: {told(error)}") from error
        except FAULTS as error:
            raise Refused(500, f"The model failed: {told(error)}") from error
        if self._columns:
            return [self._table(name, value) for name, value in zip(wanted, found, strict=True)]
        return found

    def _table(self, name: str, value: np.ndarray | list[dict]) -> np.ndarray:
        """(rows, labels) float32 of a list of maps; everything else as it is."""
        columns = self._columns.get(name)
        if columns is None:
            return value
        return np.array([[row[label] for label in columns] for row in value], np.float32)


def _open(file: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Fatal only: what is wrong is raised, and said once.
    options.log_severity_level = 4
    # Threads that wait do so without using a core.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except FAULTS as error:
        raise BadModel(f"{file.name}: {_why(told(error))}") from error


def _why(text: str) -> str:
    """onnxruntime's reason, in words for people where they are known."""
    if "Protobuf parsing failed" in text or "No graph was found" in text:
        return "it is no ONNX model, or one that was cut off. Export it again."
    if re.search(r"external|escapes|outside", text, re.IGNORECASE):
        return f"its weights lie in other files, which cannot be read: they must lie in its folder. ({text})"
    if re.search(r"opset|not a registered function/op|No Op registered|IR version", text):
        return (
            "it needs an operator, or a version of operators, that onnxruntime "
            f"{onnxruntime.__version__} does not have. Export it with an older opset. ({text})"
        )
    return f"onnxruntime cannot load it: {text}"


def told(error: BaseException) -> str:
    """onnxruntime's message in one line, without its numbering and the places in its source."""
    text = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", " ".join(str(error).split()))
    text = re.sub(r"^Load model from .*? failed: ?", "", text)
    text = re.sub(r"/onnxruntime_src/\S+ .*?\) (?=[A-Z])", "", text)
    return text[:500] or type(error).__name__


def _spec(one: onnxruntime.NodeArg, kind: str) -> Spec:
    """Raises BadModel for what the protocol has no tensor for."""
    if one.type not in _NAMES:
        raise BadModel(
            f"The {kind} {shown(one.name)} is {one.type}, which the inference protocol cannot express. "
            "Export the model with plain tensors."
        )
    shape = tuple(length if isinstance(length, int) and length >= 0 else -1 for length in one.shape or ())
    return Spec(one.name, _NAMES[one.type], shape)


def load(place: Path, threads: int) -> OnnxModel:
    """The model at a file or below a folder, tried once. Raises BadModel."""
    return OnnxModel(place, threads)
