"""Key figures: how much there is in the resource groups that the caller may view."""

from __future__ import annotations

from typing import Any

from launchpad.access import Right
from launchpad.errors import Invalid
from mlops.api import queries
from mlops.api.documents import Answer
from mlops.api.operations import Call, Operations, in_workspace
from mlops.api.queries import Parameters
from mlops.domain import usage

operation = Operations("KPIs")
DEFAULT = (usage.GROUP, usage.EXECUTIONS, usage.ARTIFACTS, usage.DEPLOYMENTS)
FIGURES = Parameters(queries.choices("$select", "columns", usage.COLUMNS, "These columns, in this order."))


class Kpis(Answer):
    """KpiResultSet: a table."""

    header: list[str]
    rows: list[list[str | int]]


@operation(
    "GET",
    "/analytics/kpis",
    in_workspace(Right.VIEW),
    name="analytics.key_figures",
    answers={200: Kpis},
    query=FIGURES,
)
def key_figures(request: Call) -> dict[str, Any]:
    """How many executions, artifacts and deployments there are, by the names that are selected."""
    columns = FIGURES.read(request)["columns"] or DEFAULT
    if len(set(columns)) != len(columns):
        raise Invalid("$select names a column twice.", fields={"$select": "Name each column once."})
    return {"header": list(columns), "rows": usage.key_figures(request.auth, columns)}
