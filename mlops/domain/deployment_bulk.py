"""Several deployments stopped or deleted at once, each on its own."""

from __future__ import annotations

from mlops.domain import deployments
from mlops.domain.bulk import Bulk
from mlops.lifecycle import DEPLOYMENT_DELETABLE, STOPPABLE
from mlops.models import Deployment

BULK = Bulk(
    Deployment,
    "deployment",
    {"stop": deployments.stop, "delete": deployments.delete},
    {
        "stop": (STOPPABLE, "only a pending or running one can be stopped"),
        "delete": (DEPLOYMENT_DELETABLE, "only a stopped or dead one can be deleted"),
    },
)
