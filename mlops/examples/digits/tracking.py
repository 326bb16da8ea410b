"""Sends metrics, tags and custom info of this run to the tracking endpoint it was given."""

import http.client
import json
import logging
import os
import time
import urllib.request
from datetime import UTC, datetime

log = logging.getLogger("tracking")


def point(name: str, value: float, *, step: int | None = None, model: str | None = None) -> dict:
    """One metric value, timed now; `model` binds it to the output of that name."""
    labels = [] if model is None else [{"name": "metrics.ai.sap.com/Artifact.name", "value": model}]
    now = datetime.now(UTC).isoformat()
    entry = {"name": name, "value": float(value), "timestamp": now, "labels": labels}
    return entry if step is None else {**entry, "step": step}


class Tracker:
    """Reports to the endpoint named by the environment; a failure is a WARN line, never an exception."""

    def __init__(self) -> None:
        self.endpoint = os.environ.get("AICORE_TRACKING_ENDPOINT", "").rstrip("/")
        self.execution_id = os.environ.get("AICORE_EXECUTION_ID", "")
        self.points, self.tags, self.info, self.healthy = [], {}, {}, True  # what was not accepted yet
        if not self.endpoint:
            log.info("no tracking endpoint is set: metrics appear only in this log")

    def report(self, points: list[dict], *, tags: dict | None = None, info: dict | None = None) -> None:
        """Send points, tags and JSON-able custom info in one request, with those that failed before."""
        self.points = (self.points + points)[-1000:]  # the most one request holds; a repeat is harmless
        self.tags.update(tags or {})
        self.info.update(info or {})
        if self.endpoint and self._send(patient=self.healthy or bool(info)):
            self.points, self.tags, self.info = [], {}, {}

    def _send(self, *, patient: bool) -> bool:
        """Whether the matter is settled. Patient: three tries; else one, so that an outage costs little."""
        tags = [{"name": name, "value": str(value)} for name, value in self.tags.items()]
        info = [{"name": name, "value": json.dumps(value)} for name, value in self.info.items()]
        body = {"executionId": self.execution_id, "metrics": self.points, "tags": tags, "customInfo": info}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the endpoint is never far
        for pause in (0, 0.2, 1.0) if patient else (0,):
            time.sleep(pause)
            try:
                request = urllib.request.Request(f"{self.endpoint}/api/v1/metrics", method="PATCH")
                request.add_header("Content-Type", "application/merge-patch+json")
                opener.open(request, data=json.dumps(body).encode(), timeout=5 if patient else 1).close()
                reason, final = None, True
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason, final = str(error), 400 <= getattr(error, "code", 0) < 500
            if final:
                break
        if reason:
            log.warning("metrics not accepted (%s): %s", reason, "dropped" if final else "held back")
        self.healthy = final
        return final
