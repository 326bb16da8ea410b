"""What every served model offers, and where its file lies."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from refusals import BadModel
from tensors import Spec

log = logging.getLogger("server")
MOST_NAMED = 10


class Model(Protocol):
    """A loaded model. file: what it was read from; labels: names of the columns of its probabilities.

    lonely: it cannot run in two threads at once.
    """

    file: Path
    platform: str
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]
    labels: tuple[str, ...]
    lonely: bool

    def run(self, arrays: Mapping[str, np.ndarray], wanted: Sequence[str]) -> list[np.ndarray]:
        """The wanted outputs of arrays that fit the inputs. Raises Refused."""


def find(place: Path, endings: tuple[str, ...], preferred: tuple[str, ...]) -> Path:
    """The model's file: `place` itself, or the one below it that ends so. Raises BadModel.

    Of several, one of the preferred names wins, the earlier name first, if it is there just once. Hidden
    files, and links that lead out of the folder, do not count.
    """
    if place.is_file():
        return place
    if not place.is_dir():
        raise BadModel(f"{place}: there is no such file or folder.")
    top = place.resolve()
    found = sorted(
        path
        for path in place.rglob("*")
        if path.suffix.lower() in endings
        and path.is_file()
        and path.resolve().is_relative_to(top)
        and not any(part.startswith(".") for part in path.relative_to(place).parts)
    )
    if not found:
        raise BadModel(f"{place.name}: the folder holds no file that ends in {' or '.join(endings)}.")
    for name in preferred if len(found) > 1 else ():
        named = [path for path in found if path.name == name]
        if len(named) == 1:
            return named[0]
    if len(found) > 1:
        names = ", ".join(str(path.relative_to(place)) for path in found[:MOST_NAMED])
        more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise BadModel(
            f"Several files could be the model: {names}{more}. Name the one to serve {preferred[0]}."
        )
    return found[0]


def read_labels(file: Path) -> tuple[str, ...]:
    """What labels.json beside the model lists; nothing, with a line in the log, where it lists no texts."""
    path = file.with_name("labels.json")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        log.warning("labels.json is ignored: %s", error)
        return ()
    if not isinstance(found, list) or not all(isinstance(one, str | int) for one in found):
        log.warning("labels.json is ignored: it is not a JSON list of labels")
        return ()
    return tuple(map(str, found))
