"""The Open Inference Protocol in JSON: what is told of a model, requests, and what is refused why."""

import pytest

from tests.mlops.serving_server.graphs import ROW
from tests.mlops.serving_server.process import tensor

NUMBERS = ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64"]


def ask(server, method, path, **how):
    answer = server.client.request(method, path, **how)
    return answer.status_code, answer.json()


class TestTold:
    @pytest.mark.parametrize("path", ["/v2/models/m", "/v2/models/m/versions/1"])
    def test_metadata(self, classifier, path):
        status, told = ask(classifier, "GET", path)
        assert (status, told["name"], told["versions"], told["platform"]) == (200, "m", ["1"], "onnx_onnxv1")
        assert told["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
        assert told["outputs"][1] == {"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}

    def test_health_ready_and_server(self, classifier):
        assert ask(classifier, "GET", "/v2/health/live") == (200, {"live": True})
        assert ask(classifier, "GET", "/v2/health/ready") == (200, {"live": True})
        for path in ("/v2/models/m/ready", "/v2/models/m/versions/1/ready"):
            assert ask(classifier, "GET", path) == (200, {"name": "m", "ready": True})
        assert ask(classifier, "GET", "/v2")[1].keys() == {"name", "version", "extensions"}

    def test_what_triton_clients_ask_besides(self, classifier):
        index = [{"name": "m", "version": "1", "state": "READY", "reason": ""}]
        assert ask(classifier, "POST", "/v2/repository/index", json={"ready": True}) == (200, index)
        config = ask(classifier, "GET", "/v2/models/m/config")[1]
        assert config["input"] == [{"name": "x", "data_type": "TYPE_FP32", "dims": [-1, 4]}]

    def test_statistics_count_requests(self, classifier):
        def counts():
            (one,) = ask(classifier, "GET", "/v2/models/m/stats")[1]["model_stats"]
            return [one["inference_stats"][name]["count"] for name in ("success", "fail")]

        good, bad = counts()
        classifier.outputs(tensor("x", "FP32", [1, 4], ROW))
        classifier.refused(tensor("x", "FP32", [1, 3], ROW[:3]))
        assert counts() == [good + 1, bad + 1]

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/v2/models/other", 404),
            ("GET", "/v2/models/m/versions/2", 404),
            ("POST", "/v2/models/other/infer", 404),
            ("GET", "/", 404),
            ("GET", "/v2/models/m/infer", 405),
            ("POST", "/v2/health/ready", 405),
            ("DELETE", "/v2/models/m", 405),
        ],
    )
    def test_other_addresses_and_methods(self, classifier, method, path, status):
        answer = classifier.client.request(method, path)
        assert (answer.status_code, list(answer.json())) == (status, ["error"])
        assert ("allow" in answer.headers) == (status == 405)

    def test_a_version_of_its_own(self, start, tmp_path, classifier):
        # The running server's model, under another number.
        model = tmp_path / "model.onnx"
        model.write_bytes(classifier.model.read_bytes())
        server = start(model, "--version", "7").ready()
        assert server.infer(tensor("x", "FP32", [1, 4], ROW)).json()["model_version"] == "7"
        assert server.status("/v2/models/m/versions/7") == 200
        assert server.status("/v2/models/m/versions/1") == 404


class TestRequests:
    def test_answers_with_its_id_and_all_outputs(self, classifier):
        said = classifier.infer(tensor("x", "FP32", [2, 4], ROW + ROW[::-1]), id="q-1").json()
        assert (said["model_name"], said["model_version"], said["id"]) == ("m", "1", "q-1")
        label, probabilities = said["outputs"]
        assert label == {"name": "label", "datatype": "INT64", "shape": [2], "data": [2, 0]}
        assert probabilities["shape"] == [2, 3]
        assert sum(probabilities["data"][:3]) == pytest.approx(1)

    def test_nested_data_is_flat_data(self, classifier):
        nested = classifier.outputs(tensor("x", "FP32", [2, 4], [ROW, ROW[::-1]]))
        assert nested == classifier.outputs(tensor("x", "FP32", [2, 4], ROW + ROW[::-1]))

    def test_only_outputs_asked_for_in_that_order(self, classifier):
        rows = tensor("x", "FP32", [1, 4], ROW)
        assert list(classifier.outputs(rows, outputs=[{"name": "label"}])) == ["label"]
        both = [{"name": "probabilities"}, {"name": "label"}]
        assert list(classifier.outputs(rows, outputs=both)) == ["probabilities", "label"]

    @pytest.mark.parametrize("datatype", NUMBERS)
    def test_numbers_of_every_type_are_cast(self, classifier, datatype):
        given = [1, 2, 3, 4]
        assert classifier.outputs(tensor("x", datatype, [1, 4], given))["label"] == [2]

    def test_every_type_comes_back(self, typed):
        data = {name: [1, 0] for name in NUMBERS} | {"BOOL": [True, False], "BYTES": ["a", "Zürich ✓"]}
        found = typed.outputs(*(tensor(name, name, [2], values) for name, values in data.items()))
        assert found == {f"{name}_out": values for name, values in data.items()}

    def test_extremes_and_what_is_no_number(self, typed):
        rest = [tensor(name, name, [1], [0]) for name in NUMBERS if name not in ("INT64", "UINT64", "FP64")]
        more = [tensor("BOOL", "BOOL", [1], [1]), tensor("BYTES", "BYTES", [1], [""])]
        big = [tensor("INT64", "INT64", [1], [-(2**63)]), tensor("UINT64", "UINT64", [1], [2**64 - 1])]
        found = typed.outputs(*rest, *more, *big, tensor("FP64", "FP64", [1], [None]))
        assert (found["INT64_out"], found["UINT64_out"], found["FP64_out"]) == (
            [-(2**63)],
            [2**64 - 1],
            [None],
        )


