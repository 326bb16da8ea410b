"""What each page shows, as calls of the API; addresses come from the API's own names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.places import place_url
from mlops import paging
from mlops.domain import dataset_files, log_times, timings
from mlops.domain import deployments as deployment_addresses
from mlops.domain.timings import Timing
from mlops.lifecycle import ScheduleStatus, Status, TargetStatus
from mlops.views import api_snippets
from mlops.views.api_snippets import Call


@dataclass(frozen=True)
class ApiUse:
    """The calls for one page.

    group: the resource group, "" outside any. remark: where the API does not do quite what the page does,
    else "". keys_url: where the reader makes the service key that the calls need, "" for those who cannot.
    """

    group: str
    calls: tuple[Call, ...]
    remark: str
    keys_url: str

    @property
    def curl_token(self) -> str:
        """What a shell needs first."""
        return api_snippets.curl_token()

    @property
    def python_session(self) -> str:
        """What a Python program needs first."""
        return api_snippets.python_session(self.group)


class _Calls:
    """Makes calls for pages in a place."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.group = scope.resource_group.slug if scope.resource_group else ""
        self.made: list[Call] = []

    def add(
        self,
        title: str,
        method: str,
        name: str,
        *path: object,
        query: Mapping[str, str] | None = None,
        body: dict[str, Any] | None = None,
        **files: str,
    ) -> None:
        """Add a call of the operation `name`. path: values in its address. Empty values of a query go.

        files: `file` or `save`, as a Call has them.
        """
        asked = tuple((key, str(value)) for key, value in (query or {}).items() if value)
        address = reverse(f"api:{name}", args=path)
        self.made.append(Call(title, method, address, asked, body, group=self.group, **files))

    def serve(self, title: str, key: str, path: str, body: dict[str, Any] | None) -> None:
        """Add a call of the server of a deployment. path, body: as `deployment` takes them."""
        own = deployment_addresses.address(key).removeprefix(settings.PUBLIC_URL)
        method = "GET" if body is None else "POST"
        self.made.append(Call(title, method, f"{own}/{path}" if path else own, (), body, group=self.group))

    def use(self, *remarks: str) -> ApiUse:
        """The calls made so far."""
        keys_url = place_url(self.scope, "service_keys.index") if self.scope.may_change else ""
        return ApiUse(self.group, tuple(self.made), " ".join(one for one in remarks if one), keys_url)


def scenarios(scope: Scope) -> ApiUse:
    """The list of scenarios."""
    calls = _Calls(scope)
    calls.add("List the scenarios", "GET", "scenarios.search")
    return calls.use()


def scenario(scope: Scope, scenario: str) -> ApiUse:
    """One scenario, by its slug."""
    calls = _Calls(scope)
    calls.add("Get this scenario", "GET", "scenarios.get", scenario)
    calls.add("List its executables", "GET", "executables.search", scenario)
    calls.add("List its versions", "GET", "releases.search", scenario)
    return calls.use()


def executable(scope: Scope, scenario: str, executable: str, *, is_newest: bool) -> ApiUse:
    """One executable, by slugs. is_newest: whether its newest version is shown."""
    calls = _Calls(scope)
    calls.add("Get this executable", "GET", "executables.get", scenario, executable)
    return calls.use("" if is_newest else "The API answers with the newest version.")


def configurations(scope: Scope, *, q: str, scenario: str, executable: str) -> ApiUse:
    """The list of configurations, filtered."""
    calls = _Calls(scope)
    query = {"scenarioId": scenario, "executableIds": executable} | _search(q)
    calls.add("List these configurations", "GET", "configurations.search", query=query | _top())
    calls.add("Count them", "GET", "configurations.count", query=query)
    return calls.use()


def configuration(scope: Scope, key: object, *, serves: bool = False) -> ApiUse:
    """One configuration. serves: whether it is deployed instead of run."""
    calls = _Calls(scope)
    calls.add("Get this configuration", "GET", "configurations.get", key)
    query = {"configurationId": str(key)} | _top()
    noun = "deployments" if serves else "executions"
    calls.add(f"List its {noun}", "GET", f"{noun}.search", query=query)
    if scope.may_change:
        _deploy(calls, "Deploy it", key, "") if serves else _run(calls, "Run it", key)
    return calls.use()


