"""Pages of datasets, models, result sets and other artifacts."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import system_scope
from launchpad.audit.models import AuditEvent
from mlops import storage
from mlops.domain import metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Artifact, Execution
from tests.mlops import factories

HERE = "/w/north/g/red/"
NOUNS = {
    "datasets": Artifact.Kind.DATASET,
    "models": Artifact.Kind.MODEL,
    "resultsets": Artifact.Kind.RESULTSET,
    "others": Artifact.Kind.OTHER,
}


@pytest.fixture
def scenario(red):
    """The factory's scenario, with its executable."""
    return factories.catalog_version(red).executable.scenario


@pytest.fixture
def stored(red):
    """A folder in red's object store that is no artifact yet."""
    storage.open_store(red).write("data/train.csv", [b"text,label\nfine,compliment\n"], overwrite=True)
    return "ai://default/data"


def text(response):
    return response.content.decode()


def values(**changed):
    """A complete form that registers the stored folder."""
    told = {"name": "train", "scenario": factories.SCENARIO, "way": "address", "url": "ai://default/data"}
    return told | changed


def queries(browser, url):
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


class TestIndex:
    @pytest.mark.parametrize("noun", NOUNS)
    def test_an_empty_list_offers_the_first_one_to_editors_only(self, red, editor, viewer, browse, noun):
        address = f"{HERE}{noun}/register"
        assert address in text(browse(editor).get(f"{HERE}{noun}/"))
        shown = text(browse(viewer).get(f"{HERE}{noun}/"))
        assert " yet</h2>" in shown
        assert address not in shown

    def test_an_empty_list_of_datasets_knows_where_the_tutorials_data_lies(self, stored, editor, browse):
        assert "<code>ai://default/data</code>" in text(browse(editor).get(f"{HERE}datasets/"))

    @pytest.mark.parametrize(("noun", "kind"), NOUNS.items())
    def test_each_noun_lists_its_own_kind(self, red, viewer, browse, noun, kind):
        for one in NOUNS.values():
            factories.artifact(red, kind=one, name=f"a {one} thing")
        shown = text(browse(viewer).get(f"{HERE}{noun}/"))
        assert [one for one in NOUNS.values() if f"a {one} thing" in shown] == [kind]

    def test_versions_of_one_name_stand_together_newest_first(self, red, viewer, browse):
        first = factories.artifact(red, name="alpha")
        factories.artifact(red, name="beta")
        second = factories.artifact(red, name="alpha")
        shown = text(browse(viewer).get(f"{HERE}datasets/"))
        places = [shown.index(f'id="a-{one.pk}"') for one in (second, first)]
        assert places == sorted(places)
        assert shown.index("beta") > places[1]
        assert shown.count(">alpha</a>") == 1
        assert "alpha, version 1" in shown

    def test_filters_by_text_and_scenario(self, red, viewer, browse):
        factories.artifact(red, name="alpha", description="of last June")
        factories.artifact(red, name="beta")
        browser = browse(viewer)
        shown = text(browser.get(f"{HERE}datasets/", {"q": "JUNE"}))
        assert "alpha" in shown and "beta" not in shown
        shown = text(browser.get(f"{HERE}datasets/", {"scenario": factories.SCENARIO}))
        assert "alpha" in shown and "Remove filter Scenario" in shown
        assert "Nothing matches" in text(browser.get(f"{HERE}datasets/", {"scenario": "other"}))
        assert "<select" in text(browser.get(f"{HERE}datasets/", {"filter": "scenario"}))

    @pytest.mark.parametrize("q", ["~", "x" * 81, "\x00"])
    def test_a_text_that_cannot_be_looked_for_is_refused_in_words(self, red, viewer, browse, q):
        factories.artifact(red)
        response = browse(viewer).get(f"{HERE}datasets/", {"q": q})
        assert response.status_code == 422
        assert "1 to 80 characters" in text(response)

    def test_costs_the_same_with_one_and_three(self, red, editor, browse):
        browser = browse(editor)
        for address in (f"{HERE}models/", f"{HERE}models/?filter=scenario", f"{HERE}models/?q=m"):
            Artifact.unscoped.all().delete()
            factories.artifact(red, kind=Artifact.Kind.MODEL, name="m one")
            one = queries(browser, address)
            for name in ("m two", "m three"):
                factories.artifact(red, kind=Artifact.Kind.MODEL, name=name)
            assert queries(browser, address) == one <= 8

    def test_names_are_text_and_the_fragment_is_the_tables_own(self, red, viewer, browse):
        factories.artifact(red, name="<b>bold</b>")
        headers = {"HX-Request": "true", "HX-Target": "artifact-table"}
        shown = text(browse(viewer).get(f"{HERE}datasets/", headers=headers))
        assert shown.strip().startswith('<div class="stack" id="artifact-table"')
        assert "&lt;b&gt;bold" in shown


