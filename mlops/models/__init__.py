"""Tenant data of ML operations; every model says by SCOPE which path leads to its place."""

from mlops.models.artifacts import Artifact
from mlops.models.catalog import Executable, ExecutableVersion, Scenario, Source, SourceTree
from mlops.models.configurations import (
    ArtifactBinding,
    Configuration,
    ConfigurationDraft,
    ParameterBinding,
)
from mlops.models.enactments import Execution, StatusChange, StepRun, Worker
from mlops.models.tracking import CustomInfo, LogChunk, MetricPoint, MetricSeries, Tag

__all__ = [
    "Artifact",
    "ArtifactBinding",
    "Configuration",
    "ConfigurationDraft",
    "CustomInfo",
    "Executable",
    "ExecutableVersion",
    "Execution",
    "LogChunk",
    "MetricPoint",
    "MetricSeries",
    "ParameterBinding",
    "Scenario",
    "Source",
    "SourceTree",
    "StatusChange",
    "StepRun",
    "Tag",
    "Worker",
]
