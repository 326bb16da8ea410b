"""Trains gradient-boosted trees on the prepared digits and keeps them as LightGBM text and as ONNX."""

import argparse
import json
import logging
import sys
from pathlib import Path

import arguments
import numpy as np
import onnxruntime
import sklearn
from onnxmltools.convert import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from tracking import Tracker, point

try:
    import lightgbm
except OSError as cause:
    sys.exit(
        f"ERROR LightGBM cannot start: {cause}. Install the system library (Debian: apt install libgomp1)"
    )

MODEL = "digits-model"
ROUNDS_AT_ONCE = 5  # curve points go out in batches of this many rounds
LARGEST_DIFFERENCE = 1e-3  # between LightGBM's and ONNX's probabilities
log = logging.getLogger("train")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=arguments.whole(1, 1000), default=80)
    parser.add_argument("--learning-rate", type=arguments.number(0, 1, above=True), default=0.1)
    parser.add_argument("--leaves", type=arguments.whole(2, 256), default=15)
    parser.add_argument("--seed", type=arguments.whole(0, 2**31 - 1), default=7)
    return parser.parse_args()


def load(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """(n, 64) pixels, float32 from 0 to 16, and (n,) labels from 0 to 9."""
    with np.load(file) as arrays:
        return arrays["pixels"], arrays["labels"]


class Curves:
    """A LightGBM callback: logs every round and sends its losses and error rates, a few rounds at a time."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.points: list[dict] = []

    def __call__(self, env: lightgbm.callback.CallbackEnv) -> None:
        step = env.iteration + 1
        values = {f"{part}_{metric}": value for part, metric, value, *_ in env.evaluation_result_list}
        shown = " ".join(f"{name} {value:.4f}" for name, value in values.items())
        log.info("round %d/%d %s", step, env.end_iteration, shown)
        self.points += [point(name, value, step=step) for name, value in values.items()]
        if step % ROUNDS_AT_ONCE == 0 or step == env.end_iteration:
            self.tracker.report(self.points)
            self.points = []


def fit(args: argparse.Namespace, train: tuple, validation: tuple, tracker: Tracker) -> lightgbm.Booster:
    settings = {
        "objective": "multiclass",
        "num_class": 10,
        "metric": ["multi_logloss", "multi_error"],
        "learning_rate": args.learning_rate,
        "num_leaves": args.leaves,
        "seed": args.seed,
        "num_threads": 2,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(*train)
    return lightgbm.train(
        settings,
        data,
        num_boost_round=args.rounds,
        valid_sets=[data, lightgbm.Dataset(*validation, reference=data)],
        valid_names=["train", "validation"],
        callbacks=[Curves(tracker)],
    )


def export(booster: lightgbm.Booster, pixels: np.ndarray) -> tuple[bytes, float]:
    """The booster as ONNX, and its largest difference to LightGBM over (n, 64) pixels.

    Input `pixels` (n, 64) float32; outputs `label` (n,) and `probabilities` (n, 10).
    """
    initial = [("pixels", FloatTensorType([None, pixels.shape[1]]))]
    model = convert_lightgbm(booster, name="digits", initial_types=initial, zipmap=False).SerializeToString()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    probabilities = session.run(["probabilities"], {"pixels": pixels})[0]
    return model, float(np.abs(probabilities - booster.predict(pixels, num_threads=2)).max())


def main() -> None:
    args = parse()
    train, validation = load(args.data / "train.npz"), load(args.data / "validation.npz")
    tracker = Tracker()
    tags = {"framework": f"LightGBM {lightgbm.__version__}", "rows": len(train[1]) + len(validation[1])}
    tracker.report([], tags={**tags, "data": f"scikit-learn {sklearn.__version__} load_digits"})
    booster = fit(args, train, validation, tracker)

    pixels, actual = validation
    predicted = booster.predict(pixels, num_threads=2).argmax(axis=1)
    scores = {
        "accuracy": float(accuracy_score(actual, predicted)),
        "macro_f1": float(f1_score(actual, predicted, average="macro")),
    }
    matrix = confusion_matrix(actual, predicted, labels=range(10))
    cells = [
        {"Predicted": str(j), "Actual": str(i), "value": int(matrix[i, j])}
        for i, j in np.ndindex(matrix.shape)
    ]
    model, difference = export(booster, pixels)
    args.out.mkdir(parents=True, exist_ok=True)
    booster.save_model(args.out / "model.txt")
    (args.out / "model.onnx").write_bytes(model)
    (args.out / "labels.json").write_text(json.dumps([str(digit) for digit in range(10)]) + "\n")
    (args.out / "metrics.json").write_text(
        json.dumps({**scores, "onnx_difference": difference}, indent=2) + "\n"
    )
    log.info("accuracy %.4f macro_f1 %.4f", scores["accuracy"], scores["macro_f1"])
    log.info("ONNX and LightGBM differ by at most %.2e on %d images", difference, len(actual))
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
    main()
