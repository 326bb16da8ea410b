"""Addresses of ML operations: pages of a workspace, pages of a resource group, and the JSON APIs."""

from django.urls import URLPattern, URLResolver, path

from mlops.views import executions

workspace_patterns: list[URLPattern | URLResolver] = []
resource_group_patterns: list[URLPattern | URLResolver] = [
    path("executions/", executions.index, name="executions.index"),
    path("executions/create", executions.create, name="executions.create"),
    path("executions/<str:execution_id>/", executions.detail, name="executions.detail"),
    path("executions/<str:execution_id>/stop", executions.stop, name="executions.stop"),
    path("executions/<str:execution_id>/delete", executions.delete, name="executions.delete"),
    path("executions/<str:execution_id>/log", executions.log, name="executions.log"),
]
api_patterns: list[URLPattern | URLResolver] = []
