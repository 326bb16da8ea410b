"""From the start to ready, models that cannot be served, and the end."""

import json
import os
import socket

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.graphs import ROW, value
from tests.mlops.serving_server.process import tensor
from tests.waiting import until


class TestReadiness:
    def test_lives_before_it_is_ready(self, start, tmp_path):
        # A fifo keeps the loader waiting until a model is written into it.
        made = graphs.classifier(tmp_path / "made.onnx").read_bytes()
        place = tmp_path / "model"
        place.mkdir()
        (place / "model.onnx").write_bytes(made)
        os.mkfifo(place / "labels.json")
        server = start(place)
        until(lambda: server.status("/v2/health/live") == 200)
        assert server.status("/v2/health/ready") == 503
        assert server.status("/v2/models/m") == 503
        refusal = server.infer(tensor("x", "FP32", [1, 4], ROW))
        assert (refusal.status_code, refusal.headers["retry-after"]) == (503, "1")
        index = server.client.post("/v2/repository/index").json()
        assert index[0]["state"] == "LOADING"
        (place / "labels.json").write_text('["a", "b", "c"]')
        server.ready()
        assert server.predict({"rows": [ROW]})[0]["label"] == "c"

    def test_one_line_tells_of_the_model_and_none_of_requests(self, start, tmp_path):
        server = start(graphs.classifier(tmp_path / "model.onnx")).ready()
        for _ in range(3):
            server.outputs(tensor("x", "FP32", [1, 4], ROW))
            server.refused(tensor("x", "FP32", [1, 3], ROW[:3]))
        (line,) = server.output.splitlines()
        assert line.startswith("INFO Model m (model.onnx) loaded in ")
        assert line.endswith("inputs: x FP32[-1, 4]; outputs: label INT64[-1], probabilities FP32[-1, 3]")

    def test_nothing_is_kept_of_this_machine_to_be_reported(self, start, tmp_path):
        # onnxruntime begins with an identifier below the home folder.
        start(graphs.classifier(tmp_path / "model.onnx")).ready()
        assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["server"]

    def test_zeros_need_not_be_what_a_model_takes(self, start, tmp_path):
        table = helper.make_tensor("t", TensorProto.FLOAT, [2], [1.0, 2.0])
        nodes = [
            helper.make_node("Sub", ["x", "one"], ["i"]),
            helper.make_node("Sub", ["i", "one"], ["j"]),
            helper.make_node("Sub", ["j", "one"], ["k"]),
            helper.make_node("Gather", ["t", "k"], ["y"]),
        ]
        one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
        io = [value("x", TensorProto.INT64, ["n"])], [value("y", TensorProto.FLOAT, ["n"])]
        server = start(graphs.save(tmp_path / "model.onnx", nodes, *io, [table, one])).ready()
        assert "WARN A trial with zeros failed" in server.output
        assert server.outputs(tensor("x", "INT64", [1], [4])) == {"y": [2.0]}
        assert "The model refuses these values" in server.refused(tensor("x", "INT64", [1], [9]))


class TestFound:
    def test_at_any_depth_and_model_onnx_before_others(self, start, tmp_path):
        graphs.echo(tmp_path / "m" / "other.onnx", TensorProto.FLOAT, ["n"])
        graphs.classifier(tmp_path / "m" / "deep" / "deeper" / "model.onnx")
        (tmp_path / "m" / ".hidden").mkdir()
        (tmp_path / "m" / ".hidden" / "model.onnx").write_text("no model")
        assert start(tmp_path / "m").ready().predict({"rows": [ROW]})

    def test_several_are_named(self, start, tmp_path):
        for name in ("a", "b"):
            graphs.echo(tmp_path / "m" / f"{name}.onnx", TensorProto.FLOAT, ["n"])
        said = start(tmp_path / "m").failed()
        assert said == (
            "ERROR Several files could be the model: a.onnx, b.onnx. Name the one to serve model.onnx."
        )

    def test_none(self, start, tmp_path):
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "model.txt").touch()
        outside = graphs.classifier(tmp_path / "elsewhere.onnx")
        (tmp_path / "m" / "model.onnx").symlink_to(outside)
        assert start(tmp_path / "m").failed() == "ERROR m: the folder holds no file that ends in .onnx."
        assert "there is no such file or folder" in start(tmp_path / "nowhere").failed()


