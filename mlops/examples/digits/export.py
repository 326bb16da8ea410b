"""Measures the chosen candidate once more and keeps it as LightGBM text and as ONNX."""

import argparse
import json
import logging
import sys
from pathlib import Path

import arguments
import lightgbm
import numpy as np
import onnxruntime
from onnxmltools.convert import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score
from tracking import Tracker, point

MODEL = "digits-model"
LARGEST_DIFFERENCE = 1e-3  # between LightGBM's and ONNX's probabilities
log = logging.getLogger("export")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--candidates", type=Path, required=True)
    parser.add_argument("--leaves", type=arguments.whole(2, 256), required=True)
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def convert(booster: lightgbm.Booster, pixels: np.ndarray) -> tuple[bytes, float]:
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
    with np.load(args.data / "validation.npz") as arrays:
        pixels, actual = arrays["pixels"], arrays["labels"]
    booster = lightgbm.Booster(model_file=args.candidates / str(args.leaves) / "model.txt")
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
    model, difference = convert(booster, pixels)
    args.out.mkdir(parents=True, exist_ok=True)
    booster.save_model(args.out / "model.txt")
    (args.out / "model.onnx").write_bytes(model)
    (args.out / "labels.json").write_text(json.dumps([str(digit) for digit in range(10)]) + "\n")
    (args.out / "metrics.json").write_text(
        json.dumps({**scores, "leaves": args.leaves, "onnx_difference": difference}, indent=2) + "\n"
    )
    log.info("accuracy %.4f macro_f1 %.4f", scores["accuracy"], scores["macro_f1"])
    log.info("ONNX and LightGBM differ by at most %.2e on %d images", difference, len(actual))
    Tracker().report(
        [point(name, value, model=MODEL) for name, value in scores.items()],
        tags={"leaves": args.leaves},
        info={"confusion_matrix": cells},
    )
    if not difference <= LARGEST_DIFFERENCE:
        sys.exit(
            f"ERROR the ONNX export differs from the model by {difference:.2e}, above {LARGEST_DIFFERENCE}"
        )


if __name__ == "__main__":
    logging.addLevelName(logging.WARNING, "WARN")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    main()
