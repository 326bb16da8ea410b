"""The lineage over several hops on the pages of things."""

import pytest

from mlops.lifecycle import Status
from mlops.models import Artifact
from tests.mlops import factories

pytestmark = pytest.mark.django_db
GROUP = "/w/north/g/red/"


def text(response):
    return response.content.decode()


def test_drawing_and_list_say_the_same(red, viewer, browse):
    data = factories.artifact(red, name="<petals>")
    run = factories.execution(factories.configuration(red, inputs={"petals": data}), status=Status.COMPLETED)
    model = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
    Artifact.unscoped.filter(pk=model.pk).update(execution=run)
    shown = text(browse(viewer).get(f"{GROUP}executions/{run.pk}/?tab=lineage"))
    drawing, relations = shown.split('class="dag"')[1].split('id="relations-title"')
    for part in (drawing, relations):
        for url in (f"datasets/{data.pk}/", f"executions/{run.pk}/", f"models/{model.pk}/"):
            assert f'href="{GROUP}{url}"' in part
        assert "&lt;petals&gt;" in part
    assert drawing.count('<rect class="box"') == 3
    assert drawing.count("<path") == 4
    assert "There is more than fits" not in shown