class TestDetail:
    def test_shows_facts_files_and_preview(self, red, viewer, browse):
        made = factories.artifact(red, files={"a b#.csv": b"length,kind\n1,<i>\n", "more/x.bin": b"\x00\xff"})
        shown = text(browse(viewer).get(f"{HERE}datasets/{made.pk}/"))
        assert made.url in shown and made.digest in shown
        assert f"{HERE}artifacts/{made.pk}/files/a%20b%23.csv" in shown
        assert "<td>&lt;i&gt;</td>" in shown
        assert "in 2 files" in shown
        assert f">2 files, {made.size_bytes} B</span></header>" in shown

    def test_another_file_is_previewed_as_the_fragment(self, red, viewer, browse):
        made = factories.artifact(
            red, files={"a.csv": b"length\n1\n", "notes.txt": b"<script>alert(1)</script>"}
        )
        headers = {"HX-Request": "true", "HX-Target": "artifact-preview"}
        browser = browse(viewer)
        shown = text(browser.get(f"{HERE}datasets/{made.pk}/", {"file": "notes.txt"}, headers=headers))
        assert shown.strip().startswith('<section class="card" id="artifact-preview"')
        assert "&lt;script&gt;alert(1)" in shown
        assert browser.get(f"{HERE}datasets/{made.pk}/", {"file": "../data.csv"}).status_code == 404

    def test_the_download_gives_the_bytes(self, red, viewer, browse):
        made = factories.artifact(red, files={"a b#.csv": b"length\n1\n"})
        response = browse(viewer).get(f"{HERE}artifacts/{made.pk}/files/a%20b%23.csv")
        assert b"".join(response.streaming_content) == b"length\n1\n"

    def test_says_when_files_are_missing_or_changed(self, red, viewer, browse):
        made = factories.artifact(red)
        store, path = storage.open_store(red), storage.parse_url(made.url).path
        browser = browse(viewer)
        assert "Nothing is stored at" not in text(browser.get(f"{HERE}datasets/{made.pk}/"))
        store.write(f"{path}/data.csv", [b"length,kind\n2,b\n"], overwrite=True)
        assert "not those that were registered" not in text(browser.get(f"{HERE}datasets/{made.pk}/"))
        shown = text(browser.get(f"{HERE}datasets/{made.pk}/?check=bytes"))
        assert "not those that were registered" in shown
        store.write(f"{path}/more.csv", [b"x"])
        assert "not those that were registered" in text(browser.get(f"{HERE}datasets/{made.pk}/"))
        store.delete_prefix(path)
        shown = text(browser.get(f"{HERE}datasets/{made.pk}/"))
        assert "Nothing is stored at" in shown
        assert "gone from the object store" in shown

    def test_shows_what_its_execution_measured_of_it(self, red, viewer, browse):
        run = factories.execution(factories.configuration(red), status=Status.COMPLETED)
        made = factories.artifact(red, kind=Artifact.Kind.MODEL, name="classifier")
        Artifact.unscoped.filter(pk=made.pk).update(execution=run)
        label, other = (((metrics.OUTPUT_LABEL, name),) for name in ("classifier", "another"))
        points = [Point("accuracy", 0.91, labels=label), Point("accuracy", 0.1234, labels=other)]
        metrics.record(system_scope(red), run.pk, metrics=points)
        shown = text(browse(viewer).get(f"{HERE}models/{made.pk}/"))
        assert "<dt>accuracy</dt><dd>0.91" in shown and "0.123" not in shown

    def test_leads_to_the_execution_that_made_it_and_to_what_uses_it(self, red, viewer, browse):
        bound = factories.configuration(red, parameters={"EPOCHS": "77"})
        run = factories.execution(bound, status=Status.COMPLETED)
        made = factories.artifact(red, kind=Artifact.Kind.MODEL, name="petal-model")
        Artifact.unscoped.filter(pk=made.pk).update(execution=run)
        browser = browse(viewer)
        shown = text(browser.get(f"{HERE}models/{made.pk}/"))
        assert f"{HERE}executions/{run.pk}/" in shown
        assert "77" in shown and "petals:1" in shown
        source = Artifact.unscoped.get(kind=Artifact.Kind.DATASET)
        shown = text(browser.get(f"{HERE}datasets/{source.pk}/"))
        assert f"{HERE}configurations/{bound.pk}/" in shown and f"{HERE}executions/{run.pk}/" in shown

    def test_under_another_noun_it_leads_to_its_own_page(self, red, viewer, browse):
        made = factories.artifact(red)
        response = browse(viewer).get(f"{HERE}models/{made.pk}/")
        assert response.status_code == 303
        assert response["Location"] == f"{HERE}datasets/{made.pk}/"

    def test_versions_are_listed_with_the_shown_one_marked(self, red, viewer, browse):
        first, second = factories.artifact(red), factories.artifact(red)
        shown = text(browse(viewer).get(f"{HERE}datasets/{first.pk}/"))
        assert f"{HERE}datasets/{second.pk}/" in shown
        assert "Version 1</span>" in shown
        assert "Version 2, newest" in text(browse(viewer).get(f"{HERE}datasets/{second.pk}/"))


