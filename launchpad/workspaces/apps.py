"""App configuration of workspaces."""

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    """Label `workspaces`."""

    name = "launchpad.workspaces"