def new_configuration(scope: Scope, body: dict[str, Any], *, is_newest: bool) -> ApiUse:
    """A configuration on its way. body: as it would be sent now. is_newest: of the version chosen."""
    calls = _Calls(scope)
    calls.add("Create this configuration", "POST", "configurations.create", body=body)
    return calls.use("" if is_newest else "The API always binds the newest version, not the one chosen here.")


def executions(scope: Scope, *, statuses: Collection[Status], is_filtered: bool = False) -> ApiUse:
    """The list of executions, filtered; a call for each status."""
    calls = _Calls(scope)
    for status in statuses or ("",):
        which = f"those that are {status.lower()}" if status else "the newest executions"
        calls.add(f"List {which}", "GET", "executions.search", query={"status": status} | _top())
    for status in statuses or ("",):
        which = f"those that are {status.lower()}" if status else "all of them"
        calls.add(f"Count {which}", "GET", "executions.count", query={"status": status})
    remark = "Of these filters the API knows the status; look through what it answers for the others."
    return calls.use(remark if is_filtered else "")


def execution(scope: Scope, key: str, *, configuration: object, submitted_at: datetime) -> ApiUse:
    """One execution of a configuration."""
    calls = _Calls(scope)
    calls.add("Get this execution", "GET", "executions.get", key)
    # Without a beginning the log of the last hour is answered.
    since = {"start": _second(submitted_at)}
    calls.add("Read its log", "GET", "executions.log", key, query=since | {"$top": str(log_times.MAX_LINES)})
    calls.add("Read its metrics", "GET", "metrics.search", query={"executionIds": key})
    if scope.may_change:
        wish = {"targetStatus": TargetStatus.STOPPED.value}
        calls.add("Stop it while it is pending or running", "PATCH", "executions.stop", key, body=wish)
        calls.add("Delete it once it has ended", "DELETE", "executions.delete", key)
        _run(calls, "Run its configuration again", configuration)
    return calls.use()


def new_execution(scope: Scope, configuration: object, name: str) -> ApiUse:
    """An execution about to be made of a configuration of this name."""
    calls = _Calls(scope)
    _run(calls, f"Run {name}", configuration)
    return calls.use()


def schedules(scope: Scope, *, status: str, configuration: str, is_filtered: bool) -> ApiUse:
    """The list of schedules, filtered. is_filtered: whether by more than status and configuration."""
    calls = _Calls(scope)
    query = {"status": status, "configurationId": configuration}
    calls.add("List these schedules", "GET", "schedules.search", query=query | _top())
    calls.add("Count them", "GET", "schedules.count", query=query)
    remark = "Of these filters the API knows status and configuration; look through what it answers."
    return calls.use(remark if is_filtered else "")


def schedule(scope: Scope, key: object, *, is_active: bool) -> ApiUse:
    """One schedule. is_active: whether it is to be paused, else resumed."""
    calls = _Calls(scope)
    calls.add("Get this schedule", "GET", "schedules.get", key)
    query = {"executionScheduleId": str(key)} | _top()
    calls.add("List its executions", "GET", "executions.search", query=query)
    if not scope.may_change:
        return calls.use()
    to = ScheduleStatus.INACTIVE if is_active else ScheduleStatus.ACTIVE
    calls.add("Pause it" if is_active else "Resume it", "PATCH", "schedules.edit", key, body={"status": to})
    calls.add("Delete it", "DELETE", "schedules.delete", key)
    return calls.use("" if is_active else "What was missed is not caught up when the API resumes it.")


def new_schedule(
    scope: Scope, configuration: object, name: str, timing: Timing, *, has_policies: bool
) -> ApiUse:
    """A schedule about to be made. has_policies: whether by others than a new one has."""
    calls = _Calls(scope)
    told = timings.recurring(timing)
    body = {"name": name, "configurationId": str(configuration), "cron": told.cron}
    for key, at in (("start", told.start), ("end", told.end)):
        if at is not None:
            body[key] = _second(at)
    calls.add(f"Create {name}", "POST", "schedules.create", body=body)
    return calls.use(
        "" if told.zone == "UTC" else f"The API reads cron in UTC, not in {told.zone}.",
        "The API knows no policies: it gives those of a new schedule." if has_policies else "",
    )


def deployments(scope: Scope, *, statuses: Collection[Status], is_filtered: bool = False) -> ApiUse:
    """The list of deployments, filtered; a call for each status."""
    calls = _Calls(scope)
    for status in statuses or ("",):
        which = f"those that are {status.lower()}" if status else "the newest deployments"
        calls.add(f"List {which}", "GET", "deployments.search", query={"status": status} | _top())
    for status in statuses or ("",):
        which = f"those that are {status.lower()}" if status else "all of them"
        calls.add(f"Count {which}", "GET", "deployments.count", query={"status": status})
    remark = "Of these filters the API knows the status; look through what it answers for the others."
    return calls.use(remark if is_filtered else "")


