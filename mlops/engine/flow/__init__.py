"""What of a workflow comes next: a state machine without clock, threads, database or processes."""

from mlops.engine.flow.flow import Export, Flow
from mlops.engine.flow.nodes import Artifact, Kind, Made, Node, Report, Slot, Start, Text
from mlops.engine.flow.retries import follows

__all__ = ["Artifact", "Export", "Flow", "Kind", "Made", "Node", "Report", "Slot", "Start", "Text", "follows"]
