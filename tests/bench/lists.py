"""The lists of executions, deployments, artifacts and configurations at a million rows beside a thousand."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench import api, fill_deployments, stacks
from tests.bench.fill import OTHER_GROUPS, fill
from tests.bench.rows import Row, p50, p95, spread
from tests.e2e.main_job import Person
from tests.stack import Stack

HOW = """Two databases of one PostgreSQL server, filled by SQL: 1,000,000 and 1,000 executions in four
resource groups, nine of ten in the group that is looked at; 90% COMPLETED, 8% DEAD, 2% STOPPED, and seven
that are PENDING, RUNNING or STOPPING; a third of the completed ones have a model. The newest hundredth came
after the last vacuum. Beside them as many deployments, a third of them DEAD, nine of ten put away, which the
list shows only when asked for. Each page is asked 40 times, in turn between the two: in one process through
Django's test client (the figure: all that the server does for the page) and over HTTP from a running web
server. The deep pages are reached by a cursor in the middle and at the end of the list. The floor is the
page's main query alone, on the same connection. A text filter reads the newest 100,000 rows only, so it has
no ratio to keep. The ratio rows compare the same percentile at the two sizes; where the smaller has fewer
rows than a page shows, it has less to do and there is no ratio to keep. The AI API's list is asked over HTTP
by a client with a key, for 50 of the completed executions of one of three executables, each with its outputs,
and for 50 of the dead deployments that were not put away, each with its servers; its floor is the query of
the rows alone on a bare connection."""
LARGE, SMALL = 1_000_000, 1_000
REQUESTS = 40
TARGET_MS = 150.0
TEXT = "text filter"
LIST = f"{stacks.GROUP}/executions/"
DATASETS, CONFIGURATIONS = f"{stacks.GROUP}/datasets/", f"{stacks.GROUP}/configurations/"
DEPLOYMENTS = f"{stacks.GROUP}/deployments/"
# No list: it has queries of its own.
OVERVIEW, OVERVIEW_QUERIES = "overview", 12.0
DETAIL = "one execution"
LARGEST_KB = 100.0
# Of more rows there is more to count, up to 10,000, and more to choose the newest from.
COUNTING = {
    TEXT,
    OVERVIEW,
    "datasets, text",
    "datasets, label",
    "datasets, text, by size",
    "configurations, text",
    "deployments, text",
}


class Size:
    """One database: its web server, its probe and the addresses of the pages in it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        stack.web().close()
        self.person: Person = stacks.editor(f"http://127.0.0.1:{stack.port}")
        self.probe = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.probe"],
            cwd=stacks.ROOT,
            env=stack.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        middle, end = (_cursor(stack, part) for part in (0.5, 0.0001))
        deep = _cursor(stack, 0.5, "(SELECT * FROM mlops_artifact WHERE kind = 'dataset')")
        served = _cursor(stack, 0.5, "(SELECT * FROM mlops_deployment WHERE archived_at IS NULL)")
        self.pages = {
            "first page": LIST,
            "middle page": f"{LIST}?before={middle}",
            "last page": f"{LIST}?after={end}",
            "status COMPLETED": f"{LIST}?status=COMPLETED",
            "status COMPLETED, middle page": f"{LIST}?status=COMPLETED&before={middle}",
            "status DEAD": f"{LIST}?status=DEAD",
            "statuses DEAD, STOPPED": f"{LIST}?status=DEAD&status=STOPPED",
            "rare status STOPPING": f"{LIST}?status=STOPPING",
            "active statuses": f"{LIST}?status=PENDING&status=RUNNING&status=STOPPING",
            TEXT: f"{LIST}?q=sweep+7",
            "rare text": f"{LIST}?q=candidate+4207",
            "text that is nowhere": f"{LIST}?q=nowhere",
            "label": f"{LIST}?label=team%3Dvision",
            "by metric": f"{LIST}?sort=metric%3Aaccuracy",
            "metric above, by metric": f"{LIST}?metric=accuracy+%3E+0.9&sort=metric%3Aaccuracy",
            "metric above, COMPLETED, by metric": f"{LIST}?metric=accuracy+%3E+0.5&sort=metric%3Aaccuracy"
            "&status=COMPLETED",
            "metric above": f"{LIST}?metric=accuracy+%3E+0.9",
            "metric that few reach": f"{LIST}?metric=accuracy+%3E+0.9999",
            "metric that none reaches": f"{LIST}?metric=accuracy+%3E+2",
            "by duration": f"{LIST}?sort=duration",
            "by duration, DEAD": f"{LIST}?sort=duration&status=DEAD",
            "by name": f"{LIST}?sort=name",
            "by status": f"{LIST}?sort=status",
            "mine": f"{LIST}?by=%40me",
            "mine that are STOPPED": f"{LIST}?by=%40me&status=STOPPED",
            "of a scenario, 30 days": f"{LIST}?scenario=text-clf-tutorial&within=30d",
            "archived": f"{LIST}?archived=1",
            "datasets, first page": DATASETS,
            "datasets, middle page": f"{DATASETS}?before={deep}",
            "datasets, text": f"{DATASETS}?q=region+7",
            "datasets, rare text": f"{DATASETS}?q=batch+207",
            "datasets, text that is nowhere": f"{DATASETS}?q=nowhere",
            "datasets, label": f"{DATASETS}?label=stage%3Dgold",
            "datasets, newest of names": f"{DATASETS}?view=names",
            "datasets, by size": f"{DATASETS}?sort=size",
            "datasets, by name": f"{DATASETS}?sort=name",
            "datasets, text, by size": f"{DATASETS}?q=region+7&sort=size",
            "models, newest of names": f"{stacks.GROUP}/models/?view=names",
            "configurations, first page": CONFIGURATIONS,
            "configurations, text": f"{CONFIGURATIONS}?q=seed+7",
            "configurations, rare text": f"{CONFIGURATIONS}?q=trial+42",
            "configurations, of a scenario": f"{CONFIGURATIONS}?scenario=shell",
            "deployments, first page": DEPLOYMENTS,
            "deployments, middle page": f"{DEPLOYMENTS}?before={served}",
            "deployments, status DEAD": f"{DEPLOYMENTS}?status=DEAD",
            "deployments, put away": f"{DEPLOYMENTS}?archived=1",
            "deployments, text": f"{DEPLOYMENTS}?q=served+7",
            "deployments, text that is nowhere": f"{DEPLOYMENTS}?q=nowhere",
            OVERVIEW: f"{stacks.GROUP}/overview/",
            DETAIL: f"{LIST}{_completed(stack)}/",
        }

    def ask(self, page: str) -> dict[str, float]:
        """Ask for a page in the probe."""
        assert self.probe.stdin is not None
        assert self.probe.stdout is not None
        self.probe.stdin.write(json.dumps({"path": self.pages[page]}) + "\n")
        self.probe.stdin.flush()
        line = self.probe.stdout.readline()
        if not line:
            raise RuntimeError(f"The probe gave up on {page}; its words are above.")
        return json.loads(line)

    def fetch(self, page: str) -> float:
        """Ask for a page over HTTP; milliseconds."""
        began = time.perf_counter()
        self.person.get(self.pages[page])
        return (time.perf_counter() - began) * 1000

    def close(self) -> None:
        """End the probe; the stack ends with its own."""
        assert self.probe.stdin is not None
        self.probe.stdin.close()
        self.probe.wait(20)


