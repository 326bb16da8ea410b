"""The filters that the list of executions offers."""

from mlops.views.execution_query import WITHIN
from mlops.views.filter_editors import Editors

EDITORS = Editors(
    {
        "status": "Status",
        "created": "Created",
        "source": "Scenario, executable, version",
        "configuration": "Configuration",
        "by": "Started by",
        "label": "Label",
        "metric": "Metric",
        "archived": "Archived",
    },
    "workflow",
    {"archived": "archived"},
    {value: text for value, (text, _) in WITHIN.items()},
)
