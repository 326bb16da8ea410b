"""Scores texts with the exported model, with neither scikit-learn nor a pickle."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime


class BadModel(Exception):
    """The bytes are not a text model that onnxruntime can run."""


class Scorer:
    """One loaded model; uses two threads at most."""

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        try:
            self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except (
            runtime.InvalidProtobuf,
            runtime.InvalidGraph,
            runtime.InvalidArgument,
            runtime.Fail,
        ) as error:
            raise BadModel(f"not a model that onnxruntime can load: {error}") from error
        names = [output.name for output in self.session.get_outputs()]
        inputs = [(entry.name, entry.type) for entry in self.session.get_inputs()]
        if inputs != [("text", "tensor(string)")] or "probabilities" not in names:
            raise BadModel(f"not a text model of this scenario: inputs {inputs}, outputs {names}")

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """(n, labels) float32, each row adding up to 1."""
        column = np.array(texts, dtype=object).reshape(-1, 1)
        return self.session.run(["probabilities"], {"text": column})[0]
