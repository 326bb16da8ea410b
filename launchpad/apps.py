"""App configuration of the kernel: its system checks and template tags."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class LaunchpadConfig(AppConfig):
    """Label `launchpad`."""

    name = "launchpad"

    def ready(self) -> None:
        """Register the system checks of every app; they need the loaded models."""
        autodiscover_modules("checks")