def deployment(
    scope: Scope,
    key: str,
    *,
    configuration: object,
    ttl: str,
    submitted_at: datetime,
    path: str = "",
    body: dict[str, Any] | None = None,
) -> ApiUse:
    """One deployment of a configuration with its time to live, "" for ever.

    path: of what its server offers, below the deployment's address and percent-encoded, without a slash at
    its beginning. body: what is sent there as JSON with POST, None to ask with GET.
    """
    calls = _Calls(scope)
    calls.add("Get this deployment", "GET", "deployments.get", key)
    calls.serve(f"Call /{path} of its server", key, path, body)
    since = {"start": _second(submitted_at)}
    calls.add("Read its log", "GET", "deployments.log", key, query=since | {"$top": str(log_times.MAX_LINES)})
    if scope.may_change:
        wish = {"targetStatus": TargetStatus.STOPPED.value}
        calls.add("Stop it while it is pending or running", "PATCH", "deployments.update", key, body=wish)
        calls.add("Delete it once it is stopped or dead", "DELETE", "deployments.delete", key)
        _deploy(calls, "Deploy its configuration again", configuration, ttl)
    return calls.use()


def new_deployment(scope: Scope, configuration: object, name: str, *, ttl: str = "") -> ApiUse:
    """A deployment about to be made of a configuration of this name. ttl: as for a deployment."""
    calls = _Calls(scope)
    _deploy(calls, f"Deploy {name}", configuration, ttl)
    return calls.use()


def artifacts(scope: Scope, *, kind: str, q: str, scenario: str) -> ApiUse:
    """The list of artifacts of a kind, filtered."""
    calls = _Calls(scope)
    query = {"kind": kind, "scenarioId": scenario} | _search(q)
    calls.add("List these artifacts", "GET", "artifacts.search", query=query | _top())
    calls.add("Count them", "GET", "artifacts.count", query=query)
    return calls.use()


def artifact(scope: Scope, key: object, *, kind: str, name: str, file_url: str) -> ApiUse:
    """One version of an artifact of this kind and name. file_url: of one of its files, "" for none."""
    calls = _Calls(scope)
    calls.add("Get this version", "GET", "artifacts.get", key)
    query = {"kind": kind, "name": name} | _top()
    calls.add("List all versions of the name", "GET", "artifacts.search", query=query)
    if address := _file_address(file_url):
        saved = address.rsplit("/", 1)[-1]
        calls.add(f"Download {saved}", "GET", "dataset_files.get", address, save=saved)
    return calls.use()


def new_artifact(scope: Scope, *, kind: str, name: str, scenario: str, url: str, description: str) -> ApiUse:
    """An artifact about to be registered; what is not filled in yet has an example's value."""
    calls = _Calls(scope)
    body = {"name": name or f"new-{kind}", "kind": kind, "url": url or f"ai://default/new-{kind}"}
    if not url:
        place = _file_address(f"{body['url']}/data.csv")
        calls.add("Upload data.csv", "PUT", "dataset_files.upload", place, file="data.csv")
    body |= {"scenarioId": scenario} | ({"description": description} if description else {})
    calls.add(f"Register {body['name']}", "POST", "artifacts.register", body=body)
    return calls.use()


def _file_address(url: str) -> str:
    """The address by which the API knows a stored file; "" for a name that it does not take."""
    address = url.removeprefix("ai://")
    try:
        dataset_files.location(address)
    except Invalid:
        return ""
    return address


def _run(calls: _Calls, title: str, configuration: object) -> None:
    calls.add(title, "POST", "executions.create", body={"configurationId": str(configuration)})


def _deploy(calls: _Calls, title: str, configuration: object, ttl: str) -> None:
    body = {"configurationId": str(configuration)} | ({"ttl": ttl} if ttl else {})
    calls.add(title, "POST", "deployments.create", body=body)


def _second(at: datetime) -> str:
    """A moment as bodies and queries name it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _top() -> dict[str, str]:
    """As many as a page shows."""
    return {"$top": str(paging.SIZE)}


def _search(q: str) -> dict[str, str]:
    """The parameters that search as pages do."""
    return {"$search": q, "searchCaseInsensitive": "true"} if q else {}
