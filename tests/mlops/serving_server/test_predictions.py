"""The friendly form: rows of plain values, and predictions that need no protocol."""

import json

import pytest
from onnx import TensorProto

from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.graphs import ROW


def test_rows_get_labels_with_probabilities(classifier):
    first, second = classifier.predict({"rows": [ROW, ROW[::-1]]})
    assert (first["label"], second["label"]) == (2, 0)
    assert list(first["probabilities"]) == ["0", "1", "2"]
    assert first["probability"] == max(first["probabilities"].values())


def test_labels_beside_the_model_name_its_numbers(start, tmp_path):
    model = graphs.classifier(tmp_path / "model" / "model.onnx")
    model.with_name("labels.json").write_text(json.dumps(["cat", "dog", "cow"]))
    server = start(model.parent).ready()
    (one,) = server.predict({"rows": [ROW]})
    assert (one["label"], list(one["probabilities"])) == ("cow", ["cat", "dog", "cow"])
    assert server.client.get("/v1/signature").json()["labels"] == ["cat", "dog", "cow"]


def test_labels_that_are_none_are_ignored_with_a_line(start, tmp_path):
    model = graphs.classifier(tmp_path / "model" / "model.onnx")
    model.with_name("labels.json").write_text('{"0": "cat"}')
    server = start(model.parent).ready()
    assert server.predict({"rows": [ROW]})[0]["label"] == 2
    assert "labels.json is ignored" in server.output


def test_signature_says_what_a_form_needs(classifier):
    told = classifier.client.get("/v1/signature").json()
    assert (told["name"], told["kind"]) == ("m", "classification")
    assert told["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4], "width": 4}]
    assert classifier.predict(told["example"])


def test_one_text_or_many(start, tmp_path):
    for shape in (["n"], ["n", 1]):
        server = start(graphs.echo(tmp_path / f"{len(shape)}.onnx", TensorProto.STRING, shape)).ready()
        assert server.predict({"text": "fine"}) == ["fine"]
        assert server.predict({"text": ["fine", "bad"]}) == ["fine", "bad"]
        assert server.predict({"rows": ["fine", "bad"]}) == ["fine", "bad"]
        assert "is none" in server.predict({"text": [1]}, 400)
        assert server.client.get("/v1/signature").json()["example"] == {"text": ""}


def test_pictures_may_be_flat_or_nested(start, tmp_path):
    server = start(graphs.echo(tmp_path / "a.onnx", TensorProto.FLOAT, ["n", 1, 2, 2])).ready()
    picture = [[[1.5, 2], [3, 4]]]
    assert server.predict({"rows": [picture]}) == [picture]
    assert server.predict({"rows": [[1.5, 2, 3, 4]]}) == [picture]
    assert server.predict({"inputs": {"x": [picture, picture]}}) == [picture, picture]
    assert "the model wants the shape" in server.predict({"rows": [[1, 2, 3]]}, 400)


def test_inputs_by_name_and_rows_in_their_order(typed):
    names = [one["name"] for one in typed.client.get("/v1/signature").json()["inputs"]]
    row = {name: "a" if name == "BYTES" else name == "BOOL" or 1 for name in names}
    (by_name,) = typed.predict({"rows": [row]})
    assert typed.predict({"rows": [[row[name] for name in names]]}) == [by_name]
    assert typed.predict({"inputs": {name: [value] for name, value in row.items()}}) == [by_name]
    assert by_name == {f"{name}_out": value for name, value in row.items()}


def test_shortest_numbers(start, tmp_path):
    server = start(graphs.echo(tmp_path / "a.onnx", TensorProto.FLOAT, ["n", 1])).ready()
    assert (
        server.client.post("/v1/predict", json={"rows": [[0.1], [None]]}).text == '{"predictions":[0.1,null]}'
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, 'exactly one of "rows", "inputs" and "text"'),
        ({"rows": [ROW], "text": "a"}, "exactly one of"),
        ({"rows": []}, "rows must be a list"),
        ({"rows": "a"}, "rows must be a list"),
        ({"rows": [ROW, ROW[:2]]}, "'x': its rows are not all of one length"),
        ({"rows": [ROW[:2]]}, "'x': the model wants the shape [-1, 4], not [1, 2]"),
        ({"rows": [["a"] * 4]}, "'x': 'a' is no FP32 number"),
        ({"rows": [{"y": 1}]}, "Row 1 must be an object with 'x'"),
        ({"rows": [{"x": ROW}, 7]}, "Row 2 must be an object with 'x'"),
        ({"inputs": {"y": 1}}, "inputs must be an object with 'x'"),
        ({"inputs": [1]}, "inputs must be an object with 'x'"),
        ({"text": "a"}, "The model takes no text"),
    ],
)
def test_refused(classifier, body, reason):
    assert reason in classifier.predict(body, 400)
