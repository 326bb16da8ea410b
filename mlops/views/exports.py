"""Lists as CSV: executions, deployments, configurations, scenarios, filtered and ordered as the page is."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad.access import Scope
from launchpad.exports import csv_file
from launchpad.http import manager, viewer
from mlops.domain import catalog
from mlops.views.configuration_list import ConfigurationList
from mlops.views.deployment_list import DeploymentList
from mlops.views.execution_list import ExecutionList

Columns = dict[str, Callable[[Any], object]]

EXECUTIONS: Columns = {
    "id": lambda row: row.pk,
    "name": lambda row: row.name,
    "status": lambda row: row.status,
    "target_status": lambda row: row.target_status,
    "status_message": lambda row: row.status_message,
    "configuration": lambda row: row.configuration_name,
    "configuration_id": lambda row: row.configuration_id,
    "executable": lambda row: row.executable_slug,
    "version": lambda row: row.version_label,
    "created_by": lambda row: row.author,
    "created_at": lambda row: row.created_at,
    "started_at": lambda row: row.started_at,
    "completed_at": lambda row: row.completed_at,
    "duration_seconds": lambda row: None if row.duration is None else row.duration.total_seconds(),
    "labels": lambda row: " ".join(f"{one['key']}={one['value']}" for one in row.labels),
}
DEPLOYMENTS: Columns = {
    "id": lambda row: row.pk,
    "status": lambda row: row.status,
    "target_status": lambda row: row.target_status,
    "status_message": lambda row: row.status_message,
    "configuration": lambda row: row.configuration_name,
    "configuration_id": lambda row: row.configuration_id,
    "scenario": lambda row: row.scenario_slug,
    "executable": lambda row: row.executable_slug,
    "version": lambda row: row.version_label,
    "servers_ready": lambda row: row.ready,
    "servers_wanted": lambda row: row.wanted,
    "running_until": lambda row: row.expires_at,
    "created_by": lambda row: row.author,
    "created_at": lambda row: row.created_at,
    "modified_at": lambda row: row.modified_at,
}
CONFIGURATIONS: Columns = {
    "id": lambda row: row.pk,
    "name": lambda row: row.name,
    "scenario": lambda row: row.executable_version.executable.scenario.slug,
    "executable": lambda row: row.executable_version.executable.slug,
    "version": lambda row: row.executable_version.label,
    "parameters": lambda row: row.parameter_count,
    "input_artifacts": lambda row: row.input_count,
    "executions": lambda row: row.use_count,
    "deployments": lambda row: row.deployment_count,
    "created_by": lambda row: row.created_by and row.created_by.get_username(),
    "created_at": lambda row: row.created_at,
}
SCENARIOS: Columns = {
    "id": lambda row: row.slug,
    "name": lambda row: row.name,
    "description": lambda row: row.description,
    "executables": lambda row: row.executable_count,
    "versions": lambda row: row.version_count,
    "created_at": lambda row: row.created_at,
    "modified_at": lambda row: row.modified_at,
}


@viewer
def executions(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Executions that the filters leave, with a column for each metric shown."""
    listing = ExecutionList(scope, request.GET)
    columns = EXECUTIONS | {
        f"metric {name}": lambda row, place=place: getattr(row, f"measured_{place}")
        for place, name in enumerate(listing.asked.measures)
    }
    return csv_file(request, f"{_place(scope)}-executions", columns, listing.found)


@viewer
def deployments(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Deployments that the filters leave."""
    listing = DeploymentList(scope, request.GET)
    return csv_file(request, f"{_place(scope)}-deployments", DEPLOYMENTS, listing.found)


@viewer
def configurations(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Configurations that the filters leave."""
    listing = ConfigurationList(scope, request.GET)
    return csv_file(request, f"{_place(scope)}-configurations", CONFIGURATIONS, listing.found)


@manager
def scenarios(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The workspace's scenarios, those that the text is found in."""
    shown = catalog.named(catalog.scenarios(scope), request.GET.get("q", "").strip())
    return csv_file(request, f"{scope.workspace.pk}-scenarios", SCENARIOS, shown)


def _place(scope: Scope) -> str:
    return scope.resource_group.slug if scope.resource_group else scope.workspace.pk
