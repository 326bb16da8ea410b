"""The JSON APIs that clients and runs call."""

from ninja import NinjaAPI

from mlops.api import (
    applications,
    artifacts,
    configurations,
    dataset_files,
    deployments,
    docker_secrets,
    errors,
    execution_logs,
    execution_schedules,
    executions,
    metrics,
    object_stores,
    repositories,
    resource_groups,
    scenarios,
    secrets,
)
from mlops.api.bodies import Body

api = NinjaAPI(title="Launchpad", docs_url=None, openapi_url=None, urls_namespace="api", parser=Body())
errors.install(api)
for operations in (metrics.operation, metrics.tracking, metrics.in_run):
    api.add_router("", operations.router)
for noun in (
    applications,
    artifacts,
    configurations,
    deployments,
    dataset_files,
    docker_secrets,
    execution_logs,
    execution_schedules,
    executions,
    object_stores,
    repositories,
    resource_groups,
    scenarios,
    secrets,
):
    api.add_router("", noun.operation.router)
