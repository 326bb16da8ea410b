"""What several pages of ML operations are tested with."""

import pytest

from tests.mlops import factories
from tests.mlops.views.comparing import run


@pytest.fixture
def three(red):
    """Three executions of one executable and dataset."""
    shared = {"version": factories.catalog_version(red), "data": factories.artifact(red)}
    return [
        run(red, name="base", epochs="3", seconds=60, accuracy=[0.5, 0.8], loss=0.4, **shared),
        run(red, name="longer", epochs="9", seconds=167, accuracy=[0.6, 0.9], loss=0.2, **shared),
        run(red, name="other", epochs="3", seconds=60, accuracy=[0.4, 0.7], loss=0.4, **shared),
    ]


@pytest.fixture(autouse=True)
def _patient_search(monkeypatch):
    """A search of a log ends with its limit or the log, on a slow machine too; tests of its time set it."""
    monkeypatch.setattr("mlops.domain.log_search.AT_ONCE_SECONDS", 60)
    monkeypatch.setattr("mlops.views.log_panel.SLICE_SECONDS", 60)
