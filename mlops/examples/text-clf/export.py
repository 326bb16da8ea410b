"""Exports the text pipeline to ONNX."""

from onnx import ModelProto, checker
from skl2onnx import to_onnx
from skl2onnx.common.data_types import StringTensorType
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline

TOKEN = "[a-zA-Z0-9_]+"  # the one token pattern that scikit-learn and the ONNX tokenizer read alike


def convert(pipeline: Pipeline) -> ModelProto:
    """The pipeline as ONNX: `text` (n, 1) of strings in, `label` (n,) and `probabilities` (n, labels) out.

    The locale is "C", because a text model otherwise asks for en_US.UTF-8, which few servers have.
    """
    options = {
        TfidfVectorizer: {"tokenexp": TOKEN, "locale": "C"},
        SGDClassifier: {"zipmap": False},
    }
    model = to_onnx(pipeline, initial_types=[("text", StringTensorType([None, 1]))], options=options)
    newest = {opset.domain: opset for opset in model.opset_import}  # the converter lists some domains twice
    kept = [type(opset).FromString(opset.SerializeToString()) for opset in newest.values()]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    checker.check_model(model, full_check=True)
    return model
