"""Puts a label and a probability beside every sentence of a feedback file."""

import argparse
import csv
import json
import logging
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import arguments
import feedback
from scoring import BadModel, Scorer
from tracking import Tracker, point

ROWS_AT_ONCE = 1000
log = logging.getLogger("batch")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--feedback", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--uncertain-below", type=arguments.number(0.5, 1), default=0.65)
    return parser.parse_args()


def load(folder: Path) -> tuple[Scorer, list[str]]:
    """The exported model and its labels, in the order of its probabilities."""
    try:
        scorer = Scorer((folder / "model.onnx").read_bytes())
        labels = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise feedback.BadData(f"{error.filename}: cannot be read: {error.strerror}") from error
    except (BadModel, ValueError) as error:
        raise feedback.BadData(f"{folder}: {error}") from error
    width = scorer.probabilities([""]).shape[1]
    if not isinstance(labels, list) or len(labels) != width:
        raise feedback.BadData(f"{folder / 'labels.json'}: not a list of the model's {width} labels")
    return scorer, labels


def score(scorer: Scorer, labels: list[str], texts: list[str]) -> Iterator[tuple[str, str, float]]:
    """(text, label, probability of that label) for each text, in order."""
    for start in range(0, len(texts), ROWS_AT_ONCE):
        part = texts[start : start + ROWS_AT_ONCE]
        table = scorer.probabilities(part)
        for text, row in zip(part, table, strict=True):
            yield text, labels[row.argmax()], float(row.max())
        log.info("scored %d/%d", start + len(part), len(texts))


def main() -> None:
    args = parse()
    scorer, labels = load(args.model)
    texts = [text for (text,) in feedback.read(args.feedback, ("text",))]
    scores = list(score(scorer, labels, texts))
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "scores.csv").open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("text", "label", "probability"))
        writer.writerows((text, label, f"{probability:.4f}") for text, label, probability in scores)
    counts = Counter(label for _, label, _ in scores)
    summary = {
        "rows": len(scores),
        "labels": {label: counts[label] for label in labels},
        "mean_probability": sum(probability for *_, probability in scores) / len(scores),
        "uncertain": sum(probability < args.uncertain_below for *_, probability in scores),
        "uncertain_below": args.uncertain_below,
    }
    (args.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    log.info("%d rows: %s, %d uncertain", len(scores), summary["labels"], summary["uncertain"])
    shares = [point(f"share_{label}", counts[label] / len(scores)) for label in labels]
    uncertain = point("share_uncertain", summary["uncertain"] / len(scores))
    Tracker().report([*shares, uncertain], tags={"rows": len(scores)}, info={"summary": summary})


if __name__ == "__main__":
    logging.addLevelName(logging.WARNING, "WARN")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        main()
    except feedback.BadData as error:
        sys.stderr.write(f"ERROR {error}\n")
        sys.exit(2)
