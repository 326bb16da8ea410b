"""An attempt's folder goes completely, whatever a step left in it, and nothing else goes with it."""

import os
import socket
from pathlib import Path

import pytest

from mlops.domain import workplaces

DEPTH = 3000


@pytest.fixture(autouse=True)
def data(settings, tmp_path) -> Path:
    """A data folder of its own."""
    settings.LAUNCHPAD_DATA = tmp_path
    return tmp_path


def dig(top: Path) -> None:
    """Folders within folders, deeper than any path can name."""
    folder = os.open(top, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=folder)
        below = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)


def test_a_tree_of_any_depth_goes():
    place = workplaces.make("e0123456789abcde", 1)
    dig(place)
    workplaces.remove(place)
    assert not place.exists()


def test_a_made_place_is_empty_whatever_was_there():
    dig(workplaces.make("e0123456789abcde", 1))
    assert list(workplaces.make("e0123456789abcde", 1).iterdir()) == []


def test_what_a_step_has_closed_goes_too():
    place = workplaces.make("e0123456789abcde", 1)
    (place / "closed" / "inner").mkdir(parents=True)
    (place / "closed" / "inner" / "file").touch()
    (place / "closed" / "inner").chmod(0)
    (place / "closed").chmod(0)
    workplaces.remove(place)
    assert not place.exists()


def test_what_a_link_leads_to_stays(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o700)
    (kept / "file").touch()
    place = workplaces.make("e0123456789abcde", 1)
    (place / "link").symlink_to(kept)
    workplaces.remove(place)
    assert not place.exists()
    assert (kept / "file").exists()


def test_a_deep_tree_of_a_dead_worker_keeps_no_other_from_starting(data):
    left = data / "work" / f"{socket.gethostname()}-{os.getpid()}"
    left.mkdir(parents=True)
    dig(left)
    workplaces.clear_abandoned()
    assert not left.exists()
