"""The least that a server of ONNX models can do, as the floor under ours: JSON in, one run, JSON out.

It believes every request, and has one model with one input of floats, named by the environment.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import onnxruntime

_options = onnxruntime.SessionOptions()
_options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL"], _options, providers=["CPUExecutionProvider"])
KINDS = {"tensor(float)": "FP32", "tensor(int64)": "INT64"}
outputs = [(one.name, KINDS[one.type]) for one in session.get_outputs()]
HEADERS = [(b"content-type", b"application/json")]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request as one for inference."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    request = json.loads(body)
    (given,) = request["inputs"]
    array = np.array(given["data"], np.float32).reshape(given["shape"])
    found = session.run(None, {given["name"]: array})
    told = {
        "model_name": "m",
        "outputs": [
            {"name": name, "datatype": kind, "shape": one.shape, "data": one.ravel().tolist()}
            for (name, kind), one in zip(outputs, found, strict=True)
        ],
    }
    answer = json.dumps(told).encode()
    length = (b"content-length", str(len(answer)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
    await send({"type": "http.response.body", "body": answer})
