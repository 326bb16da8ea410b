"""The JSON APIs that clients and runs call."""

from ninja import NinjaAPI

from mlops.api import (
    analytics,
    applications,
    artifacts,
    configurations,
    dataset_files,
    deployment_logs,
    deployments,
    docker_secrets,
    errors,
    execution_logs,
    execution_schedules,
    executions,
    meta,
    metrics,
    object_stores,
    quotas,
    repositories,
    resource_groups,
    resources,
    scenarios,
    secrets,
)
from mlops.api.bodies import Body

api = NinjaAPI(title="Launchpad", docs_url=None, openapi_url=None, urls_namespace="api", parser=Body())
errors.install(api)
for operations in (metrics.operation, metrics.tracking, metrics.in_run):
    api.add_router("", operations.router)
for noun in (
    analytics,
    applications,
    artifacts,
    configurations,
    dataset_files,
    deployment_logs,
    deployments,
    docker_secrets,
    execution_logs,
    execution_schedules,
    executions,
    meta,
    object_stores,
    quotas,
    repositories,
    resource_groups,
    resources,
    scenarios,
    secrets,
):
    api.add_router("", noun.operation.router)
