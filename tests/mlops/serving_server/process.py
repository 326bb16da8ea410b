"""The model server as the engine starts it: a process of its own, from a copy of its folder."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.servers import free_port
from tests.waiting import until

CODE = Path(__file__).resolve().parents[3] / "mlops" / "serving"


class ModelServer:
    """One process; `close` ends it. output: what it has printed, on both streams."""

    def __init__(
        self, home: Path, model: Path, *options: str, form: str = "onnx", python: str | Path = sys.executable
    ) -> None:
        code = home / "server"
        if not code.exists():
            shutil.copytree(CODE, code, ignore=shutil.ignore_patterns("__pycache__"))
        self.model = model
        self.port = free_port()
        self._log = (home / f"{self.port}.log").open("w+")
        command = [python, code / "main.py", "--format", form, "--model", model, "--name", "m"]
        self.process = subprocess.Popen(
            [str(one) for one in (*command, "--port", self.port, *options)],
            cwd=home,
            env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=120)

    @property
    def output(self) -> str:
        """Both streams up to now."""
        self._log.seek(0)
        return self._log.read()

    def status(self, path: str) -> int:
        """The status of a GET; 0 while nothing listens."""
        try:
            return self.client.get(path).status_code
        except httpx.TransportError:
            return 0

    def ready(self) -> ModelServer:
        """Wait until the model can be asked."""
        until(lambda: self.process.poll() is not None or self.status("/v2/health/ready") == 200)
        assert self.process.poll() is None, self.output
        return self

    def failed(self) -> str:
        """Wait until it has ended by itself with code 1; the last line it said."""
        assert self.process.wait(120) == 1, self.output
        return self.output.splitlines()[-1]

    def infer(self, *inputs: dict[str, Any], **more: Any) -> httpx.Response:
        """Ask in JSON."""
        return self.client.post("/v2/models/m/infer", json={"inputs": list(inputs), **more})

    def outputs(self, *inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Data of the outputs by name. Raises AssertionError unless the answer is 200."""
        answer = self.infer(*inputs, **more)
        assert answer.status_code == 200, answer.text
        return {one["name"]: one["data"] for one in answer.json()["outputs"]}

    def refused(self, *inputs: dict[str, Any], status: int = 400, **more: Any) -> str:
        """The reason why a request is refused."""
        answer = self.infer(*inputs, **more)
        assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
        return str(answer.json()["error"])

    def predict(self, body: dict[str, Any], status: int = 200) -> Any:
        """What the friendly form answers: predictions, or the reason of a refusal."""
        answer = self.client.post("/v1/predict", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()["predictions" if status == 200 else "error"]

    def memory_mb(self) -> float:
        """Resident memory in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def sockets(self) -> int:
        """How many it has open."""
        opened = [one.readlink().name for one in Path(f"/proc/{self.process.pid}/fd").iterdir()]
        return sum(name.startswith("socket:") for name in opened)

    def stop(self) -> int:
        """End it as the engine does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait(120)
        self.client.close()
        self._log.close()


def tensor(name: str, datatype: str, shape: list[int], data: list[Any]) -> dict[str, Any]:
    """An input in JSON."""
    return {"name": name, "datatype": datatype, "shape": shape, "data": data}
