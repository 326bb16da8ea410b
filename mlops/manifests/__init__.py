"""Reads AI Core templates into a typed specification; every finding names file, line and field."""

from mlops.manifests.plan import InputPlan, OutputPlan, StepPlan, fill, plan
from mlops.manifests.reader import read, read_folder
from mlops.manifests.spec import (
    ArtifactSlot,
    ExecutableTemplate,
    Finding,
    Label,
    OutputSlot,
    Parameter,
    Reading,
    Workflow,
)

__all__ = [
    "ArtifactSlot",
    "ExecutableTemplate",
    "Finding",
    "InputPlan",
    "Label",
    "OutputPlan",
    "OutputSlot",
    "Parameter",
    "Reading",
    "StepPlan",
    "Workflow",
    "fill",
    "plan",
    "read",
    "read_folder",
]
