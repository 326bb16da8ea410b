"""Forms made of ONNX files, sent to Launchpad's own model server: what they make fits what it takes."""

import json

import pytest
from onnx import TensorProto

from launchpad.access import open_scope, system_scope
from mlops import storage
from mlops.domain import artifact_facts, served_models, trials
from mlops.domain.trials import Call
from mlops.models import ArtifactFacts
from mlops.views.trial_answer import scored
from mlops.views.trial_forms import TrialForm
from tests.mlops import factories, trying
from tests.mlops.serving_server import graphs
from tests.mlops.serving_server.process import ModelServer

pytestmark = [pytest.mark.django_db]

MODELS = {
    "measures": (lambda path: graphs.classifier(path, 4), ["number"] * 4),
    "pixels": (lambda path: graphs.classifier(path, 64, 10), ["picture", "values"]),
    "colours": (lambda path: graphs.echo(path, TensorProto.FLOAT, ["n", 3, 5, 4]), ["picture", "values"]),
    "channels last": (lambda path: graphs.echo(path, TensorProto.UINT8, [1, 5, 4, 3]), ["picture", "values"]),
    "words": (lambda path: graphs.echo(path, TensorProto.STRING, ["n", 1]), ["lines"]),
    "flags": (lambda path: graphs.echo(path, TensorProto.BOOL, ["n", 2]), ["yes", "yes"]),
    "free": (lambda path: graphs.echo(path, TensorProto.INT64, ["n", "m"]), ["values"]),
    "several": (graphs.every_type, ["number"] * 11 + ["yes", "text"]),
    "vector": (lambda path: graphs.echo(path, TensorProto.FLOAT, ["n"]), ["values"]),
}


@pytest.mark.parametrize("name", MODELS)
def test_what_a_form_makes_is_answered(red, viewer, tmp_path, name):
    make, widgets = MODELS[name]
    server = ModelServer(tmp_path, make(tmp_path / "model" / "model.onnx"))
    try:
        bound = trying.configuration(red, inputs=())
        model = factories.artifact(
            red, kind="model", name="real", files={"model.onnx": server.model.read_bytes()}
        )
        path = storage.parse_url(model.url).path
        facts = artifact_facts.model(storage.open_store(red), f"{path}/model.onnx", "model.onnx")
        ArtifactFacts.unscoped.filter(artifact=bound.inputs.get().artifact).update(onnx=[facts])
        made = trying.served(bound)
        trying.answer_at(made, f"127.0.0.1:{server.ready().port}")
        scope = open_scope(viewer, "north", "red")
        served = served_models.of(bound)
        signature = served_models.signature(system_scope(red), served)
        form = TrialForm(served, signature)
        assert [one.widget for one in form.fields] == widgets
        body = TrialForm(served, signature, form.sample()).body()
        answer = trials.send(scope, made, Call("POST", served.path, json.dumps(body)))
        assert answer.status == 200, answer.text
        if name in ("measures", "pixels"):
            ((_label, shares),) = scored(json.loads(answer.text))
            assert sum(share for _, share in shares) == pytest.approx(1, abs=1e-5)
    finally:
        server.close()
