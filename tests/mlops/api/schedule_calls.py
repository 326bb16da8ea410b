"""Calls of execution schedules over the AI API whose answers are checked."""

from urllib.parse import urlencode

from mlops.api import documents
from mlops.models import Schedule

ALL = "/lm/executionSchedules"
UNKNOWN = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"


def order(configuration, **more):
    """The body of a good creation, some of it different; `...` leaves a key out."""
    good = {"name": "nightly", "configurationId": str(configuration.pk), "cron": "0 3 * * *"}
    return {key: value for key, value in (good | more).items() if value is not ...}


def found(client, **query):
    """Keys in a list by a query, which the count with the same filters agrees with."""
    listed = client("GET", f"{ALL}?{urlencode(query)}")
    assert listed.status_code == 200, listed.content
    told = documents.AiExecutionSchedules.model_validate_json(listed.content)
    assert told.count == len(told.resources)
    count = client("GET", f"{ALL}/$count?{urlencode(query)}")
    assert (count["Content-Type"], int(count.content)) == ("text/plain", told.count)
    return [one.id for one in told.resources]


def read(client, key):
    """One schedule, in the shape that the document promises."""
    answer = client("GET", f"{ALL}/{key}")
    assert answer.status_code == 200, answer.content
    documents.AiExecutionSchedule.model_validate_json(answer.content)
    return answer.json()


def make(client, configuration, **more):
    """The key of a new schedule; more: of its body."""
    answer = client("POST", ALL, order(configuration, **more))
    assert answer.status_code == 202, answer.content
    return answer.json()["id"]


def change(client, key, body, **more):
    """What the schedule is after a change, which is answered as the contract says."""
    answer = client("PATCH", f"{ALL}/{key}", body, **more)
    assert (answer.status_code, answer.json()) == (202, {"id": key, "message": "Execution Schedule modified"})
    return read(client, key)


def told(at):
    """A moment as answers and orders write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def row(key):
    """The schedule as it is kept."""
    return Schedule.unscoped.get(pk=key)
