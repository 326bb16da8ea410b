"""One model as it is served: what is told of it, its requests, their counts, and the thread each runs on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import encoding
from inference import Answer, Inference
from models import Model
from predictions import Predictions
from refusals import Refused

# A request expected to take longer than this leaves the event loop to others.
INLINE_NS = 3_000_000
# What a body costs by its size alone, before anything was measured: JSON is read at about 50 MB/s.
LEAST_NS_PER_BYTE = 20
_CONFIG_TYPES = {"BYTES": "TYPE_STRING"}


class Served:
    """Carries requests out. Small ones of fast models run where they arrive, others on threads of their own.

    Which one a request is follows from the time that requests have taken for each byte of their bodies.
    """

    def __init__(self, model: Model, name: str, version: str, threads: int) -> None:
        self.model = model
        self.name, self.version = name, version
        self.inference = Inference(model, name, version)
        self.predictions = Predictions(model, name, version)
        # One more than run the model, so that JSON is read meanwhile.
        self._pool = ThreadPoolExecutor(1 if model.lonely else threads + 1, "requests")
        self._pending = 0
        self._ns_per_byte = float(LEAST_NS_PER_BYTE)
        self._lock = threading.Lock()
        self._counts = {"success": [0, 0], "fail": [0, 0]}
        self._last_ms = 0

    def learn(self) -> None:
        """Measure a small request of the friendly form as a first guess."""
        body = encoding.to_json(self.predictions.example)
        for _ in range(2):
            began = time.perf_counter_ns()
            try:
                self.predictions.answer(body)
            except Refused:
                return
            self._ns_per_byte = max((time.perf_counter_ns() - began) / max(len(body), 1), LEAST_NS_PER_BYTE)

    async def carry_out(
        self, work: Callable[..., Answer], body: bytes | bytearray, *arguments: Any
    ) -> Answer:
        """Call `work` with a body on this thread or another one. Raises Refused."""
        quick = self._ns_per_byte * len(body) < INLINE_NS
        if quick and not (self.model.lonely and self._pending):
            return self._measured(work, body, *arguments)
        self._pending += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._measured, work, body, *arguments)
        finally:
            self._pending -= 1

    def _measured(self, work: Callable[..., Answer], body: bytes | bytearray, *arguments: Any) -> Answer:
        outcome, began = "fail", time.perf_counter_ns()
        try:
            answer = work(body, *arguments)
            outcome = "success"
            return answer
        except MemoryError as error:
            raise Refused(500, "There is not enough memory for this request.") from error
        finally:
            took = time.perf_counter_ns() - began
            with self._lock:
                count = self._counts[outcome]
                count[0] += 1
                count[1] += took
                self._last_ms = time.time_ns() // 1_000_000
                if outcome == "success":
                    self._ns_per_byte += (took / max(len(body), 1) - self._ns_per_byte) / 8

    def metadata(self) -> dict[str, Any]:
        """What the protocol tells of a model."""
        model = self.model
        tensors = {
            kind: [{"name": one.name, "datatype": one.datatype, "shape": list(one.shape)} for one in specs]
            for kind, specs in (("inputs", model.inputs), ("outputs", model.outputs))
        }
        return {"name": self.name, "versions": [self.version], "platform": model.platform, **tensors}

    def config(self) -> dict[str, Any]:
        """The same in the form of Triton's model configuration."""
        model = self.model
        tensors = {
            kind: [
                {
                    "name": one.name,
                    "data_type": _CONFIG_TYPES.get(one.datatype, f"TYPE_{one.datatype}"),
                    "dims": list(one.shape),
                }
                for one in specs
            ]
            for kind, specs in (("input", model.inputs), ("output", model.outputs))
        }
        return {"name": self.name, "platform": model.platform, "backend": "", "max_batch_size": 0, **tensors}

    def stats(self) -> dict[str, Any]:
        """Counts since the start, in the form of Triton's statistics; times in nanoseconds."""
        with self._lock:
            told = {name: {"count": count, "ns": ns} for name, (count, ns) in self._counts.items()}
            last = self._last_ms
        count = told["success"]["count"]
        one = {
            "name": self.name,
            "version": self.version,
            "last_inference": last,
            "inference_count": count,
            "execution_count": count,
            "inference_stats": told,
        }
        return {"model_stats": [one]}

    def line(self) -> str:
        """Inputs and outputs in one line, for the log."""

        def listed(specs: Any) -> str:
            return ", ".join(f"{one.name} {one.datatype}{list(one.shape)}" for one in specs)

        return f"inputs: {listed(self.model.inputs)}; outputs: {listed(self.model.outputs)}"
