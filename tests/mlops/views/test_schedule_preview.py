"""The next runs: in words, in three clocks, with what summer time makes of them."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from mlops.domain.timings import Timing
from mlops.views.schedule_preview import Upcoming

BERLIN = "Europe/Berlin"


def upcoming(cron, now, *, zone=BERLIN, **more):
    return Upcoming(Timing(cron, zone=zone, **more), datetime(*now, tzinfo=UTC))


class TestUpcoming:
    def test_ten_runs_in_words_and_in_three_clocks(self):
        found = upcoming("0 6 * * *", (2026, 3, 28, 12))
        assert found.words == "At 06:00 every day."
        assert len(found.runs) == 10 and not found.is_last
        first = found.runs[0]
        assert (first.local, first.utc) == ("Sun 29 Mar 2026, 06:00 CEST", "Sun 29 Mar 2026, 04:00 UTC")
        assert first.at == datetime(2026, 3, 29, 4, tzinfo=UTC)
        with timezone.override("Asia/Tokyo"):
            assert found.reader_zone == "Asia/Tokyo"

    def test_a_time_that_does_not_exist_is_marked(self):
        runs = upcoming("30 2 * * *", (2026, 3, 28, 12)).runs
        assert runs[0].local == "Sun 29 Mar 2026, 03:00 CEST"
        assert runs[0].remark.startswith("02:30 does not exist: the clock jumps forward.")
        assert not any(run.remark for run in runs[1:])

    def test_a_time_that_comes_twice_is_marked(self):
        runs = upcoming("30 2 * * *", (2026, 10, 24, 12)).runs
        assert runs[0].utc == "Sun 25 Oct 2026, 00:30 UTC"
        assert runs[0].remark.startswith("02:30 comes twice: the clock is put back.")
        assert not any(run.remark for run in runs[1:])

    def test_its_end_is_told(self):
        found = upcoming("0 6 * * *", (2026, 3, 1), end=datetime(2026, 3, 3, 12, tzinfo=UTC))
        assert len(found.runs) == 3 and found.is_last

    def test_a_single_moment(self):
        found = Upcoming(
            Timing(once_at=datetime(2026, 3, 1, 5, 0, 7, tzinfo=UTC)), datetime(2026, 1, 1, tzinfo=UTC)
        )
        assert found.words == "Once."
        assert [run.local for run in found.runs] == ["Sun 1 Mar 2026, 05:00:07 UTC"]
        assert found.is_last

    @pytest.mark.parametrize(
        ("cron", "said"),
        [
            ("* * * * *", "It runs more often than every 5 minutes."),
            ("1,3 6 * * *", "It runs more often than every 5 minutes."),
            ("*/5 * * * *", ""),
            ("0 0 29 2 *", ""),
        ],
    )
    def test_what_may_not_be_meant(self, cron, said):
        assert upcoming(cron, (2026, 1, 1)).warning == said
