"""`python sklearn_models.py FOLDER`: writes the models that test_sklearn.py serves.

Runs in the environment that has scikit-learn.
"""

import sys
import types
from pathlib import Path

import joblib
import numpy as np
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

ROWS = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [5.0, 6.0]])
TEXTS = ["late again", "late and rude", "kind crew", "so kind"]
WORDS = np.array(["bad", "bad", "good", "good"])


class Stranger:
    """Pickled under the name of a module that is nowhere."""


class Trap:
    """Fails when it is loaded."""

    def __reduce__(self) -> tuple:
        return (int, ("no number",))


def main() -> None:
    folder = Path(sys.argv[1])
    named = LogisticRegression().fit(ROWS, WORDS)
    named.feature_names_in_ = np.array(["width", "height"], object)
    text = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, WORDS)
    union = make_pipeline(FeatureUnion([("words", TfidfVectorizer())]), LogisticRegression()).fit(
        TEXTS, WORDS
    )
    both = np.array([["a", "x"], ["a", "y"], ["b", "x"], ["b", "y"]])
    sys.modules["nowhere"] = types.ModuleType("nowhere")
    sys.modules["nowhere"].Stranger = Stranger
    Stranger.__module__ = "nowhere"
    models = {
        "words": named,
        "numbers": LogisticRegression().fit(ROWS, [0, 0, 1, 1]),
        "regressor": LinearRegression().fit(ROWS, ROWS.sum(axis=1)),
        "plane": LinearRegression().fit(ROWS, ROWS[:, ::-1]),
        "scaler": StandardScaler().fit(ROWS),
        "text": text,
        "union": union,
        "vectorizer": text[0],
        "svc": LinearSVC().fit(ROWS, WORDS),
        "clusters": KMeans(2, random_state=1, n_init=1).fit(ROWS),
        "several": MultiOutputClassifier(LogisticRegression()).fit(ROWS, both),
        "unfitted": LinearRegression(),
        "table": {"no": "model"},
        "stranger": Stranger(),
        "trap": Trap(),
    }
    for name, model in models.items():
        (folder / name).mkdir()
        joblib.dump(model, folder / name / "model.joblib")
    (folder / "numbers" / "labels.json").write_text('["small", "large"]')
    (folder / "old").mkdir()
    told = (folder / "regressor" / "model.joblib").read_bytes()
    version = sys.modules["sklearn"].__version__.encode()
    older = b"0" * len(version)
    (folder / "old" / "model.pkl").write_bytes(told.replace(version, older))


if __name__ == "__main__":
    main()
