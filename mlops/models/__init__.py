"""Tenant data of ML operations; every model says by SCOPE which path leads to its place."""

from mlops.models.artifacts import Artifact, ArtifactAlias, ArtifactAliasMove, ArtifactCheck, ArtifactFacts
from mlops.models.catalog import (
    Executable,
    ExecutableVersion,
    Repository,
    Scenario,
    Source,
    SourceTree,
    UseCase,
)
from mlops.models.comments import Comment
from mlops.models.comparisons import Board, Sweep
from mlops.models.configurations import (
    ArtifactBinding,
    Configuration,
    ConfigurationDraft,
    ParameterBinding,
)
from mlops.models.deployments import (
    Deployment,
    DeploymentChange,
    DeploymentDraft,
    Replica,
    ReplicaLogChunk,
    Revision,
)
from mlops.models.enactments import Execution, StatusChange, StepRun, Worker
from mlops.models.environments import AttemptEnvironment, Environment
from mlops.models.notifications import Notice, NotificationRule
from mlops.models.saved_views import SavedView
from mlops.models.schedules import Backfill, BackfillRun, Schedule, ScheduleDraft, Tick
from mlops.models.secrets import DockerSecret, ObjectStoreSecret, ResourceGroupSecret, WorkspaceSecret
from mlops.models.tracking import CustomInfo, LogChunk, MetricPoint, MetricSeries, Tag
from mlops.models.traffic import Prediction, TrafficBucket, Trial

__all__ = [
    "Artifact",
    "ArtifactAlias",
    "ArtifactAliasMove",
    "ArtifactBinding",
    "ArtifactCheck",
    "ArtifactFacts",
    "AttemptEnvironment",
    "Backfill",
    "BackfillRun",
    "Board",
    "Comment",
    "Configuration",
    "ConfigurationDraft",
    "CustomInfo",
    "Deployment",
    "DeploymentChange",
    "DeploymentDraft",
    "DockerSecret",
    "Environment",
    "Executable",
    "ExecutableVersion",
    "Execution",
    "LogChunk",
    "MetricPoint",
    "MetricSeries",
    "Notice",
    "NotificationRule",
    "ObjectStoreSecret",
    "ParameterBinding",
    "Prediction",
    "Replica",
    "ReplicaLogChunk",
    "Repository",
    "ResourceGroupSecret",
    "Revision",
    "SavedView",
    "Scenario",
    "Schedule",
    "ScheduleDraft",
    "Source",
    "SourceTree",
    "StatusChange",
    "StepRun",
    "Sweep",
    "Tag",
    "Tick",
    "TrafficBucket",
    "Trial",
    "UseCase",
    "Worker",
    "WorkspaceSecret",
]
