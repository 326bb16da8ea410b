"""The beat rings on, whatever becomes of the host's clock."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery

from launchpad import beats
from launchpad.beats import EverySecond, SteadyScheduler
from launchpad.celery import app as product

BEGIN = datetime(2026, 3, 29, 0, 59, 58, 400_000, tzinfo=UTC)


class App(Celery):
    """An app whose clock, as the host's, stands where the test puts it."""

    at = BEGIN

    def now(self):
        return self.at


class Monotonic:
    """The clock that nobody puts."""

    seconds = 1000.0

    def monotonic(self):
        return self.seconds


class Beat(SteadyScheduler):
    """Notes what it would send."""

    def __init__(self, *args, **kwargs):
        self.rung = []
        super().__init__(*args, **kwargs)

    def apply_entry(self, entry, producer=None):
        self.rung.append((entry.name, self.app.now()))


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes a beat of two entries, and lets time pass for it."""
    steady, beats_made = Monotonic(), []
    monkeypatch.setattr(beats, "time", steady)

    def made(at=BEGIN):
        app = App("beats", broker="memory://", set_as_current=False)
        app.conf.update(
            timezone="UTC",
            beat_schedule={
                "tick": {"task": "tick", "schedule": EverySecond()},
                "sweep": {"task": "sweep", "schedule": 5.0},
            },
        )
        app.at = at
        # What is read back from the beat's file asks the current app for the time.
        app.set_current()
        beats_made.append(Beat(app, schedule_filename=str(tmp_path / "beat")))
        return beats_made[-1]

    def passes(beat, seconds, put=0):
        """So many seconds pass, in which the clock was put by so much at first; how often each rang."""
        beat.app.at += timedelta(seconds=put)
        beat.rung.clear()
        end = steady.seconds + seconds
        while steady.seconds < end:
            # Beat sleeps at least a little.
            wait = min(max(beat.tick(), 0.0001), end - steady.seconds)
            steady.seconds += wait
            beat.app.at += timedelta(seconds=wait)
        return Counter(name for name, _ in beat.rung)

    made.passes = passes
    yield made
    for beat in beats_made:
        beat.close()
    product.set_current()


@pytest.mark.parametrize("put", [0, 3600, -3600, -86400, 7, -7])
def test_a_clock_that_is_put_changes_nothing_about_how_often_it_rings(make, put):
    beat = make()
    make.passes(beat, 12)
    rung = make.passes(beat, 20, put=put)
    assert 19 <= rung["tick"] <= 22
    assert 3 <= rung["sweep"] <= 5
    seconds = [moment.replace(microsecond=0) for name, moment in beat.rung if name == "tick"]
    assert len(seconds) - len(set(seconds)) <= 1


def test_a_beat_that_starts_before_what_it_remembers_rings_at_once(make):
    beat = make()
    make.passes(beat, 12)
    beat.sync()
    again = make(at=BEGIN - timedelta(hours=1))
    rung = make.passes(again, 20)
    assert 19 <= rung["tick"] <= 22 and 3 <= rung["sweep"] <= 5


def test_the_product_s_beat_is_this_one():
    assert product.conf.beat_scheduler == "launchpad.beats:SteadyScheduler"
    assert isinstance(product.conf.beat_schedule["tick"]["schedule"], EverySecond)
