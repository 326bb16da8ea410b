"""App configuration of resource groups."""

from django.apps import AppConfig


class ResourceGroupsConfig(AppConfig):
    """Label `resource_groups`."""

    name = "launchpad.resource_groups"
    verbose_name = "Resource groups"