class TestRegister:
    def test_by_address(self, red, scenario, stored, editor, browse):
        response = browse(editor).post(f"{HERE}datasets/register", values())
        made = Artifact.unscoped.get()
        assert response.status_code == 303
        assert response["Location"] == f"{HERE}datasets/{made.pk}/"
        assert (made.kind, made.name, made.version, made.file_count) == ("dataset", "train", 1, 1)
        assert made.created_by == editor
        assert AuditEvent.unscoped.get(verb="artifacts.register").actor == "editor"

    def test_by_upload(self, red, scenario, editor, browse):
        files = [SimpleUploadedFile("a b#.txt", b"hello"), SimpleUploadedFile("empty.txt", b"")]
        sent = values(way="upload", url="", name="hand-made", files=files)
        assert browse(editor).post(f"{HERE}models/register", sent).status_code == 303
        made = Artifact.unscoped.get()
        path = storage.parse_url(made.url).path
        assert (made.kind, made.file_count, made.size_bytes) == ("model", 2, 5)
        assert b"".join(storage.open_store(red).open(f"{path}/a b#.txt")) == b"hello"

    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"name": ""}, "Give it a name."),
            ({"name": "x" * 257}, "at most 256"),
            ({"scenario": "no-such"}, "Choose one of the workspace&#x27;s scenarios."),
            ({"url": ""}, "Give the address"),
            ({"url": "ai://default/nothing"}, "Nothing is stored at ai://default/nothing"),
            ({"url": "ai://default/../secret"}, "Give the path without . and .."),
            ({"url": "s3://data"}, "must start with ai://"),
            ({"url": "ai://elsewhere/data"}, "There is no object store"),
            ({"description": "x" * 5001}, "at most 5000"),
            ({"way": "upload"}, "Choose at least one file."),
            ({"way": "magic"}, "Choose where the files are."),
        ],
    )
    def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(
        self, scenario, stored, editor, browse, changed, sentence
    ):
        sent = values(**{"name": "kept <name>", "description": "kept description"} | changed)
        response = browse(editor).post(f"{HERE}datasets/register", sent)
        shown = text(response)
        assert response.status_code == 422
        assert sentence in shown
        for field in ("name", "description"):
            if field not in changed:
                assert f"kept {field}" in shown.replace("&lt;", "").replace("&gt;", "")
        assert not Artifact.unscoped.exists()

    def test_htmx_gets_the_form_back_or_is_led_on(self, red, scenario, stored, editor, browse):
        headers = {"HX-Request": "true", "HX-Target": "artifact-form"}
        browser = browse(editor)
        response = browser.post(f"{HERE}datasets/register", values(url=""), headers=headers)
        assert response.status_code == 422
        assert text(response).strip().startswith('<form class="card" id="artifact-form"')
        response = browser.post(f"{HERE}datasets/register", values(), headers=headers)
        assert response["HX-Redirect"] == f"{HERE}datasets/{Artifact.unscoped.get().pk}/"

    def test_links_fill_in_what_they_know(self, scenario, editor, browse):
        query = {"name": "train", "scenario": factories.SCENARIO, "url": "ai://default/data"}
        shown = text(browse(editor).get(f"{HERE}datasets/register", query))
        assert 'value="train"' in shown and 'value="ai://default/data"' in shown
        assert f'<option value="{factories.SCENARIO}" selected>' in shown

    def test_leads_back_to_the_draft_that_wanted_it_and_nowhere_else(self, scenario, stored, editor, browse):
        browser = browse(editor)
        back = f"{HERE}configurations/create?draft=0&step=inputs"
        response = browser.post(f"{HERE}datasets/register?next=" + back.replace("&", "%26"), values())
        made = Artifact.unscoped.get()
        assert response["Location"] == f"{back}&registered={made.pk}"
        for evil in ("//evil.example/", "https://evil.example/?x", f"{HERE}executions/?x"):
            response = browser.post(f"{HERE}datasets/register?next={evil}", values())
            assert response["Location"].startswith(f"{HERE}datasets/")

    def test_only_editors_may(self, scenario, stored, viewer, browse):
        assert browse(viewer).get(f"{HERE}datasets/register").status_code == 403
        assert browse(viewer).post(f"{HERE}datasets/register", values()).status_code == 403
        assert not Artifact.unscoped.exists()
        assert not Execution.unscoped.exists()