class TestRefused:
    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            (tensor("z", "FP32", [1, 4], ROW), "'z': the model has no such input; it has 'x'"),
            (tensor("x", "FP32", [4], ROW), "'x': the model wants the shape [-1, 4], not [4]"),
            (tensor("x", "FP32", [2, 2], ROW), "'x': the model wants the shape [-1, 4], not [2, 2]"),
            (tensor("x", "FP32", [2, 4], ROW), "'x': the shape [2, 4] does not fit 4 values"),
            (tensor("x", "FP32", [1, 4], [ROW, ROW]), "'x': the shape [1, 4] does not fit lists"),
            (tensor("x", "FP32", [2, 4], [ROW, ROW[:3]]), "'x': its rows are not all of one length"),
            (tensor("x", "FP32", [2, 4], [ROW, 1]), "'x': its rows are not all of one length"),
            (tensor("x", "FP31", [1, 4], ROW), "'x': 'FP31' is no datatype"),
            (tensor("x", None, [1, 4], ROW), "'x': None is no datatype"),
            (tensor("x", "BYTES", [1, 4], list("abcd")), "'x': the model wants FP32, which BYTES cannot"),
            (tensor("x", "FP32", [1, 4], list("1234")), "'x': '1' is no FP32 number"),
            (tensor("x", "FP32", [1, 4], [True, 1, 1, 1]), "'x': True is no FP32 number"),
            (tensor("x", "FP32", [1, 4], [{}, 1, 1, 1]), "'x': {} is no FP32 number"),
            (tensor("x", "INT8", [1, 4], [1, 2, 3, 400]), "'x': a number is too large for INT8"),
            (tensor("x", "INT8", [1, 4], [1, 2, 3, 0.5]), "'x': 0.5 is no INT8 number"),
            (tensor("x", "INT8", [1, 4], [1, 2, 3, None]), "'x': None is no INT8 number"),
            (tensor("x", "BOOL", [1, 4], [1, 2, 3, 4]), "'x': BOOL values are true and false"),
            (tensor("x", "FP32", [1, 4], "1234"), "'x': its data must be a list"),
            (tensor("x", "FP32", [-1, 4], ROW), "'x': its shape [-1, 4] must hold numbers from 1 on"),
            (tensor("x", "FP32", [0, 4], []), "'x': its shape [0, 4] must hold numbers from 1 on"),
            (tensor("x", "FP32", [1.0, 4], ROW), "'x': its shape must be a list of whole numbers"),
            (tensor("x", "FP32", [True, 4], ROW), "'x': its shape must be a list of whole numbers"),
            (tensor("x", "FP32", "1,4", ROW), "'x': its shape must be a list of whole numbers"),
            (tensor("x", "FP32", [2**62, 2**62], ROW), "'x': the shape"),
            (tensor("x", "FP32", [1] * 99, [1]), "'x': more than 16 dimensions"),
            ({"name": "x", "datatype": "FP32", "shape": [1, 4]}, "'x': its data must be a list"),
            ({"name": 7}, "Each of inputs must be an object with a name"),
            ("x", "Each of inputs must be an object with a name"),
        ],
    )  # fmt: skip
    def test_a_tensor_is_named(self, classifier, given, reason):
        assert reason in classifier.refused(given)

    def test_inputs_are_there_once(self, classifier, typed):
        rows = tensor("x", "FP32", [1, 4], ROW)
        assert "'x': it is given twice" in classifier.refused(rows, rows)
        assert "'INT16': it is missing" in typed.refused(tensor("INT8", "INT8", [1], [1]))
        assert "inputs must be a list" in classifier.refused()

    @pytest.mark.parametrize(
        ("more", "reason"),
        [
            ({"outputs": [{"name": "y"}]}, "'y': the model has no such output; it has 'label'"),
            ({"outputs": ["label"]}, "no such output"),
            ({"outputs": {"name": "label"}}, "outputs must be a list"),
            ({"outputs": [{"name": "label", "parameters": {"classification": 2}}]}, "classification"),
            ({"outputs": [{"name": "label", "parameters": 7}]}, "'label': its parameters must be an object"),
            ({"id": 7}, "id must be a text"),
        ],
    )
    def test_outputs_and_id(self, classifier, more, reason):
        assert reason in classifier.refused(tensor("x", "FP32", [1, 4], ROW), **more)

    @pytest.mark.parametrize(
        ("given", "reason"),
        [
            (tensor("INT8", "FP32", [1], [1]), "'INT8': the model wants INT8, which FP32 cannot become"),
            (tensor("INT8", "INT64", [1], [300]), "'INT8': a number is too large for INT8"),
            (tensor("UINT8", "INT64", [1], [-1]), "'UINT8': a number is too large for UINT8"),
            (tensor("BOOL", "INT8", [1], [1]), "'BOOL': the model wants BOOL, which INT8 cannot become"),
            (tensor("BYTES", "INT8", [1], [1]), "'BYTES': the model wants BYTES, which INT8 cannot become"),
            (tensor("BYTES", "BYTES", [1], [1]), "'BYTES': BYTES are texts, and 1 is none"),
            (tensor("UINT64", "UINT64", [1], [2**64]), "'UINT64': a number is too large for UINT64"),
            (tensor("FP64", "FP64", [1], [10**400]), "'FP64': a number is too large for FP64"),
        ],
    )
    def test_what_cannot_be_cast(self, typed, given, reason):
        assert reason in typed.refused(given)
