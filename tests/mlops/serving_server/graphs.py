"""Small ONNX models, each made to show one thing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

ROW = [1.0, 2.0, 3.0, 4.0]


def save(
    path: Path, nodes: list, inputs: list, outputs: list, weights: list = (), *, opset: int = 20, ir: int = 10
) -> Path:
    """Write a model of these nodes."""
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(weights))
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=ir), path)
    return path


def value(name: str, kind: int, shape: list) -> onnx.ValueInfoProto:
    """An input or output that is a tensor."""
    return helper.make_tensor_value_info(name, kind, shape)


def classifier(path: Path, width: int = 4, labels: int = 3) -> Path:
    """`x` (n, width) float; `label` (n) and `probabilities` (n, labels): the largest of the first values."""
    shares = np.eye(width, labels, dtype="f4").ravel()
    weights = helper.make_tensor("w", TensorProto.FLOAT, [width, labels], shares)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
    ]
    outputs = [
        value("label", TensorProto.INT64, ["n"]),
        value("probabilities", TensorProto.FLOAT, ["n", labels]),
    ]
    return save(path, nodes, [value("x", TensorProto.FLOAT, ["n", width])], outputs, [weights])


def echo(path: Path, kind: int, shape: list) -> Path:
    """`x` of a type, and the same as `y`."""
    node = helper.make_node("Identity", ["x"], ["y"])
    return save(path, [node], [value("x", kind, shape)], [value("y", kind, shape)])


def every_type(path: Path) -> Path:
    """An input of each datatype, named after it, and the same as output `<name>_out`."""
    kinds = {
        **{f"INT{bits}": getattr(TensorProto, f"INT{bits}") for bits in (8, 16, 32, 64)},
        **{f"UINT{bits}": getattr(TensorProto, f"UINT{bits}") for bits in (8, 16, 32, 64)},
        "FP16": TensorProto.FLOAT16,
        "FP32": TensorProto.FLOAT,
        "FP64": TensorProto.DOUBLE,
        "BOOL": TensorProto.BOOL,
        "BYTES": TensorProto.STRING,
    }
    nodes = [helper.make_node("Identity", [name], [f"{name}_out"]) for name in kinds]
    inputs = [value(name, kind, ["n"]) for name, kind in kinds.items()]
    outputs = [value(f"{name}_out", kind, ["n"]) for name, kind in kinds.items()]
    return save(path, nodes, inputs, outputs)


def zipmap(path: Path) -> Path:
    """`x` (n, 2) float; `label`, and `probabilities` as a list of maps with the keys "no" and "yes"."""
    nodes = [
        helper.make_node("Softmax", ["x"], ["p"], axis=1),
        helper.make_node(
            "ZipMap", ["p"], ["probabilities"], domain="ai.onnx.ml", classlabels_strings=["no", "yes"]
        ),
        helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0),
    ]
    maps = helper.make_map_type_proto(
        TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    )
    table = helper.make_value_info("probabilities", helper.make_sequence_type_proto(maps))
    inputs = [value("x", TensorProto.FLOAT, ["n", 2])]
    return save(path, nodes, inputs, [value("label", TensorProto.INT64, ["n"]), table])


def heavy(path: Path) -> Path:
    """`x` (1) int64; `y` (1): what so many products of two large matrices come to."""
    side = 512
    weights = helper.make_tensor("w", TensorProto.FLOAT, [side, side], np.full(side * side, 1 / side, "f4"))
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["a", "w"], ["a_next"]),
            helper.make_node("Identity", ["go"], ["go_next"]),
        ],
        "round",
        [
            value("i", TensorProto.INT64, []),
            value("go", TensorProto.BOOL, []),
            value("a", TensorProto.FLOAT, [side, side]),
        ],
        [value("go_next", TensorProto.BOOL, []), value("a_next", TensorProto.FLOAT, [side, side])],
    )
    nodes = [
        helper.make_node("Loop", ["rounds", "", "w"], ["end"], body=body),
        helper.make_node("ReduceSum", ["end"], ["sum"], keepdims=0),
        helper.make_node("Reshape", ["sum", "one"], ["y"]),
        helper.make_node("Squeeze", ["x"], ["rounds"]),
    ]
    nodes = [nodes[3], *nodes[:3]]
    one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    return save(
        path,
        nodes,
        [value("x", TensorProto.INT64, [1])],
        [value("y", TensorProto.FLOAT, [1])],
        [weights, one],
    )
