"""What the address of a list of deployments asks for; what cannot be read is left out, and it is said."""

from __future__ import annotations

from django.http import QueryDict

from launchpad.access import Scope
from mlops import paging
from mlops.domain.deployment_filters import Filters
from mlops.lifecycle import Status
from mlops.views.filter_editors import Editors
from mlops.views.list_query import MAX_TEXT, ListQuery

# In the order of a life, as people look for them.
STATUSES = (
    Status.PENDING,
    Status.RUNNING,
    Status.STOPPING,
    Status.STOPPED,
    Status.DEAD,
    Status.DELETING,
)
SORTS = {
    "created": paging.NEWEST_FIRST,
    "status": paging.Order("status", descending=False, within="created_at"),
}
# Name in the address, heading, whether it is shown unless something else is chosen.
COLUMNS = (
    ("health", "Health", True),
    ("executable", "Executable", True),
    ("scenario", "Scenario", True),
    ("until", "Running until", True),
    ("created", "Created", True),
    ("changed", "Changed", False),
    ("by", "By", True),
)
EDITORS = Editors(
    {
        "status": "Status",
        "source": "Scenario, executable, version",
        "configuration": "Configuration",
        "by": "Deployed by",
        "ending": "Near their end",
        "archived": "Put away",
    },
    "serving",
    {"archived": "put away", "ending": "near their end"},
)


class DeploymentQuery(ListQuery):
    """The filters, order and columns that one address asks for."""

    noun, statuses, sorts, column_table = "deployment", STATUSES, SORTS, COLUMNS

    def __init__(self, scope: Scope, query: QueryDict) -> None:
        super().__init__(scope, query)
        self.filters = Filters(
            statuses=self._statuses(),
            q=self._text("q", MAX_TEXT),
            scenario=self._text("scenario"),
            version=self._text("version"),
            executable=self._text("executable"),
            configuration=self._key("configuration"),
            by=self._by(),
            ending=self._is_on("ending"),
            archived=self._is_on("archived"),
        )
        self.sort, self.order = self._usual_sort()