class TestBadModels:
    @pytest.mark.parametrize("content", [b"", b"\x08", os.urandom(5000), b"model.onnx\n" * 100])
    def test_garbage(self, start, tmp_path, content):
        (tmp_path / "model.onnx").write_bytes(content)
        said = start(tmp_path / "model.onnx").failed()
        assert said.startswith("ERROR model.onnx: ")

    def test_a_file_that_was_cut_off(self, start, tmp_path):
        model = graphs.classifier(tmp_path / "model.onnx")
        model.write_bytes(model.read_bytes()[:-20])
        assert "it is no ONNX model, or one that was cut off" in start(model).failed()

    @pytest.mark.parametrize("how", [{"opset": 99}, {"ir": 99}, {"operator": "Frobnicate"}])
    def test_too_new_or_unknown(self, start, tmp_path, how):
        node = helper.make_node(how.pop("operator", "Relu"), ["x"], ["y"])
        io = [value("x", TensorProto.FLOAT, ["n"])], [value("y", TensorProto.FLOAT, ["n"])]
        said = start(graphs.save(tmp_path / "model.onnx", [node], *io, **how)).failed()
        assert "it needs an operator, or a version of operators, that onnxruntime" in said

    @pytest.mark.parametrize("location", ["../secret.bin", "/proc/self/environ", "missing.bin"])
    def test_weights_outside_its_folder(self, start, tmp_path, location):
        (tmp_path / "secret.bin").write_bytes(bytes(64))
        model = graphs.classifier(tmp_path / "m" / "model.onnx")
        loaded = onnx.load(model)
        weights = loaded.graph.initializer[0]
        weights.ClearField("float_data")
        weights.data_location = TensorProto.EXTERNAL
        weights.external_data.add(key="location", value=location)
        model.write_bytes(loaded.SerializeToString())
        assert "its weights lie in other files" in start(model).failed()

    def test_weights_in_its_folder(self, start, tmp_path):
        model = graphs.classifier(tmp_path / "m" / "model.onnx")
        loaded = onnx.load(model)
        weights = np.eye(4, 3, dtype="<f4").tobytes()
        loaded.graph.initializer[0].ClearField("float_data")
        loaded.graph.initializer[0].raw_data = weights
        onnx.save(loaded, model, save_as_external_data=True, location="w.bin", size_threshold=0)
        assert start(model.parent).ready().predict({"rows": [ROW]})[0]["label"] == 2

    def test_answers_that_are_no_tensors(self, start, tmp_path):
        node = helper.make_node("SequenceConstruct", ["x"], ["y"])
        sequence = helper.make_tensor_sequence_value_info("y", TensorProto.FLOAT, None)
        model = graphs.save(
            tmp_path / "model.onnx", [node], [value("x", TensorProto.FLOAT, ["n"])], [sequence]
        )
        assert "'y' is seq(tensor(float)), which the inference protocol cannot" in start(model).failed()

    def test_lists_of_maps_become_a_table(self, start, tmp_path):
        server = start(graphs.zipmap(tmp_path / "model.onnx")).ready()
        found = server.infer(tensor("x", "FP32", [3, 2], [9, 0, 0, 9, 9, 0])).json()["outputs"]
        assert (found[1]["datatype"], found[1]["shape"]) == ("FP32", [3, 2])
        assert [round(one) for one in found[1]["data"]] == [1, 0, 0, 1, 1, 0]
        (one,) = server.predict({"rows": [[0, 9]]})
        assert (one["label"], list(one["probabilities"])) == ("yes", ["no", "yes"])


class TestEnd:
    def test_at_once_when_nothing_is_open(self, start, tmp_path):
        server = start(graphs.classifier(tmp_path / "model.onnx")).ready()
        assert server.stop() == 0

    def test_while_it_still_loads(self, start, tmp_path):
        place = graphs.classifier(tmp_path / "m" / "model.onnx").parent
        os.mkfifo(place / "labels.json")
        server = start(place)
        until(lambda: server.status("/v2/health/live") == 200)
        assert server.stop() == 0

    def test_open_requests_are_answered_and_new_ones_are_not(self, start, tmp_path):
        server = start(graphs.heavy(tmp_path / "model.onnx")).ready()
        body = json.dumps({"inputs": [tensor("x", "INT64", [1], [100])]}).encode()
        head = f"POST /v2/models/m/infer HTTP/1.1\r\nHost: m\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", server.port), timeout=120) as line:
            line.sendall(head + body)
            # What came before this has been taken when it is answered.
            assert server.status("/v2/health/live") == 200
            assert server.stop() == 0
            assert line.recv(65536).startswith(b"HTTP/1.1 200 ")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{server.port}/v2/health/live")
