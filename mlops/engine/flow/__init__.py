"""What of a workflow comes next: a state machine without clock, threads, database or processes."""

from mlops.engine.flow.flow import Flow
from mlops.engine.flow.nodes import Artifact, Kind, Made, Node, Report, Slot, Start, Text

__all__ = ["Artifact", "Flow", "Kind", "Made", "Node", "Report", "Slot", "Start", "Text"]
