"""Trains the feedback classifier epoch by epoch and keeps it as a pipeline and as ONNX."""

import argparse
import json
import logging
import sys
from collections import Counter
from pathlib import Path

import arguments
import export
import feedback
import joblib
import numpy as np
import sklearn
from scoring import Scorer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from tracking import Tracker, point

MODEL = "text-model-tutorial"
FEWEST_ROWS = 10  # of each label; with fewer, a validation set says nothing
LARGEST_DIFFERENCE = 1e-3  # between scikit-learn's and ONNX's probabilities
log = logging.getLogger("train")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--epochs", type=arguments.whole(1, 1000), default=100)
    parser.add_argument("--learning-rate", type=arguments.number(0, 10, above=True), default=0.1)
    parser.add_argument("--ngram-max", type=arguments.whole(1, 3), default=2)
    parser.add_argument("--min-df", type=arguments.whole(1, 10_000), default=1)
    parser.add_argument("--validation-share", type=arguments.number(0.05, 0.5), default=0.2)
    parser.add_argument("--seed", type=arguments.whole(0, 2**32 - 1), default=7)
    return parser.parse_args()


def load(source: Path) -> tuple[list[str], list[str]]:
    """(n,) texts and (n,) labels, without repeated texts: one in both parts would flatter the model."""
    rows = feedback.read(source, ("text", "label"))
    unique = {text.casefold(): (text, label) for text, label in reversed(rows)}
    if len(unique) < len(rows):
        log.info("%d repeated texts are used once", len(rows) - len(unique))
    texts, labels = zip(*reversed(unique.values()), strict=True)
    counts = Counter(labels)
    if len(counts) < 2:
        raise feedback.BadData(f"{source}: column 'label' holds only {labels[0]!r}; two labels are needed")
    label, count = min(counts.items(), key=lambda item: item[1])
    if count < FEWEST_ROWS:
        raise feedback.BadData(
            f"{source}: column 'label' holds {label!r} in {count} rows, fewer than {FEWEST_ROWS}"
        )
    return list(texts), list(labels)


def fit(args: argparse.Namespace, train: tuple, validation: tuple, tracker: Tracker) -> Pipeline:
    """The fitted pipeline. train and validation: (texts, labels). Sends three metrics an epoch."""
    # not sublinear_tf: the ONNX converter drops it without a word
    vectorizer = TfidfVectorizer(
        token_pattern=export.TOKEN, ngram_range=(1, args.ngram_max), min_df=args.min_df
    )
    try:
        features = vectorizer.fit_transform(train[0])
    except ValueError as error:
        reason = f"no word is left to learn from with MIN_DF {args.min_df}"
        raise feedback.BadData(f"{args.data}: column 'text': {reason}") from error
    held_out = vectorizer.transform(validation[0])
    classifier = SGDClassifier(
        loss="log_loss", learning_rate="constant", eta0=args.learning_rate, alpha=1e-5, random_state=args.seed
    )
    classes = np.unique(train[1])
    log.info("%d features, labels %s", features.shape[1], ", ".join(classes))
    for epoch in range(1, args.epochs + 1):
        classifier.partial_fit(features, train[1], classes=classes)
        values = {
            "train_loss": log_loss(train[1], classifier.predict_proba(features), labels=classes),
            "validation_loss": log_loss(validation[1], classifier.predict_proba(held_out), labels=classes),
            "error_rate": 1 - accuracy_score(validation[1], classifier.predict(held_out)),
        }
        shown = " ".join(f"{name} {value:.4f}" for name, value in values.items())
        log.info("epoch %d/%d %s", epoch, args.epochs, shown)
        tracker.report([point(name, value, step=epoch) for name, value in values.items()])
    return Pipeline([("tfidf", vectorizer), ("classifier", classifier)])


def measure(pipeline: Pipeline, validation: tuple) -> tuple[dict, list[dict]]:
    """accuracy and macro_f1 on the validation part, and the confusion matrix as a list of cells."""
    texts, actual = validation
    predicted = pipeline.predict(texts)
    labels = pipeline.classes_
    scores = {
        "accuracy": float(accuracy_score(actual, predicted)),
        "macro_f1": float(f1_score(actual, predicted, average="macro")),
    }
    matrix = confusion_matrix(actual, predicted, labels=labels)
    cells = [
        {"Predicted": str(labels[j]), "Actual": str(labels[i]), "value": int(matrix[i, j])}
        for i, j in np.ndindex(matrix.shape)
    ]
    return scores, cells


def save(pipeline: Pipeline, scores: dict, texts: list[str], out: Path) -> float:
    """Write the model's four files to `out`; returns the largest difference of ONNX to scikit-learn."""
    out.mkdir(parents=True, exist_ok=True)
    model = export.convert(pipeline).SerializeToString()
    difference = float(np.abs(Scorer(model).probabilities(texts) - pipeline.predict_proba(texts)).max())
    joblib.dump(pipeline, out / "model.joblib")
    (out / "model.onnx").write_bytes(model)
    (out / "labels.json").write_text(json.dumps([str(label) for label in pipeline.classes_]) + "\n")
    (out / "metrics.json").write_text(json.dumps({**scores, "onnx_difference": difference}, indent=2) + "\n")
    return difference


def main() -> None:
    args = parse()
    texts, labels = load(args.data)
    split = train_test_split(
        texts, labels, test_size=args.validation_share, stratify=labels, random_state=args.seed
    )
    train, validation = (split[0], split[2]), (split[1], split[3])
    log.info(
        "%d sentences: %d to learn from, %d to measure with", len(texts), len(train[0]), len(validation[0])
    )
    tracker = Tracker()
    tags = {"framework": f"scikit-learn {sklearn.__version__}", "rows": len(texts), "format": "joblib, onnx"}
    tracker.report([], tags=tags)
    pipeline = fit(args, train, validation, tracker)
    scores, cells = measure(pipeline, validation)
    difference = save(pipeline, scores, validation[0], args.out)
    log.info("accuracy %.4f macro_f1 %.4f", scores["accuracy"], scores["macro_f1"])
    log.info("ONNX and scikit-learn differ by at most %.2e on %d sentences", difference, len(validation[0]))
    tracker.report(
        [point(name, value, model=MODEL) for name, value in scores.items()], info={"confusion_matrix": cells}
    )
    if not difference <= LARGEST_DIFFERENCE:
        sys.exit(
            f"ERROR the ONNX export differs from the model by {difference:.2e}, above {LARGEST_DIFFERENCE}"
        )


if __name__ == "__main__":
    logging.addLevelName(logging.WARNING, "WARN")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        main()
    except feedback.BadData as error:
        sys.stderr.write(f"ERROR {error}\n")
        sys.exit(2)