def _completed(stack: Stack) -> str:
    """The key of the newest execution with an output and a metric."""
    found = stack.rows(
        "SELECT run.id FROM mlops_execution run "
        "JOIN resource_groups_resourcegroup place ON place.id = run.resource_group_id "
        "WHERE place.slug = 'tutorial' AND run.status = 'COMPLETED' "
        "AND EXISTS (SELECT 1 FROM mlops_artifact made WHERE made.execution_id = run.id) "
        "AND EXISTS (SELECT 1 FROM mlops_metricseries told WHERE told.execution_id = run.id) "
        "ORDER BY run.created_at DESC, run.id DESC LIMIT 1"
    )
    return found[0][0]


def _cursor(stack: Stack, part: float, table: str = "mlops_execution") -> str:
    """A place in a list of the table, counted from its old end, as the page's own links write it."""
    found = stack.rows(
        f"SELECT (extract(epoch FROM run.created_at) * 1000000)::bigint, run.id FROM {table} run "
        "JOIN resource_groups_resourcegroup place ON place.id = run.resource_group_id "
        "WHERE place.slug = 'tutorial' ORDER BY run.created_at, run.id "
        f"OFFSET floor(%s * (SELECT count(*) FROM {table} every)) LIMIT 1",
        part,
    )
    return f"{found[0][0]}.{found[0][1]}"


