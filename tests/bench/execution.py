"""The page of one execution with a very long log and a very long series, on PostgreSQL."""

from __future__ import annotations

import html
import re
import time

import psycopg

from tests.bench import stacks
from tests.bench.rows import Row, p95, spread
from tests.e2e.main_job import Person

HOW = """One execution that has ended, with a log of 5,000,000 lines in 6,250 chunks and a metric series of
1,000,000 points in which one is far above all others, filled by SQL. Pages are asked over HTTP from a running
web server, 15 times each. The rare text is in one line, four fifths down; the common one in every line. The
whole search is the page's own request for the rest of it, once each; what is counted in several requests adds
up. The chart's page is measured with one chart on it; its data is what the page holds for the script."""
LINES, CHUNK = 5_000_000, 800
POINTS = 1_000_000
SPIKE = 123_456.0
RARE = 4_000_000
TIMES = 15
LOG = """
INSERT INTO mlops_logchunk (
    execution_id, attempt, step, seq, first_line, line_count, at, text, offsets, stderr)
SELECT %(run)s, 1, 0, n, 1 + n * %(size)s, %(size)s, now() + n * interval '2 s',
       (SELECT string_agg('INFO step ' || n * %(size)s + i + 1 || ' loss ' || round(1.0 / (1 + n), 6)
                          || ' seen '
                          || (n * 7919 + i * 104729) %% 1000003
                          || CASE WHEN n * %(size)s + i + 1 = %(rare)s THEN ' haystack needle' ELSE '' END,
                          E'\\n' ORDER BY i) FROM generate_series(0, %(size)s - 1) i),
       (SELECT jsonb_agg(i * 2 ORDER BY i) FROM generate_series(0, %(size)s - 1) i), '[]'
FROM generate_series(0, %(chunks)s - 1) n
"""
END = """
UPDATE mlops_execution SET status = 'COMPLETED', attempt = 1, started_at = created_at, completed_at = now()
WHERE id = %(run)s
"""
SERIES = """
INSERT INTO mlops_metricseries ({columns})
SELECT {values} FROM mlops_execution run WHERE run.id = %(run)s RETURNING id
"""
SPIKED = """
INSERT INTO mlops_metricpoint (series_id, step, has_step, recorded_at, value, kind)
SELECT %(series)s, n, true, now() + n * interval '1 s',
       CASE WHEN n = 777777 THEN %(spike)s ELSE 1.0 / (1 + n) END, ''
FROM generate_series(1, %(points)s) n
"""


def measure() -> list[Row]:
    """Log and chart."""
    with stacks.servers() as place, stacks.production(*place, name="execution") as stack:
        run = stack.do("submit", executable="shell-run", SCRIPT="true")
        fill(stack.database, run)
        stack.web().close()
        person = stacks.editor(f"http://127.0.0.1:{stack.port}")
        page = f"{stacks.GROUP}/executions/{run}/"
        return [*_log(person, page), *_chart(person, page)]


def fill(database: str, run: str) -> None:
    """End the execution and give it its log and its series."""
    told = {
        "execution_id": "run.id",
        "resource_group_id": "run.resource_group_id",
        "name": "'spiked'",
        "labels": "'[]'",
        "labels_digest": "''",
        "last": "0.5",
        "last_step": f"{POINTS}",
        "last_at": "now()",
        "minimum": "0",
        "maximum": f"{SPIKE}",
        "count": f"{POINTS}",
        "nan_count": "0",
        "modified_at": "now()",
    }
    with psycopg.connect(database, autocommit=True) as connection:
        known = connection.execute("SELECT * FROM mlops_metricseries LIMIT 0").description or ()
        told = {name: value for name, value in told.items() if name in {column.name for column in known}}
        log = {"run": run, "size": CHUNK, "chunks": LINES // CHUNK, "rare": RARE}
        connection.execute(END, {"run": run})
        connection.execute(LOG, log)
        series = SERIES.format(columns=", ".join(told), values=", ".join(told.values()))
        key = connection.execute(series, {"run": run}).fetchone()
        assert key is not None
        connection.execute(SPIKED, {"series": key[0], "spike": SPIKE, "points": POINTS})
        connection.execute("VACUUM (ANALYZE) mlops_logchunk, mlops_metricpoint, mlops_metricseries")


def _asked(person: Person, address: str) -> tuple[list[float], str]:
    """Milliseconds of each time, and the page."""
    took, shown = [], ""
    for _ in range(TIMES + 2):
        began = time.perf_counter()
        shown = person.get(address)
        took.append((time.perf_counter() - began) * 1000)
    # The first two fill caches.
    return took[2:], shown


def _log(person: Person, page: str) -> list[Row]:
    rows = []
    for name, query, sign in (
        ("open the end", "tab=logs", f"L1-0-{LINES}"),
        ("open at a line in the middle", "tab=logs&at=1.0.2500000", "L1-0-2500000"),
        ("first hits of a common text", "tab=logs&find=loss", "L1-0-500"),
        ("first answer to a rare text", "tab=logs&find=needle", "is being searched"),
    ):
        took, shown = _asked(person, f"{page}?{query}")
        if sign not in shown:
            raise RuntimeError(f"The page of {query} does not show {sign}.")
        rows.append(
            Row(f"log of 5,000,000 lines, {name}, p95", p95(took), "ms", 300.0, note=spread(took, "ms"))
        )
    for name, text, count in (("rare", "needle", "1 line"), ("common", "loss", "5,000,000 lines")):
        seconds, requests = _whole(person, page, text, count)
        note = f"in {requests} request{'s' if requests > 1 else ''}"
        rows.append(
            Row(f"log of 5,000,000 lines, whole search of a {name} text", seconds, "s", 4.0, note=note)
        )
    return rows


def _whole(person: Person, page: str, text: str, count: str) -> tuple[float, int]:
    """How long the page's requests for the rest of a search take together, and how many they are."""
    shown, took, requests = person.get(f"{page}?tab=logs&find={text}"), 0.0, 0
    while found := re.search(r'hx-get="([^"]+)" hx-trigger="load" hx-target="#([\w-]+)"', shown):
        headers = {"HX-Request": "true", "HX-Target": found[2]}
        began = time.perf_counter()
        answer = person.http.get(f"{page}{html.unescape(found[1])}", headers=headers)
        took += time.perf_counter() - began
        requests += 1
        answer.raise_for_status()
        shown = answer.text
    if f"{count} found<" not in shown:
        raise RuntimeError(f"The search for {text} did not come to its end.")
    return took, requests


def _chart(person: Person, page: str) -> list[Row]:
    began = time.perf_counter()
    person.get(f"{page}?tab=metrics")
    first = (time.perf_counter() - began) * 1000
    took, shown = _asked(person, f"{page}?tab=metrics")
    data = re.search(r'<div id="chart-metric-0-data" hidden>(.*?)</div>', shown)
    if data is None or str(SPIKE) not in data[1]:
        raise RuntimeError("The spike is not on the chart.")
    size = len(html.unescape(data[1]).encode()) / 1000
    return [
        Row("chart of 1,000,000 points, its page, the very first time", first, "ms", 300.0),
        Row("chart of 1,000,000 points, its page, p95", p95(took), "ms", 300.0, note=spread(took, "ms")),
        Row("chart of 1,000,000 points, its data", size, "KB", 100.0, note="the spike is among it"),
    ]
