"""Pages where editors describe, point aliases at, compare, upload and delete artifacts."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from mlops import storage
from mlops.domain import aliases, artifact_files, metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Artifact, ArtifactAlias
from tests.mlops import factories
from tests.mlops.formats import files

HERE = "/w/north/g/red/"
HTMX = {"HX-Request": "true"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def text(response):
    return response.content.decode()


@pytest.fixture
def made(red):
    return factories.artifact(red, kind="model", name="classifier", files={"m.onnx": files.onnx_model()})


def address(made, act):
    return f"{HERE}artifacts/{made.pk}/{act}"


class TestDescribe:
    def values(self, made, **changed):
        told = {
            "description": "New <words>",
            "release_note": "Fewer words",
            "labels_key": ["stage", "", "ext.ai.sap.com/lang"],
            "labels_value": ["gold", "", "en"],
            "seen_at": made.modified_at.isoformat(),
        }
        return told | changed

    def test_the_form_shows_what_is_said_and_saves_what_is_written(self, made, editor, browse):
        browser = browse(editor)
        assert made.modified_at.isoformat() in text(browser.get(address(made, "describe")))
        response = browser.post(address(made, "describe"), self.values(made))
        assert response.status_code == 303
        shown = text(browser.get(response["Location"]))
        assert "New &lt;words&gt;" in shown and "Fewer words" in shown
        assert '<dt class="mono" title="ext.ai.sap.com/stage">stage</dt><dd>gold</dd>' in shown
        shown = text(browser.get(address(made, "describe")))
        assert 'value="stage"' in shown and 'value="lang"' in shown

    def test_the_second_editor_is_told(self, made, editor, browse):
        browser = browse(editor)
        browser.post(address(made, "describe"), self.values(made))
        response = browser.post(address(made, "describe"), self.values(made, description="mine"))
        assert response.status_code == 409
        assert "Somebody else changed classifier:1" in text(response)
        response = browser.post(address(made, "describe"), self.values(made), headers=HTMX)
        assert (response.status_code, response["HX-Retarget"]) == (409, "#toasts")

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"description": "x" * 5001}, "at most 5000"),
            ({"labels_key": ["no key!"], "labels_value": ["v"]}, "key is ext.ai.sap.com/"),
            ({"labels_key": ["a", "a"], "labels_value": ["1", "2"]}, "is given twice"),
            ({"seen_at": "yesterday"}, "New &lt;words&gt;"),
            ({"seen_at": ""}, "New &lt;words&gt;"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_lost(self, made, editor, browse, changed, sentence):
        response = browse(editor).post(address(made, "describe"), self.values(made, **changed))
        assert response.status_code == 422
        assert sentence in text(response) and "Fewer words" in text(response)
        assert Artifact.unscoped.get(pk=made.pk).description == ""

    def test_viewers_may_not(self, made, viewer, browse):
        assert browse(viewer).post(address(made, "describe"), self.values(made)).status_code == 403
        assert address(made, "describe") not in text(browse(viewer).get(f"{HERE}models/{made.pk}/"))


class TestAliases:
    def test_an_alias_is_set_moved_and_taken_away(self, red, made, editor, browse):
        browser = browse(editor)
        second = factories.artifact(red, kind="model", name="classifier")
        browser.post(address(made, "aliases/move"), {"alias": "champion", "seen": "", "why": "First"})
        shown = text(browser.get(f"{HERE}models/{second.pk}/?tab=versions"))
        assert '<input type="hidden" name="seen" value="champion=1">' in shown
        sent = {"alias": "champion", "seen": ["", "champion=1"], "why": "<b>Better</b>"}
        response = browser.post(address(second, "aliases/move"), sent)
        assert response["Location"] == f"{HERE}models/{second.pk}/?tab=versions"
        shown = text(browser.get(response["Location"]))
        assert "from version 1 to version 2" in shown and "by editor: &lt;b&gt;Better&lt;/b&gt;" in shown
        assert '<span class="tag tag-accent">champion</span>' in text(
            browser.get(f"{HERE}models/{second.pk}/")
        )
        response = browser.post(address(made, "aliases/move"), sent)
        assert response.status_code == 409
        assert "it points to version 2 now" in text(response)
        browser.post(address(second, "aliases/remove"), {"alias": "champion"})
        assert not ArtifactAlias.unscoped.exists()

    def test_a_wrong_one_is_refused_in_words(self, made, editor, browse):
        for alias in ("", "Champion", "nul\x00"):
            response = browse(editor).post(address(made, "aliases/move"), {"alias": alias}, headers=HTMX)
            assert response.status_code == 422
            assert "An alias is 1 to 63" in text(response)
        response = browse(editor).post(address(made, "aliases/remove"), {"alias": "nul\x00"})
        assert response.status_code == 422

    def test_viewers_see_them_and_move_none(self, red, made, viewer, browse):
        aliases.move(system_scope(red), made.pk, alias="champion", why="")
        browser = browse(viewer)
        shown = text(browser.get(f"{HERE}models/{made.pk}/?tab=versions"))
        assert "champion" in shown and "aliases/move" not in shown
        assert browser.post(address(made, "aliases/move"), {"alias": "a"}).status_code == 403


class TestDifference:
    def test_compares_with_the_version_before_or_the_one_asked_for(self, red, viewer, browse):
        first = factories.artifact(red, files={"a.csv": b"x\n1\n"})
        factories.artifact(red, files={"a.csv": b"x\n1\n2\n"})
        third = factories.artifact(red, files={"a.csv": b"x,<y>\n1,2\n"})
        browser = browse(viewer)
        shown = text(browser.get(address(third, "difference")))
        assert "<h1>Version 2 to 3</h1>" in shown
        assert "2 rows, then 1" in shown and "≠ &lt;y&gt;" in shown
        assert "<h1>Version 1 to 3</h1>" in text(browser.get(address(third, "difference"), {"with": "1"}))
        assert "<h1>Version 2 to 1</h1>" in text(browser.get(address(first, "difference")))

    @pytest.mark.parametrize("wanted", ["9", "x", "\x00", "99999999999999999999", "-1", "²"])
    def test_a_version_that_is_not_there_is_said(self, red, viewer, browse, wanted):
        factories.artifact(red)
        second = factories.artifact(red)
        response = browse(viewer).get(address(second, "difference"), {"with": wanted})
        assert response.status_code == 200
        assert "There is no other version" in text(response)
        assert "Both versions hold the same bytes." in text(response)

    def test_an_only_version_has_nothing_to_compare(self, made, viewer, browse):
        assert "Only one version" in text(browse(viewer).get(address(made, "difference")))


class TestDelete:
    def test_what_is_used_says_so_where_it_would_be_deleted(self, red, editor, browse):
        bound = factories.configuration(red, name="nightly")
        used = Artifact.unscoped.get(kind="dataset")
        browser = browse(editor)
        shown = text(browser.get(f"{HERE}datasets/{used.pk}/?tab=uses"))
        assert f"It is used by the configuration {bound.name}." in shown
        assert address(used, "delete") not in shown
        response = browser.post(address(used, "delete"))
        assert response.status_code == 409
        assert "It is used by the configuration nightly." in text(response)

    def test_what_is_not_used_goes(self, made, editor, browse):
        browser = browse(editor)
        assert address(made, "delete") in text(browser.get(f"{HERE}models/{made.pk}/?tab=uses"))
        assert browser.post(address(made, "delete"))["Location"] == f"{HERE}models/"
        assert browser.get(f"{HERE}models/{made.pk}/").status_code == 404

    def test_viewers_may_not(self, made, viewer, browse):
        assert browse(viewer).post(address(made, "delete")).status_code == 403
        assert address(made, "delete") not in text(browse(viewer).get(f"{HERE}models/{made.pk}/?tab=uses"))


class TestRegister:
    def test_a_zip_with_labels_and_a_note(self, red, editor, browse):
        factories.catalog_version(red)
        body = files.zipped({"in/a.csv": b"x\n1\n"})
        sent = {
            "name": "up",
            "scenario": factories.SCENARIO,
            "way": "upload",
            "release_note": "First one",
            "labels_key": ["stage"],
            "labels_value": ["raw"],
            "files": [SimpleUploadedFile("a.zip", body)],
            "unpack": "on",
        }
        browser = browse(editor)
        shown = text(browser.get(f"{HERE}datasets/register"))
        assert 'name="unpack" checked' in shown and 'name="labels_key"' in shown
        assert browser.post(f"{HERE}datasets/register", sent).status_code == 303
        made = Artifact.unscoped.get(name="up")
        assert (made.release_note, made.labels) == (
            "First one",
            [{"key": "ext.ai.sap.com/stage", "value": "raw"}],
        )
        assert [file.path for file in artifact_files.files(system_scope(red), made)] == ["in/a.csv"]
        evil = SimpleUploadedFile("a.zip", files.zipped({"../a": b""}))
        response = browser.post(f"{HERE}datasets/register", sent | {"files": [evil]})
        assert response.status_code == 422 and "without . and .." in text(response)


class TestTabs:
    def test_the_overview_of_a_model_has_its_signature(self, red, made, editor, browse):
        browser = browse(editor)
        assert "Signature" not in text(browser.get(f"{HERE}models/{made.pk}/"))
        sent = {"name": "m", "scenario": factories.SCENARIO, "way": "address", "url": made.url}
        response = browser.post(f"{HERE}models/register", sent)
        shown = text(browser.get(response["Location"]))
        assert "ONNX opset 17, ai.onnx.ml 3 · read from m.onnx" in shown
        assert '<td class="mono">x</td><td class="mono">float32</td><td class="mono">[batch, 4]</td>' in shown
        path = storage.parse_url(made.url).path
        storage.open_store(red).write(f"{path}/m.onnx", [b"<broken>"], overwrite=True)
        response = browser.post(f"{HERE}models/register", sent)
        assert "m.onnx cannot be read as an ONNX model" in text(browser.get(response["Location"]))

    def test_pictures_are_shown_and_nothing_else_is(self, red, viewer, browse):
        made = factories.artifact(red, files={"a b.png": PNG, "b.svg": b"<svg onload='alert(1)'/>"})
        browser = browse(viewer)
        shown = text(browser.get(f"{HERE}datasets/{made.pk}/?tab=files&file=a%20b.png"))
        assert f'src="{HERE}artifacts/{made.pk}/pictures/a%20b.png"' in shown
        response = browser.get(address(made, "pictures/a%20b.png"))
        assert (response["Content-Type"], response["X-Content-Type-Options"]) == ("image/png", "nosniff")
        assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert b"".join(response.streaming_content) == PNG
        assert browser.get(address(made, "pictures/b.svg")).status_code == 404
        shown = text(browser.get(f"{HERE}datasets/{made.pk}/?tab=files&file=b.svg"))
        assert "&lt;svg onload" in shown and "<img" not in shown

    def test_metrics_have_a_tab_of_their_own(self, red, made, viewer, browse):
        browser = browse(viewer)
        assert "No execution made this version" in text(browser.get(f"{HERE}models/{made.pk}/?tab=metrics"))
        run = factories.execution(factories.configuration(red), status=Status.COMPLETED)
        Artifact.unscoped.filter(pk=made.pk).update(execution=run)
        assert "Nothing measured of it" in text(browser.get(f"{HERE}models/{made.pk}/?tab=metrics"))
        metrics.record(system_scope(red), run.pk, metrics=[Point("loss", float("nan"))])
        shown = text(browser.get(f"{HERE}models/{made.pk}/?tab=metrics"))
        assert "<td>loss</td>" in shown

    @pytest.mark.parametrize("tab", ["overview", "versions", "metrics", "uses"])
    def test_costs_the_same_with_one_and_three(self, red, editor, browse, tab):
        browser = browse(editor)
        counts = []
        for _ in range(3):
            made = factories.artifact(red, kind="model", name="classifier")
            aliases.move(system_scope(red), made.pk, alias="champion", why="")
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(f"{HERE}models/{made.pk}/?tab={tab}").status_code == 200
            counts.append(len(captured))
        assert counts[2] == counts[1] <= 20
