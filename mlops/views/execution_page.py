"""What the page of one execution shows; each query runs when a template first asks for its result."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import (
    artifacts,
    catalog,
    configurations,
    execution_changes,
    executions,
    log_search,
    logs,
    metrics,
    run_environments,
    schedule_runs,
    watching,
)
from mlops.domain.log_lines import Line
from mlops.domain.log_search import Wanted
from mlops.lifecycle import ACTIVE, Status
from mlops.views import api_calls, lineage
from mlops.views.custom_info import CustomInfo
from mlops.views.discussion import Discussion
from mlops.views.execution_charts import CONTENT_SECURITY, Charts
from mlops.views.lineage_graph import Lineage
from mlops.views.log_panel import LogPanel
from mlops.views.step_graph import GROUPS, StepGraph

_LONGEST_INDEX = 6
_LONGEST_SEARCH = 100
MOST_SERIES = 500
WITH_CHARTS = ("overview", "metrics")
TABS = (
    ("overview", "Overview"),
    ("metrics", "Metrics"),
    ("logs", "Logs"),
    ("artifacts", "Inputs and outputs"),
    ("lineage", "Lineage"),
    ("changes", "What changed"),
    ("environment", "Environment"),
    ("events", "Events"),
    ("discussion", "Discussion"),
)
# Fragment to the template that holds it; those of a log serve deployments too.
FRAGMENTS = {
    "execution-head": "page",
    "execution-steps": "page",
    "execution-metrics": "detail",
    "execution-facts": "detail",
    "execution-lineage": "detail",
    "execution-charts": "metrics",
    "log-panel": "logs/panel",
    "log-body": "logs/lines",
    "log-found": "logs/lines",
    "execution-artifacts": "artifacts",
    "execution-events": "events",
    "execution-changes": "changes",
    "execution-environment": "environment",
}
CAUSES = {
    "exit": "user code failed",
    "memory": "out of memory",
    "deadline": "time limit reached",
    "not_started": "the command could not start",
    "worker_lost": "infrastructure: the worker was lost",
    "lost": "infrastructure: the process was lost",
    "volume": "a volume grew too large",
    "stopped": "stopped",
}
# What to do about it.
ADVICE = {
    "exit": "Run again unchanged, it most likely fails the same way. Duplicate the configuration to change "
    "a parameter or an input, or correct the code.",
    "memory": "Use less data or a smaller model, or a larger resource plan in the template.",
    "deadline": "Give it less to do, or a longer time limit: activeDeadlineSeconds in the template.",
    "volume": "Write less to it, or give it a larger limit in the template.",
    "not_started": "Correct the command or the requirements of the template.",
    "worker_lost": "Nothing is wrong with the code or the data. Run it again.",
    "lost": "Nothing is wrong with the code or the data. Run it again.",
}


class ExecutionPage:
    """One execution in a scope. Raises NotFound when made for one of another group.

    query: `tab` names what is shown; the log's and the charts' own choices are theirs to read. fragment:
    the one asked for, if any. template: holds that fragment, or the tab. version: marks the state that a
    whole page shows, for those who follow it from here. content_security: what its charts need.
    """

    def __init__(self, scope: Scope, execution_id: str, query: QueryDict, *, fragment: str | None) -> None:
        self._scope = scope
        self._query = query
        wanted = query.get("tab", "")
        self.tab = wanted if wanted in dict(TABS) else "overview"
        name = FRAGMENTS.get(fragment or "") or ("detail" if self.tab == "overview" else self.tab)
        self.template = f"mlops/{name if '/' in name else f'executions/{name}'}.html"
        self.content_security = CONTENT_SECURITY if self.tab in WITH_CHARTS else {}
        self.version = ""
        if fragment not in FRAGMENTS:
            # Read before anything that is shown, so that what changes meanwhile counts as a change.
            self.version = watching.state(scope, executions.get(scope, execution_id)).version
        self.execution = executions.detail(scope, execution_id)
        # The version that ran is the configuration's own; sharing the row saves reading it twice.
        self.execution.configuration.executable_version = self.execution.executable_version

    @property
    def is_dead(self) -> bool:
        """Whether it failed."""
        return self.execution.status == Status.DEAD

    @property
    def is_stopped(self) -> bool:
        """Whether somebody ended it."""
        return self.execution.status == Status.STOPPED

    @property
    def is_live(self) -> bool:
        """Whether the page still changes by itself; one that is being deleted only goes."""
        return self.execution.status in ACTIVE - {Status.DELETING}

    @property
    def here(self) -> str:
        """The address part of this page, for refreshing its fragments."""
        return f"?{self._query.urlencode()}"

    @property
    def tabs(self) -> list[tuple[str, str, int | None, bool]]:
        """Key, label, count if one is told, and whether it is the one shown."""
        counts = {
            "metrics": len(self.series) or None,
            "artifacts": len(self.bindings.artifacts) + len(self.outputs) or None,
            "events": len(self.history) or None,
            "discussion": self.discussion.open_flags or None,
        }
        return [(key, label, counts.get(key), key == self.tab) for key, label in TABS]

    @cached_property
    def schedule(self) -> Any:
        """The schedule that started it; None for none, and for one that is deleted."""
        return schedule_runs.origin(self._scope, self.execution)

    @cached_property
    def steps(self) -> list[Any]:
        """Steps of the newest attempt."""
        return executions.steps(self._scope, self.execution)

    @cached_property
    def graph(self) -> StepGraph:
        """The steps as a picture; `open` in the address names what is unfolded."""
        opened = [text for text in self._query.getlist("open") if text.isascii() and text.isdecimal()]
        return StepGraph(
            self.steps,
            opened=frozenset(int(text) for text in opened if len(text) < _LONGEST_INDEX),
            tab=self.tab,
            part=self.log.part if self.tab == "logs" else "",
        )

    @cached_property
    def history(self) -> list[Any]:
        """Every status change, newest first."""
        return executions.history(self._scope, self.execution)[::-1]

    @cached_property
    def why_pending(self) -> str:
        """Why it still waits, "" when it does not."""
        return executions.why_pending(self._scope, self.execution)

    @cached_property
    def failed_step(self) -> Any:
        """The step that made a dead execution die, None if it died outside any."""
        if not self.is_dead:
            return None
        dead = [step for step in self.steps if step.status == Status.DEAD and step.kind not in GROUPS]
        told = self.execution.status_message
        # Others may have failed as well, and been overlooked as the template says.
        return next((step for step in dead if f"Step {step.name}: " in told), None) or next(iter(dead), None)

    @property
    def cause(self) -> str:
        """What kind of failure it was, in words; "" when unknown."""
        return CAUSES.get(self.failed_step.cause, "") if self.failed_step else ""

    @property
    def advice(self) -> str:
        """What to do about it; "" when unknown."""
        return ADVICE.get(self.failed_step.cause, "") if self.failed_step else ""

    @cached_property
    def first_error(self) -> Line | None:
        """The last exception, else the first error, else the last line the failed step itself wrote."""
        if (step := self.failed_step) is None:
            return None
        log = logs.lines(self._scope, self.execution, step=step.index, attempt=step.attempt)
        # Launchpad ends the log with the message that stands above already.
        own = [line for line in log.lines if line.said.strip() and line.said != step.message]
        errors = [line for line in own if line.level == "ERROR"]
        headings = [line.number for line in errors if line.text.startswith("Traceback")]
        # A traceback's heading says nothing, the exception that it ends with does.
        raised = [line for line in errors if headings and line.number > headings[-1]]
        if not errors:
            # What broke it may stand long before what was said last.
            wanted = Wanted(levels=frozenset({"ERROR"}), attempt=step.attempt, step=step.index)
            found = log_search.search(self._scope, self.execution, wanted, limit=2).lines
            errors = [line for line in found if line.said != step.message]
        return next(iter(raised or errors or own[-1:]), None)

    @property
    def evidence(self) -> list[tuple[str, object]]:
        """What proves how a dead execution ended, as (name, value)."""
        if not self.is_dead or not self.history:
            return []
        return list(self.history[0].evidence.items())

    @cached_property
    def changes(self) -> execution_changes.Comparison | None:
        """What is different from the last run that went well, None when there is none."""
        return execution_changes.since_last_success(self._scope, self.execution)

    @cached_property
    def environment(self) -> Any:
        """What it ran in, None when that was not recorded."""
        return run_environments.of(self._scope, self.execution)

    @cached_property
    def template_spec(self):
        """What the template that ran declares."""
        return catalog.describe(self.execution.executable_version)

    @cached_property
    def bindings(self) -> configurations.Bindings:
        """The configuration's parameters and input artifacts."""
        return configurations.bindings(self.execution.configuration)

    @cached_property
    def outputs(self) -> list[Any]:
        """What it registered."""
        return list(artifacts.outputs(self._scope, self.execution))

    @cached_property
    def expected(self) -> list:
        """Outputs that the template declares and that are not registered; none will be once it has ended."""
        made = {(artifact.kind, artifact.name) for artifact in self.outputs}
        return [slot for slot in self.template_spec.outputs if (slot.kind, slot.registered_name) not in made]

    @cached_property
    def series(self) -> list[metrics.SeriesSummary]:
        """Every metric series with its summary."""
        return metrics.series(self._scope, self.execution)

    @property
    def metric(self) -> str:
        """The text that names and labels of the metrics shown hold; "" for all of them."""
        return self._query.get("metric", "").strip()[:_LONGEST_SEARCH] if self.tab == "metrics" else ""

    @cached_property
    def found_series(self) -> list[metrics.SeriesSummary]:
        """Those of the series whose name or labels hold that text, whatever the case."""
        wanted = self.metric.casefold()
        return [one for one in self.series if wanted in one.title.casefold()]

    @property
    def listed_series(self) -> list[metrics.SeriesSummary]:
        """The first of them, for a table."""
        return self.found_series[:MOST_SERIES]

    @cached_property
    def charts(self) -> Charts:
        """Its metrics as charts."""
        return Charts(self._scope, self.execution, self.found_series, self._query)

    @cached_property
    def tags(self) -> list[tuple[str, str]]:
        """Names and values that the run attached."""
        return metrics.tags(self._scope, self.execution)

    @cached_property
    def custom_info(self) -> list[CustomInfo]:
        """What the run attached, by name."""
        rows = metrics.custom_info(self._scope, self.execution)
        return [CustomInfo(name, text) for name, text in rows]

    @cached_property
    def log(self) -> LogPanel:
        """Its log as this page shows it."""
        return LogPanel(self._scope, self.execution, self._query)

    @property
    def ancestry(self) -> Lineage:
        """What it was made from and what was made from it, over several hops."""
        return Lineage(self._scope, self.execution)

    @cached_property
    def discussion(self) -> Discussion:
        """What people say about it."""
        return Discussion(self._scope, self.execution, self._query)

    @property
    def api(self) -> api_calls.ApiUse:
        """The same execution over the API."""
        run = self.execution
        known = {"configuration": run.configuration_id, "submitted_at": run.submitted_at}
        return api_calls.execution(self._scope, run.pk, **known)

    @cached_property
    def lineage(self) -> lineage.Drawing:
        """What it was made from and what it makes, as a drawing."""
        return lineage.of_execution(self._scope, self.execution, self.bindings, self.outputs, self.expected)
