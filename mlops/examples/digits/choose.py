"""Chooses the best of the candidates: the most accurate one, of equals the one with the fewest leaves."""

import argparse
import json
import logging
import sys
from pathlib import Path

log = logging.getLogger("choose")


def scores(text: str) -> list[dict]:
    """What the candidates told: a JSON list of {leaves, accuracy}."""
    try:
        found = [
            {"leaves": int(one["leaves"]), "accuracy": float(one["accuracy"])} for one in json.loads(text)
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise argparse.ArgumentTypeError(f"must be a JSON list of scores, not {text[:80]!r}") from error
    if not found:
        raise argparse.ArgumentTypeError("must name at least one candidate")
    return found


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=scores, required=True)
    parser.add_argument("--leaves", type=Path, required=True)
    parser.add_argument("--accuracy", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    args = parse()
    ranked = sorted(args.scores, key=lambda one: (-one["accuracy"], one["leaves"]))
    for place, one in enumerate(ranked, start=1):
        log.info("%d. at most %d leaves: accuracy %.4f", place, one["leaves"], one["accuracy"])
    args.leaves.write_text(str(ranked[0]["leaves"]))
    args.accuracy.write_text(str(ranked[0]["accuracy"]))


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    main()
