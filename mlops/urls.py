"""Addresses of ML operations: pages of a workspace, pages of a resource group, and the JSON APIs."""

from django.urls import URLPattern, URLResolver

workspace_patterns: list[URLPattern | URLResolver] = []
resource_group_patterns: list[URLPattern | URLResolver] = []
api_patterns: list[URLPattern | URLResolver] = []
