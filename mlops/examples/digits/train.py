"""Trains gradient-boosted trees of one size on the prepared digits: one candidate among several."""

import argparse
import json
import logging
import sys
from pathlib import Path

import arguments
import numpy as np
import sklearn
from tracking import Tracker, point

try:
    import lightgbm
except OSError as cause:
    sys.exit(
        f"ERROR LightGBM cannot start: {cause}. Install the system library (Debian: apt install libgomp1)"
    )

ROUNDS_AT_ONCE = 5  # curve points go out in batches of this many rounds
log = logging.getLogger("train")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--candidates", type=Path, required=True)
    parser.add_argument("--score", type=Path, required=True)
    parser.add_argument("--leaves", type=arguments.whole(2, 256), required=True)
    parser.add_argument("--rounds", type=arguments.whole(1, 1000), default=80)
    parser.add_argument("--learning-rate", type=arguments.number(0, 1, above=True), default=0.1)
    parser.add_argument("--seed", type=arguments.whole(0, 2**31 - 1), default=7)
    return parser.parse_args()


def load(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """(n, 64) pixels, float32 from 0 to 16, and (n,) labels from 0 to 9."""
    with np.load(file) as arrays:
        return arrays["pixels"], arrays["labels"]


class Curves:
    """A LightGBM callback: logs every round and sends the candidate's curves, a few rounds at a time.

    Candidates train side by side, so that each names its curves after its number of leaves.
    """

    def __init__(self, tracker: Tracker, leaves: int) -> None:
        self.tracker = tracker
        self.leaves = leaves
        self.points: list[dict] = []

    def __call__(self, env: lightgbm.callback.CallbackEnv) -> None:
        step = env.iteration + 1
        values = {metric: value for _, metric, value, *_ in env.evaluation_result_list}
        shown = " ".join(f"{name} {value:.4f}" for name, value in values.items())
        log.info("round %d/%d %s", step, env.end_iteration, shown)
        self.points += [
            point(f"{name}, {self.leaves} leaves", value, step=step) for name, value in values.items()
        ]
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
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(*train)
    return lightgbm.train(
        settings,
        data,
        num_boost_round=args.rounds,
        valid_sets=[lightgbm.Dataset(*validation, reference=data)],
        callbacks=[Curves(tracker, args.leaves)],
    )


def main() -> None:
    args = parse()
    train, validation = load(args.data / "train.npz"), load(args.data / "validation.npz")
    tracker = Tracker()
    tags = {"framework": f"LightGBM {lightgbm.__version__}", "rows": len(train[1]) + len(validation[1])}
    tracker.report([], tags={**tags, "data": f"scikit-learn {sklearn.__version__} load_digits"})
    booster = fit(args, train, validation, tracker)

    pixels, actual = validation
    accuracy = float((booster.predict(pixels, num_threads=1).argmax(axis=1) == actual).mean())
    place = args.candidates / str(args.leaves)
    place.mkdir(parents=True, exist_ok=True)
    booster.save_model(place / "model.txt")
    args.score.write_text(json.dumps({"leaves": args.leaves, "accuracy": accuracy}))
    log.info("accuracy %.4f with at most %d leaves", accuracy, args.leaves)


if __name__ == "__main__":
    logging.addLevelName(logging.WARNING, "WARN")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    main()