@contextlib.contextmanager
def _sizes() -> Iterator[dict[int, Size]]:
    with stacks.servers() as place, contextlib.ExitStack() as ending:
        sizes = {}
        for total in (SMALL, LARGE):
            stack = ending.enter_context(stacks.production(*place, name=f"rows{total}"))
            fill(stack.database, total)
            fill_deployments.fill(stack.database, total, OTHER_GROUPS)
            sizes[total] = Size(stack)
            ending.callback(sizes[total].close)
        yield sizes


def measure() -> list[Row]:
    """For each page its time at a million rows and how that compares; then the number of queries."""
    rows: list[Row] = []
    queries: dict[str, float] = {}
    weights: dict[str, float] = {}
    with _sizes() as sizes:
        for page in sizes[LARGE].pages:
            inside: dict[int, list[dict[str, float]]] = {LARGE: [], SMALL: []}
            outside: dict[int, list[float]] = {LARGE: [], SMALL: []}
            for turn in range(REQUESTS + 3):
                for total, size in sizes.items():
                    answer, over_http = size.ask(page), size.fetch(page)
                    # The first three fill caches.
                    if turn >= 3:
                        inside[total].append(answer)
                        outside[total].append(over_http)
            queries[page] = max(answer["queries"] for answers in inside.values() for answer in answers)
            weights[page] = inside[LARGE][0]["bytes"] / 1000
            rows += _rows(page, inside, outside)
        rows += api.listing(sizes[LARGE].stack)
    rows.append(Row("overview, queries", queries.pop(OVERVIEW), "", OVERVIEW_QUERIES))
    rows.append(Row("one execution, queries", queries.pop(DETAIL), "", None))
    most = max(queries, key=lambda page: queries[page])
    rows.append(Row("list, queries a page, the most", queries[most], "", 8.0, note=most))
    heaviest = max(weights, key=lambda page: weights[page])
    rows.append(Row("list, HTML of a page, the most", weights[heaviest], "KB", LARGEST_KB, note=heaviest))
    return rows


def _rows(page: str, inside: dict[int, list[dict[str, float]]], outside: dict[int, list[float]]) -> list[Row]:
    took = {total: [answer["ms"] for answer in answers] for total, answers in inside.items()}
    main = p95([answer["main_ms"] for answer in inside[LARGE]])
    database = p50([answer["sql_ms"] for answer in inside[LARGE]])
    size = inside[LARGE][0]["bytes"] / 1000
    note = (
        f"{spread(took[LARGE], 'ms')}, of it {database:.1f} ms in the database; {size:.0f} KB; "
        f"over HTTP {spread(outside[LARGE], 'ms')}"
    )
    ratio = p95(took[LARGE]) / p95(took[SMALL])
    inner, outer = (_ratios(times[LARGE], times[SMALL]) for times in (took, outside))
    others = f"{inner}; over HTTP {outer}; at 1,000 rows {spread(took[SMALL], 'ms')}"
    # Where a filter leaves less of 1,000 rows than a page shows, that page is less work.
    is_alike = inside[SMALL][0]["bytes"] > 0.9 * inside[LARGE][0]["bytes"]
    same = 1.5 if is_alike and page not in COUNTING else None
    return [
        Row(f"list, {page}, 1,000,000 rows, p95", p95(took[LARGE]), "ms", TARGET_MS, main, note),
        Row(f"list, {page}, 1,000,000 ÷ 1,000 rows, p95", ratio, "×", same, note=others),
    ]


def _ratios(large: list[float], small: list[float]) -> str:
    return f"p50 {p50(large) / p50(small):.2f} ×, p95 {p95(large) / p95(small):.2f} ×"
