"""Models of scikit-learn in the environment that their server's own requirements make."""

import subprocess
from pathlib import Path

import pytest

from mlops.engine import environments
from tests.mlops.serving_server.process import CODE, ModelServer, tensor

# Its environment, and each start of scikit-learn, take seconds.
pytestmark = pytest.mark.slow
ROW = [5.0, 5.5]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    cache = tmp_path_factory.mktemp("environment")
    requirements = CODE / "sklearn-requirements.txt"
    made = environments.ensure(requirements, cache=cache, on_line=lambda line: None, stopped=lambda: False)
    return made / "bin" / "python"


@pytest.fixture(scope="module")
def models(python, tmp_path_factory):
    """A folder for each model, by its name."""
    folder = tmp_path_factory.mktemp("models")
    subprocess.run([python, Path(__file__).with_name("sklearn_models.py"), folder], check=True)
    return folder


@pytest.fixture(scope="module")
def words(python, models, tmp_path_factory):
    """A classifier with labels that are words, and with names of its values."""
    server = ModelServer(tmp_path_factory.mktemp("words"), models / "words", form="sklearn", python=python)
    yield server.ready()
    server.close()


@pytest.fixture
def serve(start, python, models):
    return lambda name: start(models / name, form="sklearn", python=python)


class TestClassifiers:
    def test_protocol(self, words):
        told = words.client.get("/v2/models/m").json()
        assert told["platform"].startswith("sklearn_")
        assert told["inputs"] == [{"name": "input", "datatype": "FP64", "shape": [-1, 2]}]
        assert told["outputs"] == [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, 2]},
        ]
        found = words.outputs(tensor("input", "FP32", [2, 2], [0, 0, *ROW]))
        assert found["label"] == ["bad", "good"]
        assert sum(found["probabilities"]) == pytest.approx(2)

    def test_rows_by_name_and_in_order(self, words):
        (by_name,) = words.predict({"rows": [{"height": 5.5, "width": 5}]})
        assert words.predict({"rows": [ROW]}) == [by_name]
        assert (by_name["label"], list(by_name["probabilities"])) == ("good", ["bad", "good"])
        assert "Row 1 must be an object with 'width', 'height'" in words.predict(
            {"rows": [{"width": 1}]}, 400
        )

    def test_signature_names_the_values(self, words):
        told = words.client.get("/v1/signature").json()
        assert told["inputs"][0]["features"] == ["width", "height"]
        assert (told["labels"], told["example"]) == (["bad", "good"], {"rows": [{"width": 0, "height": 0}]})

    def test_values_that_the_model_refuses(self, words):
        assert "The model refuses these values: ValueError" in words.refused(
            tensor("input", "FP64", [1, 2], [None, 1])
        )

    def test_numbered_labels_get_the_names_beside_the_model(self, serve):
        server = serve("numbers").ready()
        assert server.predict({"rows": [ROW]})[0]["label"] == "large"
        assert server.outputs(tensor("input", "FP64", [1, 2], ROW))["label"] == [1]

    def test_without_probabilities(self, serve):
        server = serve("svc").ready()
        assert list(server.outputs(tensor("input", "FP64", [1, 2], ROW))) == ["label"]
        assert server.predict({"rows": [ROW]}) == [{"label": "good"}]


class TestOthers:
    @pytest.mark.parametrize("name", ["text", "union"])
    def test_texts(self, serve, name):
        server = serve(name).ready()
        assert server.outputs(tensor("text", "BYTES", [2], ["so late", "kind"]))["label"] == ["bad", "good"]
        assert server.predict({"text": "kind"})[0]["label"] == "good"
        assert "wants the shape [-1], not [2, 1]" in server.refused(
            tensor("text", "BYTES", [2, 1], ["a", "b"])
        )

    @pytest.mark.parametrize(
        ("name", "output", "answer"),
        [
            ("regressor", "predict", [10.5]),
            ("plane", "predict", [[5.5, 5.0]]),
            ("scaler", "transform", [[1.0, 0.98058]]),
        ],
    )
    def test_numbers(self, serve, name, output, answer):
        server = serve(name).ready()
        assert list(server.outputs(tensor("input", "FP64", [1, 2], ROW))) == [output]
        for told, right in zip(server.predict({"rows": [ROW]}), answer, strict=True):
            assert told == pytest.approx(right, abs=1e-5)

    def test_clusters_are_whole_numbers(self, serve):
        server = serve("clusters").ready()
        assert server.client.get("/v2/models/m").json()["outputs"][0]["datatype"] == "INT64"
        first, second, third = server.predict({"rows": [ROW, [5, 5], [0, 0]]})
        assert first == second != third

    def test_sparse_answers_are_filled(self, serve):
        found = serve("vectorizer").ready().outputs(tensor("text", "BYTES", [1], ["kind"]))
        assert sorted(found["transform"])[-2:] == [0, 1]

    def test_several_labels_a_row_come_without_probabilities(self, serve):
        server = serve("several").ready()
        assert [name for name, *_ in server.predict({"rows": [ROW, [0, 0]]})] == ["b", "a"]

    def test_another_version_is_told(self, serve):
        server = serve("old").ready()
        assert "WARN model.pkl was made with scikit-learn 00000 and is served with" in server.output


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("unfitted", "does not say how many values a row has (n_features_in_)"),
        ("table", "the dict in it"),
        ("stranger", "it needs the Python package 'nowhere', which is not here"),
        ("trap", "it is no model that joblib of this environment can load"),
        ("nothing", "there is no such file or folder"),
    ],
)
def test_files_that_are_no_model(serve, name, reason):
    assert reason in serve(name).failed()


def test_garbage(start, python, tmp_path):
    (tmp_path / "model.joblib").write_bytes(b"no pickle" * 100)
    assert (
        "it is no model that joblib"
        in start(tmp_path / "model.joblib", form="sklearn", python=python).failed()
    )
