"""Splits scikit-learn's handwritten digits into a part to learn from and a part to measure with."""

import argparse
import logging
import sys
from pathlib import Path

import arguments
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

log = logging.getLogger("prepare")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--validation-share", type=arguments.number(0.05, 0.5), default=0.2)
    parser.add_argument("--seed", type=arguments.whole(0, 2**31 - 1), default=7)
    return parser.parse_args()


def main() -> None:
    args = parse()
    digits = load_digits()
    pixels, labels = digits.data.astype(np.float32), digits.target.astype(np.int32)
    split = train_test_split(
        pixels, labels, test_size=args.validation_share, stratify=labels, random_state=args.seed
    )
    args.out.mkdir(parents=True, exist_ok=True)
    for part, images, truth in (("train", split[0], split[2]), ("validation", split[1], split[3])):
        # pixels: (n, 64) float32, 0 to 16, row by row from the top left; labels: (n,) int32, 0 to 9
        np.savez_compressed(args.out / f"{part}.npz", pixels=images, labels=truth)
        log.info("%s: %d images, %s of each digit", part, len(truth), np.bincount(truth).tolist())


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(levelname)s %(message)s")
    main()
