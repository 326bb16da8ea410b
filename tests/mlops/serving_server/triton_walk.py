"""`python triton_walk.py json|binary ADDRESS ADDRESS [HEADERS]`: all that tritonclient asks, of two servers.

Runs in an environment of its own. The servers have the models `graphs.classifier` and `graphs.every_type`.
ADDRESS: host:port, and where there is one the path before theirs. HEADERS: JSON, sent with every request.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

ROWS = np.array([[1, 2, 3, 4], [4, 3, 2, 1]], np.float32)
TYPES = {
    **{f"INT{bits}": np.array([-1, 2], f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": np.array([1, 2], f"uint{bits}") for bits in (8, 16, 32, 64)},
    **{f"FP{bits}": np.array([0.5, -2], f"float{bits}") for bits in (16, 32, 64)},
    "BOOL": np.array([True, False]),
    "BYTES": np.array(["", "Zürich"], object),
}


class Headers:
    """What the client lets a plugin do to each request."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers

    def __call__(self, request: object) -> None:
        request.headers.update(self.headers)


def given(name: str, datatype: str, array: np.ndarray, binary: bool) -> triton.InferInput:
    """An input. The client itself has no JSON for 16 bits."""
    tensor = triton.InferInput(name, list(array.shape), datatype)
    return tensor.set_data_from_numpy(array, binary_data=binary or datatype == "FP16")


def told(client: triton.InferenceServerClient) -> None:
    """What is asked before and beside inference."""
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("m")
    assert client.get_server_metadata()["name"] == "launchpad"
    assert client.get_model_metadata("m")["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    assert client.get_model_metadata("m", "1")["versions"] == ["1"]
    assert client.get_model_config("m")["input"][0]["data_type"] == "TYPE_FP32"
    assert client.get_model_repository_index()[0]["state"] == "READY"
    assert client.get_inference_statistics("m")["model_stats"][0]["name"] == "m"


def rows(client: triton.InferenceServerClient, binary: bool) -> None:
    """Rows of a classifier, with named outputs and, as the client does by itself, without."""
    names = ("label", "probabilities")
    for outputs in ([triton.InferRequestedOutput(name, binary_data=binary) for name in names], None):
        answer = client.infer("m", [given("x", "FP32", ROWS, binary)], outputs=outputs, request_id="q")
        assert answer.get_response()["id"] == "q"
        assert answer.as_numpy("label").tolist() == [2, 0]
        probabilities = answer.as_numpy("probabilities")
        assert probabilities.shape == (2, 3) and np.allclose(probabilities.sum(axis=1), 1)


def types(client: triton.InferenceServerClient, binary: bool) -> None:
    """Each datatype there and back."""
    inputs = [given(name, name, array, binary) for name, array in TYPES.items()]
    outputs = [triton.InferRequestedOutput(f"{name}_out", binary_data=binary) for name in TYPES]
    answer = client.infer("m", inputs, outputs=outputs)
    for name, array in TYPES.items():
        found = answer.as_numpy(f"{name}_out").tolist()
        texts = [one.decode() if isinstance(one, bytes) else one for one in found]
        assert texts == array.tolist(), (name, found)


def refusals(client: triton.InferenceServerClient, binary: bool) -> None:
    """The reason arrives as the client's own error."""
    for name, array in (("x", ROWS[:, :3].copy()), ("y", ROWS)):
        try:
            client.infer("m", [given(name, "FP32", array, binary)])
        except InferenceServerException as error:
            assert error.status() == "400" and f"Tensor '{name}'" in error.message(), error
        else:
            raise AssertionError(name)


def main() -> None:
    """Walk; the word at the end says that nothing was left out."""
    binary = sys.argv[1] == "binary"
    first, second = (triton.InferenceServerClient(address) for address in sys.argv[2:4])
    for one in (first, second):
        one.register_plugin(Headers(json.loads(sys.argv[4]) if sys.argv[4:] else {}))
    told(first)
    rows(first, binary)
    refusals(first, binary)
    types(second, binary)
    first.close()
    second.close()
    sys.stdout.write("walked\n")


if __name__ == "__main__":
    main()
