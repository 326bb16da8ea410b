"""A schedule over the AI API, by a plain client: made, seen to fire, paused, changed and deleted."""

from __future__ import annotations

from typing import Any

from tests.aiapi.client import MERGE, Client
from tests.e2e.main_job import TUTORIAL, Person
from tests.waiting import until

# Due every minute; the rest is for a busy machine.
FIRE_SECONDS = 180
RUN_SECONDS = 240
ALL = "/lm/executionSchedules"


def begin(client: Client, other: Client, configuration: str) -> str:
    """Have a configuration run every minute; the schedule's id."""
    body = {"name": "every minute", "configurationId": configuration, "cron": "* * * * *"}
    client.call("POST", ALL, body | {"cron": "0 * * * * *"}, status=400)
    client.call("POST", ALL, body | {"end": "2020-01-01T00:00:00Z"}, status=400)
    answer = client.send("POST", ALL, json=body | {"end": "2190-11-21T06:09:53Z"})
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert made == {"id": made["id"], "message": "Execution Schedule created"}
    assert answer.headers["Location"] == f"/v2{ALL}/{made['id']}"
    read = other.call("GET", f"{ALL}/{made['id']}", status=200, shape="AiExecutionSchedule")
    assert {key: read[key] for key in body} == body
    assert (read["status"], read["end"]) == ("ACTIVE", "2190-11-21T06:09:53Z")
    assert read["start"][:19] <= read["createdAt"][:19]
    listed(client, made["id"], configurationId=configuration, status="ACTIVE")
    return str(made["id"])


def listed(client: Client, schedule: str, **asked: Any) -> None:
    """The schedule is the only one that the list and the count tell."""
    found = client.call("GET", ALL, status=200, shape="ExecutionSchedules", asked=asked)
    assert [one["id"] for one in found["resources"]] == [schedule]
    assert client.call("GET", f"{ALL}/$count", status=200, shape="integer", asked=asked) == 1


def see_through(client: Client, other: Client, schedule: str, person: Person) -> None:
    """It runs its configuration; then it is paused, resumed by another rule and deleted."""
    address = f"{ALL}/{schedule}"

    def runs(reader: Client, **asked: Any) -> list[dict[str, Any]]:
        asked |= {"executionScheduleId": schedule}
        found = reader.call("GET", "/lm/executions", status=200, shape="Executions", asked=asked)
        return list(found["resources"])

    until(lambda: runs(other), seconds=FIRE_SECONDS, pause=0.5)
    client.call("PATCH", address, {"status": "INACTIVE"}, status=202, shape="Done")
    listed(other, schedule, status="INACTIVE")
    assert "every minute" in person.get(f"{TUTORIAL}/schedules/{schedule}/")
    done = until(lambda: runs(client, status="COMPLETED"), seconds=RUN_SECONDS, pause=0.5)
    assert {one["executionScheduleId"] for one in done} == {schedule}
    client.call("PATCH", address, {}, status=400, media=MERGE)
    client.call("PATCH", address, {"name": "never"}, status=400)
    client.call("PATCH", address, {"end": "2020-01-01T00:00:00Z", "cron": "0 4 * * *"}, status=400)
    change = {"cron": "0 3 1 1 *", "status": "ACTIVE"}
    said = client.call("PATCH", address, change, status=202, shape="Done", media=MERGE)
    assert said == {"id": schedule, "message": "Execution Schedule modified"}
    read = client.call("GET", address, status=200, shape="AiExecutionSchedule")
    assert (read["cron"], read["status"], read["end"]) == ("0 3 1 1 *", "ACTIVE", "2190-11-21T06:09:53Z")
    count = len(runs(client))
    said = client.call("DELETE", address, status=202, shape="Done")
    assert said == {"id": schedule, "message": "Execution Schedule deleted"}
    client.call("GET", address, status=404)
    client.call("DELETE", address, status=404)
    assert client.call("GET", f"{ALL}/$count", status=200, shape="integer") == 0
    assert len(runs(client)) == count
