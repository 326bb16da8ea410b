"""App configuration of ML operations."""

from django.apps import AppConfig


class MlopsConfig(AppConfig):
    """Label `mlops`."""

    name = "mlops"
    verbose_name = "ML operations"
