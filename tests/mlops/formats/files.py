"""Real files of the formats, and sources to read them from."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import arro3.core
import arro3.io
import onnx
from onnx import TensorProto, helper


class Bytes:
    """Bytes that are read by ranges; `asked` counts how many were."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.size = len(body)
        self.asked = 0

    def read(self, start: int, length: int) -> bytes:
        """A piece."""
        self.asked += length
        return self.body[start : start + length]


def onnx_model(*, outputs: int = 1, opset: int = 17, weights: int = 4) -> bytes:
    """A model with one input, so many outputs and one tensor of weights."""
    tensor = helper.make_tensor("W", TensorProto.FLOAT, [4, weights], bytes(16 * weights), raw=True)
    names = [f"y{number}" for number in range(outputs)]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "W"], [name]) for name in names],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", None]) for name in names],
        [tensor],
    )
    sets = [
        helper.make_opsetid("", opset),
        helper.make_opsetid("ai.onnx.ml", 3),
        helper.make_opsetid("", opset),
    ]
    made = helper.make_model(graph, opset_imports=sets, producer_name="tests", producer_version="1")
    return made.SerializeToString()


def odd_onnx_model() -> bytes:
    """A model of an old format, whose weights are inputs too, with a sequence of maps as output."""
    tensor = helper.make_tensor("W", TensorProto.DOUBLE, [2], [1.0, 2.0])
    kind = helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    )
    graph = helper.make_graph(
        [],
        "g",
        [
            helper.make_tensor_value_info("text", TensorProto.STRING, [1]),
            helper.make_tensor_value_info("W", TensorProto.DOUBLE, [2]),
        ],
        [helper.make_value_info("probabilities", kind)],
        [tensor],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)])
    made.ir_version = 3
    return onnx.ModelProto.SerializeToString(made)


def parquet(folder: Path, rows: int = 3, *, extra: bool = False) -> bytes:
    """A table of `rows` numbers and texts, with a column more if asked."""
    columns = {
        "number": arro3.core.Array(list(range(rows)), type=arro3.core.DataType.int64()),
        "text": arro3.core.Array([f"text <{row}>" for row in range(rows)], type=arro3.core.DataType.utf8()),
    }
    if extra:
        columns["extra"] = arro3.core.Array([0.5] * rows, type=arro3.core.DataType.float64())
    path = folder / "made.parquet"
    arro3.io.write_parquet(arro3.core.Table.from_pydict(columns), str(path))
    return path.read_bytes()


def zipped(files: dict[str, bytes], *, compress: bool = True) -> bytes:
    """A zip of these files."""
    body = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(body, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return body.getvalue()
