"""Models that scikit-learn made and joblib or pickle keeps. Loading one runs code that is in the file."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import models
import numpy as np
import sklearn
from refusals import BadModel, Refused, shown
from sklearn.exceptions import InconsistentVersionWarning
from tensors import Spec

_KINDS = {"b": "BOOL", "i": "INT64", "u": "UINT64", "f": "FP64", "O": "BYTES", "U": "BYTES", "S": "BYTES"}


class SklearnModel:
    """An estimator: `label` and `probabilities` of a classifier, else `predict`, else `transform`.

    Its input is `input`, rows of numbers, or `text` where the first step turns texts into numbers.
    """

    # Estimators promise nothing about threads.
    lonely = True

    def __init__(self, place: Path) -> None:
        """Load the estimator and try it once. Raises BadModel."""
        self.file = models.find(place, (".joblib", ".pkl", ".pickle"), ("model.joblib", "model.pkl"))
        self.platform = f"sklearn_{sklearn.__version__}"
        self._estimator = _unpickle(self.file)
        self._frame: Any = None
        self.inputs = (self._input(),)
        self._methods = self._choose()
        classes = getattr(self._estimator, "classes_", ())
        known = tuple(map(str, classes)) if np.ndim(classes) == 1 else ()
        self.labels = models.read_labels(self.file) or known
        self.outputs = self._try_once()

    def _input(self) -> Spec:
        if hasattr(_first_step(self._estimator), "build_analyzer"):
            return Spec("text", "BYTES", (-1,))
        width = getattr(self._estimator, "n_features_in_", None)
        if width is None:
            raise BadModel(
                f"{self.file.name}: the {type(self._estimator).__name__} in it does not say how many values "
                "a row has (n_features_in_). Fit it, or save the whole pipeline."
            )
        names = tuple(map(str, getattr(self._estimator, "feature_names_in_", ())))
        if names:
            self._frame = _frames()
        return Spec("input", "FP64", (-1, int(width)), names)

    def _choose(self) -> dict[str, str]:
        """Methods of the estimator by the names of the outputs they make."""
        has = {name for name in ("predict", "predict_proba", "transform") if hasattr(self._estimator, name)}
        if "predict" in has:
            chosen = {"label" if hasattr(self._estimator, "classes_") else "predict": "predict"}
            return chosen | ({"probabilities": "predict_proba"} if "predict_proba" in has else {})
        if "transform" in has:
            return {"transform": "transform"}
        raise BadModel(
            f"{self.file.name}: the {type(self._estimator).__name__} in it has neither predict nor "
            "transform, so that it is no model that can be served."
        )

    def _try_once(self) -> tuple[Spec, ...]:
        """The outputs, by what comes of one row of nothing."""
        (spec,) = self.inputs
        row = np.array(["a"], object) if spec.datatype == "BYTES" else np.zeros((1, spec.shape[1]))
        outputs = []
        for name, method in tuple(self._methods.items()):
            try:
                found = self._call(method, row)
            except Refused as error:
                if method == "predict_proba":
                    # Some estimators have the method and refuse it when asked.
                    del self._methods[name]
                    continue
                raise BadModel(f"{self.file.name}: it was loaded, but fails when tried. {error}") from error
            outputs.append(Spec(name, _KINDS[found.dtype.kind], (-1, *found.shape[1:])))
        return tuple(outputs)

    def _call(self, method: str, rows: np.ndarray) -> np.ndarray:
        given = rows
        if self._frame is not None:
            given = self._frame(rows, columns=list(self.inputs[0].features))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = getattr(self._estimator, method)(given)
        except ValueError as error:
            raise Refused(400, f"The model refuses these values: {_told(error)}") from error
        except Exception as error:
            # An estimator is code of any kind.
            raise Refused(500, f"The model failed: {_told(error)}") from error
        if isinstance(found, list):
            raise Refused(
                500, "The model has several answers for each row, which the protocol cannot express."
            )
        array = np.asarray(found.toarray() if hasattr(found, "toarray") else found)
        if array.dtype.kind not in _KINDS or array.ndim == 0:
            raise Refused(500, f"The model's answer is {array.dtype}, which the protocol cannot express.")
        if array.dtype.kind in "OUS":
            return np.array([str(one) for one in array.ravel()], object).reshape(array.shape)
        return array.astype({"b": np.bool_, "i": np.int64, "u": np.uint64, "f": np.float64}[array.dtype.kind])

    def run(self, arrays: Mapping[str, np.ndarray], wanted: Sequence[str]) -> list[np.ndarray]:
        """The wanted outputs. Raises Refused: 400 where the values do not suit the model, else 500."""
        (rows,) = arrays.values()
        return [self._call(self._methods[name], rows) for name in wanted]


def _unpickle(file: Path) -> Any:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            estimator = joblib.load(file)
        except ModuleNotFoundError as error:
            raise BadModel(
                f"{file.name}: it needs the Python package {shown(error.name)}, which is not here. Put it "
                "into the requirements.txt beside the template."
            ) from error
        except Exception as error:
            # What a pickle raises is up to its code.
            raise BadModel(
                f"{file.name}: it is no model that joblib of this environment can load (scikit-learn "
                f"{sklearn.__version__}): {_told(error)}"
            ) from error
    made_with = {
        one.message.original_sklearn_version
        for one in caught
        if isinstance(one.message, InconsistentVersionWarning)
    }
    if made_with:
        models.log.warning(
            "%s was made with scikit-learn %s and is served with %s: its answers may differ",
            *(file.name, ", ".join(sorted(made_with)), sklearn.__version__),
        )
    return estimator


def _first_step(estimator: Any) -> Any:
    """What gets the input first: the first step of pipelines, the first part of unions."""
    while True:
        parts = getattr(estimator, "steps", None) or getattr(estimator, "transformer_list", None)
        if not parts:
            return estimator
        estimator = parts[0][1]


def _frames() -> Any:
    """pandas' tables where pandas is here; columns that are chosen by name need them."""
    try:
        return importlib.import_module("pandas").DataFrame
    except ModuleNotFoundError:
        return None


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]


def load(place: Path, threads: int) -> SklearnModel:
    """The model at a file or below a folder, tried once. threads: taken from the environment instead."""
    del threads
    return SklearnModel(place)
