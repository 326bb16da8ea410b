"""The log on an execution's page: hits, surroundings of a line, filters, downloads."""

import html
import re
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mlops.lifecycle import Status
from mlops.models import LogChunk
from tests.mlops import factories
from tests.mlops.domain.test_log_search import START, long_log, write

pytestmark = pytest.mark.database
LIST = "/w/north/g/red/executions/"


@pytest.fixture
def run(red):
    """An execution that has ended."""
    return factories.execution(factories.configuration(red), status=Status.COMPLETED)


@pytest.fixture
def browser(viewer, browse):
    """A viewer's."""
    return browse(viewer)


def page(browser, row, fragment="", **query):
    headers = {"hx-request": "true", "hx-target": fragment} if fragment else {}
    response = browser.get(f"{LIST}{row.pk}/", {"tab": "logs", **query}, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def numbers(shown):
    return [int(number) for number in re.findall(r'<li id="L\d+-\d+-(\d+)"', shown)]


def follow(shown, words):
    """The address of the link or button that bears these words, as query parameters."""
    address = html.unescape(re.search(rf'href="\?([^"#]*)[^"]*"[^>]*>{words}<', shown)[1])
    return dict(parse_qsl(address))


def test_hits_are_counted_to_the_end_of_the_log_behind_the_page(run, browser):
    long_log(run, 100)
    shown = page(browser, run, find="line")
    assert numbers(shown) == list(range(1, 501))
    assert "500 lines found in the first 500; the rest is being searched" in shown
    address = html.unescape(
        re.search(r'hx-get="\?([^"]*)" hx-trigger="load" hx-target="#log-found"', shown)[1]
    )
    rest = browser.get(
        f"{LIST}{run.pk}/?{address}", headers={"hx-request": "true", "hx-target": "log-found"}
    ).content.decode()
    assert rest.lstrip().startswith('<div class="row meta found" id="log-found"')
    assert "1,000 lines found<" in rest and "hx-get" not in rest
    more = page(browser, run, **follow(shown, "More hits"))
    assert numbers(more) == list(range(501, 1001))


def test_a_rare_hit_is_looked_for_behind_the_page(run, browser, monkeypatch):
    long_log(run, 100)
    monkeypatch.setattr("mlops.domain.log_search.AT_ONCE_SECONDS", 0)
    shown = page(browser, run, find="line 777")
    assert numbers(shown) == []
    assert "No hit so far." in shown and 'hx-target="#log-body"' in shown
    body = page(browser, run, "log-body", **follow(shown, "Search on"))
    assert body.lstrip().startswith('<div id="log-body"') and "<html" not in body
    assert numbers(body) == [777] and "1 line found<" in body
    assert "<mark>line 777</mark> of many" in body


def test_a_line_is_shown_among_its_neighbours(run, browser):
    long_log(run, 100)
    hits = page(browser, run, find="line 777", whole="1")
    shown = page(browser, run, **follow(hits, "777"))
    assert numbers(shown) == list(range(677, 1001))
    assert '<li id="L1-0-777" data-level="INFO" class="here">' in shown and "<mark>" in shown
    assert "Previous hit" in shown and "Next hit" in shown
    assert numbers(page(browser, run, at="5")) == list(range(1, 405))
    earlier = page(browser, run, **follow(shown, "Earlier lines"))
    assert numbers(earlier) == list(range(177, 677))
    assert numbers(page(browser, run, **follow(earlier, "Later lines"))) == list(range(677, 1001))


@pytest.mark.parametrize(
    ("query", "to"),
    [
        ({"find": "line 77"}, "find=line+77&at=1.0.77#L1-0-77"),
        ({"find": "line 77", "from": "1.0.77"}, "find=line+77&at=1.0.770#L1-0-770"),
        ({"find": "line 77", "from": "1.0.770", "go": "previous"}, "find=line+77&at=1.0.77#L1-0-77"),
        ({"find": "line 77", "from": "1.0.77", "go": "previous"}, "find=line+77&at=1.0.77"),
        ({"level": "ERROR"}, "level=ERROR"),
        ({"find": "nothing", "from": "x"}, "find=nothing"),
    ],
)
def test_hits_lead_to_each_other(run, browser, query, to):
    long_log(run, 100)
    response = browser.get(f"{LIST}{run.pk}/log/seek", query)
    assert (response.status_code, response["Location"]) == (303, f"{LIST}{run.pk}/?tab=logs&{to}")
    shown = page(browser, run)
    assert ("No hit" in shown or "No line of the log fits" in shown) == ("#" not in to)


def test_the_first_error_is_one_link_away(run, browser):
    write(run, "begins", "the error_rate is 0", "KeyError: 'x'", "ERROR again")
    link = re.search(r'href="([^"]+)">First error<', page(browser, run))[1]
    assert browser.get(link)["Location"].endswith("?tab=logs&level=ERROR&at=1.0.3#L1-0-3")


def test_filters_of_level_and_time(run, browser):
    write(run, "begins", "WARN low", "ERROR high", "ends")
    assert numbers(page(browser, run, level="ERROR")) == [3]
    assert numbers(page(browser, run, level="WARN")) == [2, 3]
    shown = page(browser, run, since=f"{START:%Y-%m-%dT%H:%M:%S}", until=f"{START:%Y-%m-%dT%H:%M}:01")
    assert numbers(shown) == [1, 2]
    assert f'value="{START:%Y-%m-%dT%H:%M:%S}"' in shown


@pytest.mark.parametrize(
    "query",
    [
        {"since": "yesterday"},
        {"since": "0001-01-01T00:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"since": "\x00"},
        {"at": "<b>"},
        {"at": "9" * 400},
    ],
)
def test_what_makes_no_sense_is_left_out_with_a_word(run, browser, query):
    write(run, "a", "b")
    shown = page(browser, run, **query)
    assert numbers(shown) == [1, 2]
    assert 'data-kind="warn"' in shown and "<b>" not in shown.partition('data-kind="warn"')[2][:200]


@pytest.mark.parametrize(
    "query",
    [
        {"level": "LOUD"},
        {"part": "x.y"},
        {"part": "1"},
        {"hits_after": "x"},
        {"lines_after": "1.1"},
        {"find": "\x00\n\x00"},
        {"whole": "x", "seen": "y", "seen_hits": "z"},
        {"seen": "1.0.1", "seen_hits": "9" * 30, "seen_lines": "-1"},
    ],
)
def test_other_nonsense_shows_the_end_of_the_log(run, browser, query):
    write(run, "a", "b")
    assert numbers(page(browser, run, **query)) == [1, 2]


def test_hits_are_text(run, browser):
    write(run, "<script>alert(1)</script>", "a & b <i>", "İstanbul ﬁne")
    shown = page(browser, run, find="<SCRIPT>")
    assert "<mark>&lt;script&gt;</mark>alert(1)&lt;/script&gt;" in shown
    assert "<script>alert" not in shown
    assert numbers(page(browser, run, find="stanbul")) == [3]


def test_one_step_is_chosen_searched_and_downloaded(run, browser):
    write(run, "a needle", step=0)
    write(run, "b needle", step=1)
    assert len(numbers(page(browser, run))) == 2
    shown = page(browser, run, part="1.1", find="needle")
    assert "b <mark>needle</mark>" in shown and "a <mark>" not in shown
    link = html.unescape(re.search(r'href="([^"]+)" download', shown)[1])
    response = browser.get(link)
    assert f'filename="{run.pk}-1-1.log"' in response["Content-Disposition"]
    log = b"".join(response.streaming_content).decode()
    assert "b needle\n" in log and "a needle" not in log
    assert b"".join(browser.get(f"{LIST}{run.pk}/log", {"part": "<"}).streaming_content).count(b"\n") == 2


def test_cost_does_not_grow_with_the_log(run, browser):
    counts = []
    for chunks in (3, 300):
        LogChunk.unscoped.all().delete()
        long_log(run, chunks)
        found = []
        for query in ({}, {"find": "line 2 "}, {"at": "1.0.9"}):
            with CaptureQueriesContext(connection) as queries:
                page(browser, run, **query)
            found.append(len(queries))
        counts.append(found)
    assert counts[1][0] <= counts[0][0] <= 30
    # A window of the search is 32 chunks; a line is found by halving.
    assert counts[1][1] <= counts[0][1] + 10 and counts[1][2] <= counts[0][2] + 10
