"""A comparison of 50 executions with curves, and what it weighs."""

from __future__ import annotations

import json
import subprocess
import sys

import psycopg

from tests.bench import stacks
from tests.bench.fill import fill
from tests.bench.rows import Row, p50, p95, spread
from tests.stack import Stack

HOW = """One PostgreSQL database with 20,000 executions, filled by SQL. The 50 that are compared have twelve
metrics each: eleven of 20 values and one, accuracy, of 10,000, half a million points in all. Each page is
asked 14 times in one process through Django's test client: everything that the server does for it. No curve
is kept between requests; the very first time is told in the notes, the first two, which fill caches of the
process and the server, do not count for the figure. Executions are found by their keys, so that how many
others there are does not count; the floor is the slowest query of the page alone. A page is told in kilobytes
as it leaves the server, before compression."""
ROWS, COMPARED, REQUESTS = 20_000, 50, 12
TARGET_MS, TARGET_KB = 500.0, 700.0
PAGE = f"{stacks.GROUP}/compare/executions"
KEYS = """
SELECT run.id FROM mlops_execution run
JOIN resource_groups_resourcegroup place ON place.id = run.resource_group_id AND place.slug = 'tutorial'
WHERE run.status = 'COMPLETED' ORDER BY run.created_at DESC, run.id DESC LIMIT %s
"""
# What they have from the filling would be found under the same names.
FORGET = (
    "DELETE FROM mlops_metricpoint WHERE series_id IN "
    "(SELECT id FROM mlops_metricseries WHERE execution_id = ANY(%s))",
    "DELETE FROM mlops_metricseries WHERE execution_id = ANY(%s)",
)
SERIES = """
INSERT INTO mlops_metricseries (resource_group_id, execution_id, name, labels, labels_digest, last, last_step,
    last_at, minimum, maximum, count, nan_count, modified_at)
SELECT run.resource_group_id, run.id, kind.name, '[]', '',
       0.5 + (hashtext(run.id || kind.name) %% 1000) / 2500.0, kind.count, now(), 0, 1, kind.count, 0, now()
FROM mlops_execution run,
     (SELECT 'metric ' || n AS name, 20 AS count FROM generate_series(1, 11) n
      UNION ALL SELECT 'accuracy', 10000) kind
WHERE run.id = ANY(%s)
"""
POINTS = """
INSERT INTO mlops_metricpoint (series_id, step, has_step, recorded_at, value, kind)
SELECT series.id, n, true, run.started_at + interval '10 ms' * n,
       1 - exp(-n * 8.0 / series.count) + (hashtext(series.id || 'x' || n) %% 100) / 5000.0, ''
FROM mlops_metricseries series JOIN mlops_execution run ON run.id = series.execution_id,
     LATERAL generate_series(1, series.count) n
WHERE series.execution_id = ANY(%s)
"""


def _pages(stack: Stack) -> dict[str, str]:
    """Give the newest executions their metrics; pages that compare them."""
    with psycopg.connect(stack.database, autocommit=True) as connection:
        keys = [key for (key,) in connection.execute(KEYS, [COMPARED]).fetchall()]
        for statement in (*FORGET, SERIES, POINTS):
            connection.execute(statement, [keys])
        connection.execute("VACUUM (ANALYZE) mlops_metricseries, mlops_metricpoint")
    query = "&".join(f"id={key}" for key in keys)
    return {
        "curves by step": f"{PAGE}?{query}&chart=curves&metric=accuracy",
        "curves by time": f"{PAGE}?{query}&chart=curves&metric=accuracy&x=time",
        "short curves, all rows": f"{PAGE}?{query}&chart=curves&metric=metric+1&all=1",
        "heat map": f"{PAGE}?{query}&chart=heatmap",
        "parallel coordinates": f"{PAGE}?{query}&chart=parallel",
    }


def measure() -> list[Row]:
    """For each chart the time of its page; then the largest page and the most queries."""
    rows: list[Row] = []
    largest, queries = ("", 0.0), ("", 0.0)
    with stacks.servers() as place, stacks.production(*place, name="compare") as stack:
        stack.web().close()
        stacks.editor(f"http://127.0.0.1:{stack.port}")
        fill(stack.database, ROWS)
        pages = _pages(stack)
        probe = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.probe"],
            cwd=stacks.ROOT,
            env=stack.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for page, path in pages.items():
            first, _, *answers = [_ask(probe, path) for _ in range(REQUESTS + 2)]
            took = [answer["ms"] for answer in answers]
            size, asked = answers[0]["bytes"] / 1000, answers[0]["queries"]
            database = p50([answer["sql_ms"] for answer in answers])
            note = (
                f"{spread(took, 'ms')}, of it {database:.1f} ms in the database; "
                f"the very first time {first['ms']:.0f} ms, {first['sql_ms']:.0f} in the database; "
                f"{size:.0f} KB; {asked:.0f} queries"
            )
            floor = p95([answer["main_ms"] for answer in answers])
            rows.append(Row(f"compare {COMPARED}, {page}, p95", p95(took), "ms", TARGET_MS, floor, note))
            largest = max(largest, (page, size), key=_second)
            queries = max(queries, (page, asked), key=_second)
        assert probe.stdin is not None
        probe.stdin.close()
        probe.wait(20)
    rows.append(Row(f"compare {COMPARED}, largest page", largest[1], "KB", TARGET_KB, note=largest[0]))
    rows.append(Row(f"compare {COMPARED}, queries, the most", queries[1], "", 16.0, note=queries[0]))
    return rows


def _second(pair: tuple[str, float]) -> float:
    return pair[1]


def _ask(probe: subprocess.Popen[str], path: str) -> dict[str, float]:
    assert probe.stdin is not None
    assert probe.stdout is not None
    probe.stdin.write(json.dumps({"path": path}) + "\n")
    probe.stdin.flush()
    line = probe.stdout.readline()
    if not line:
        raise RuntimeError(f"The probe gave up on {path[:60]}…; its words are above.")
    found: dict[str, float] = json.loads(line)
    return found
