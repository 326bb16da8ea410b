"""Calls of deployments over the AI API whose answers are checked."""

from urllib.parse import urlencode

from mlops.api import deployment_documents
from mlops.lifecycle import Status

MOVING = (Status.PENDING, Status.RUNNING, Status.STOPPING)
RESTING = (Status.STOPPED, Status.DEAD)
MODIFIED, DELETED = "Deployment modification scheduled", "Deployment deletion scheduled"
NOBODY = "d000000000000000"


def found(client, **query):
    """Keys in a list by a query, which the count with the same filters agrees with."""
    listed = client("GET", f"/lm/deployments?{urlencode(query)}")
    assert listed.status_code == 200, listed.content
    told = deployment_documents.AiDeployments.model_validate_json(listed.content)
    assert told.count == len(told.resources)
    count = client("GET", f"/lm/deployments/$count?{urlencode(query)}")
    assert (count["Content-Type"], int(count.content)) == ("text/plain", told.count)
    return [one.id for one in told.resources]


def one(client, key):
    """A deployment as it is told by its key."""
    answer = client("GET", f"/lm/deployments/{key}")
    assert answer.status_code == 200, answer.content
    deployment_documents.AiDeployment.model_validate_json(answer.content)
    return answer.json()


def create(client, bound, **more):
    """The answer to the order to serve a configuration."""
    return client("POST", "/lm/deployments", {"configurationId": str(bound.pk)} | more)


def update(client, key, **body):
    """The answer to a change of a deployment."""
    return client("PATCH", f"/lm/deployments/{key}", body)


def wishes(*pairs):
    """What several are to become, as a body."""
    return {"deployments": [{"id": key, "targetStatus": target} for key, target in pairs]}
