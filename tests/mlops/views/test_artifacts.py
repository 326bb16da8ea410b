"""Pages of datasets, models, result sets and other artifacts."""

import html
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from mlops import paging, storage
from mlops.domain import flags, metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Artifact, Comment, Execution
from mlops.views import artifact_list
from mlops.views.artifact_list import ArtifactList
from mlops.views.nouns import NOUNS as MODULE_NOUNS
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
        assert shown.count(">alpha</a>") == 2
        assert shown.count('aria-label="alpha, earlier version 1">alpha</a>') == 1

    def test_columns_are_chosen_and_kept(self, red, viewer, browse):
        for number in range(60):
            factories.artifact(red, kind=Artifact.Kind.MODEL, name=f"m{number}")
        browser, chosen = browse(viewer), "column=files&amp;column=created"
        query = {"q": "m", "sort": "name", "column": ["created", "files", "nothing"]}
        shown = text(browser.get(f"{HERE}models/", query))
        assert ">Files</th>" in shown and ">Path</th>" not in shown and ">Version</th>" not in shown
        head, _, rest = shown.partition("<thead>")
        body = rest.partition("<tbody>")[2].partition("</tr>")[0]
        assert rest.partition("</thead>")[0].count("<th") == body.count("<td") == 4
        assert '<input type="hidden" name="column" value="files">' in head
        assert f'name="query" value="q=m&amp;sort=name&amp;{chosen}"' in head
        assert f'href="?q=m&amp;view=names&amp;sort=name&amp;{chosen}"' in head
        assert f'href="?q=m&amp;sort=-name&amp;{chosen}"' in rest and f'href="?q=m&amp;{chosen}"' in rest
        older = html.unescape(re.search(r'rel="next" href="([^"]*)"', rest)[1])
        page = text(browser.get(f"{HERE}models/{older}"))
        assert ">Files</th>" in page and ">Path</th>" not in page
        told = html.unescape(re.search(r'name="query" value="([^"]*)"', head)[1])
        saved = {"noun": "models", "name": "My columns", "query": told}
        kept = browser.post(f"{HERE}views/create", saved)["Location"]
        assert re.search(r'aria-current="page">My columns', page := text(browser.get(kept)))
        assert ">Files</th>" in page and ">Path</th>" not in page
        usual = text(browser.get(f"{HERE}models/"))
        assert ">Path</th>" in usual and ">Files</th>" not in usual

    def test_every_column_has_its_cell(self, red, viewer, browse):
        factories.artifact(red, name="alpha")
        names = [name for name, _, _ in artifact_list.COLUMNS]
        for asked in (names, *([name] for name in names)):
            shown = text(browse(viewer).get(f"{HERE}datasets/", {"column": asked})).partition("<thead>")[2]
            assert shown.partition("</thead>")[0].count("<th") == shown.count("<td") == 1 + len(asked)

    def test_filters_by_text_and_scenario(self, red, viewer, browse):
        factories.artifact(red, name="alpha", description="of last June")
        factories.artifact(red, name="beta")
        browser = browse(viewer)
        shown = text(browser.get(f"{HERE}datasets/", {"q": "JUNE"}))
        assert "alpha" in shown and "beta" not in shown
        shown = text(browser.get(f"{HERE}datasets/", {"scenario": factories.SCENARIO}))
        assert "alpha" in shown and "Remove filter Scenario" in shown
        assert "Nothing matches" in text(browser.get(f"{HERE}datasets/", {"scenario": "other"}))

    @pytest.mark.parametrize("q", ["~", "x" * 81, "\x00"])
    def test_a_text_that_cannot_be_looked_for_is_refused_in_words(self, red, viewer, browse, q):
        factories.artifact(red)
        response = browse(viewer).get(f"{HERE}datasets/", {"q": q})
        assert response.status_code == 422
        assert "1 to 80 characters" in text(response)

    def test_costs_the_same_with_one_and_three(self, red, editor, browse):
        browser = browse(editor)
        for address in (
            f"{HERE}models/",
            f"{HERE}models/?q=m&label=a!=b&sort=size",
            f"{HERE}models/?view=names&sort=-name",
        ):
            Artifact.unscoped.all().delete()
            factories.artifact(red, kind=Artifact.Kind.MODEL, name="m one")
            one = queries(browser, address)
            for name in ("m two", "m three"):
                factories.artifact(red, kind=Artifact.Kind.MODEL, name=name)
            assert queries(browser, address) == one <= 8

    def test_open_flags_stand_beside_the_name(self, red, viewer, browse):
        one, other = (factories.artifact(red, name=name) for name in ("one", "<b>"))
        scope = system_scope(red)
        for _ in range(2):
            flag = flags.create(scope, kind="artifacts", key=str(other.pk), text="Odd.")
        flags.create(scope, kind="artifacts", key=str(one.pk), text="Fine now.")
        flags.close(scope, scope.of(Comment).get(artifact=one).pk, answer="It is.")
        browser = browse(viewer)
        for query in ("", "?view=names&sort=name"):
            shown = text(browser.get(f"{HERE}datasets/{query}"))
            assert shown.count('title="Open flags"') == 1
            assert f'href="{HERE}datasets/{other.pk}/#discussion" aria-label="2 open flags on' in shown
        flags.close(scope, flag.pk, answer="It was.")
        assert 'aria-label="1 open flag on &lt;b&gt;' in text(browser.get(f"{HERE}datasets/"))

    def test_names_are_text_and_the_fragment_is_the_tables_own(self, red, viewer, browse):
        factories.artifact(red, name="<b>bold</b>")
        headers = {"HX-Request": "true", "HX-Target": "artifact-table"}
        shown = text(browse(viewer).get(f"{HERE}datasets/", headers=headers))
        assert shown.strip().startswith('<div class="stack" id="artifact-table"')
        assert "&lt;b&gt;bold" in shown


class TestFilters:
    @pytest.fixture
    def shelf(self, red):
        """Four datasets by name: alpha in two versions, beta and gamma, each with labels of its own."""
        made = {
            name: factories.artifact(red, name=name.split()[0], files={"data.csv": b"x" * size})
            for name, size in (("alpha 1", 10), ("beta", 400), ("alpha 2", 30), ("gamma", 20))
        }
        labels = {"alpha 2": {"stage": "gold"}, "beta": {"stage": "raw", "team": "a=b"}, "gamma": {}}
        for name, given in labels.items():
            told = [{"key": f"ext.ai.sap.com/{key}", "value": value} for key, value in given.items()]
            Artifact.unscoped.filter(pk=made[name].pk).update(labels=told)
        return made

    def found(self, browser, shelf, query):
        """Names of the shelf in the order that the list shows them."""
        shown = text(browser.get(f"{HERE}datasets/?{query}"))
        places = {name: shown.find(f'id="a-{one.pk}"') for name, one in shelf.items()}
        return [name for name in sorted(places, key=places.get) if places[name] >= 0]

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("label=stage%3Dgold", ["alpha 2"]),
            ("label=ext.ai.sap.com/stage%3Dgold", ["alpha 2"]),
            ("label=stage!%3Dgold", ["gamma", "beta", "alpha 1"]),
            ("label=stage%3Draw&label=team%3Da%3Db", ["beta"]),
            ("label=stage%3Draw&label=stage%3Dgold", []),
            ("label=+&name=beta", ["beta"]),
            ("name=alpha&sort=size", ["alpha 2", "alpha 1"]),
            ("name=alph", []),
            ("view=names", ["gamma", "alpha 2", "beta"]),
            ("view=names&q=a&sort=name", ["alpha 2", "beta", "gamma"]),
            ("sort=name", ["alpha 1", "alpha 2", "beta", "gamma"]),
            ("sort=-size", ["alpha 1", "gamma", "alpha 2", "beta"]),
            ("sort=-created", ["alpha 2", "alpha 1", "beta", "gamma"]),
            ("sort=size&label=stage%3Draw", ["beta"]),
        ],
    )
    def test_each_filter_and_order(self, red, viewer, browse, shelf, query, names):
        found = self.found(browse(viewer), shelf, query)
        if "sort=name" in query:
            # Versions of one name stand in the order of their keys.
            found, names = ([name.split()[0] for name in one] for one in (found, names))
        assert found == names

    def test_by_id_and_by_the_execution_that_made_it(self, red, viewer, browse, shelf):
        run = factories.execution(factories.configuration(red), status=Status.COMPLETED)
        Artifact.unscoped.filter(pk=shelf["gamma"].pk).update(execution=run)
        browser = browse(viewer)
        assert self.found(browser, shelf, f"id={shelf['beta'].pk}") == ["beta"]
        assert self.found(browser, shelf, f"execution={run.pk}") == ["gamma"]

    def test_active_filters_are_chips_that_leave_one_by_one(self, red, viewer, browse, shelf):
        shown = text(browse(viewer).get(f"{HERE}datasets/?name=beta&label=stage%3Draw&sort=size&q=b"))
        assert 'href="?q=b&amp;name=beta&amp;sort=size" aria-label="Remove filter Label stage=raw"' in shown
        assert 'href="?q=b&amp;label=stage%3Draw&amp;sort=size" aria-label="Remove filter Name beta"' in shown

    def test_headings_sort_and_say_how(self, red, viewer, browse, shelf):
        browser = browse(viewer)
        shown = text(browser.get(f"{HERE}datasets/?name=alpha"))
        assert 'aria-sort="descending"><a href="?name=alpha&amp;sort=-created">Created' in shown
        assert '<a href="?name=alpha&amp;sort=size">Size' in shown
        shown = text(browser.get(f"{HERE}datasets/?sort=size"))
        assert 'aria-sort="descending"><a href="?sort=-size">Size' in shown

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("sort=colour", "can be sorted by created, name or size"),
            ("sort=--size", "can be sorted by created, name or size"),
            ("id=x", "The filter ID takes"),
            ("id=%00", "The filter ID takes"),
            ("execution=d0123", "The filter execution takes"),
            ("name=%00", "The filter name is not a name"),
            ("scenario=" + "x" * 300, "The filter scenario is not a scenario"),
            ("label=nonsense", "is no condition on a label"),
            ("label=%3Cb%3E", "“&lt;b&gt;” is no condition"),
            ("label=a%3D%00", "is no condition on a label"),
            ("&".join(f"label=k{number}!%3Dv" for number in range(11)), "Only 10 conditions"),
            ("before=nonsense&sort=size", ""),
            ("before=99999999999999999999.x&sort=size", ""),
            ("before=%00.x&sort=name", ""),
            ("after=1.x", ""),
        ],
    )
    def test_what_cannot_be_read_is_left_out_and_said(self, red, viewer, browse, shelf, query, sentence):
        browser = browse(viewer)
        assert self.found(browser, shelf, query) != []
        assert sentence in text(browser.get(f"{HERE}datasets/?{query}"))

    def test_only_the_newest_matches_are_sorted_and_the_page_says_so(
        self, red, viewer, browse, shelf, monkeypatch
    ):
        monkeypatch.setattr(artifact_list, "SORTED", 2)
        browser = browse(viewer)
        assert self.found(browser, shelf, "q=a&sort=size") == ["alpha 2", "gamma"]
        assert "Only the newest 2 of them are in this order." in text(
            browser.get(f"{HERE}datasets/?q=a&sort=size")
        )
        assert "are in this order" not in text(browser.get(f"{HERE}datasets/?q=beta&sort=size"))

    def test_the_export_has_what_the_list_shows_in_its_order(self, red, viewer, browse, shelf):
        browser = browse(viewer)
        Artifact.unscoped.filter(pk=shelf["beta"].pk).update(description="=1+1")
        address = f"{HERE}datasets/export?view=names&amp;sort=-name"
        assert address in text(browser.get(f"{HERE}datasets/?view=names&sort=-name"))
        response = browser.get(address.replace("&amp;", "&"))
        lines = b"".join(response.streaming_content).decode().splitlines()
        assert lines[0].startswith("Name,Version,ID,Description")
        assert [line.split(",")[:2] for line in lines[1:]] == [["gamma", "1"], ["beta", "1"], ["alpha", "2"]]
        assert str(shelf["beta"].pk) in lines[2] and ",'=1+1," in lines[2]
        assert "ext.ai.sap.com/stage=raw; ext.ai.sap.com/team=a=b" in lines[2]

    @pytest.mark.parametrize("sort", ["name", "-name", "size", "-size", "created", "-created"])
    def test_every_order_pages_through_all_rows_once(self, red, viewer, sort):
        for number in range(7):
            factories.artifact(
                red, name="same" if number < 4 else f"n{number}", files={"a": b"x" * (number % 3)}
            )
        scope = open_scope(viewer, "north", "red")
        expected = paging_order(scope, sort)
        seen, query = [], f"sort={sort}"
        while query:
            page = small_page(scope, query)
            seen += [row.pk for row in page.rows]
            query = page.older.lstrip("?")
        assert seen == expected
        back, query = [], page.newer.lstrip("?")
        while query:
            page = small_page(scope, query)
            back = [row.pk for row in page.rows] + back
            query = page.newer.lstrip("?")
        assert back == expected[: len(back)] and len(back) >= 5


def paging_order(scope, sort):
    """All datasets by key in the order asked for."""
    listing = ArtifactList(scope, MODULE_NOUNS["datasets"], QueryDict(f"sort={sort}"))
    return list(listing._everything.order_by(*listing.order.names).values_list("pk", flat=True))


def small_page(scope, query):
    """One page of two rows of the datasets."""
    listing = ArtifactList(scope, MODULE_NOUNS["datasets"], QueryDict(query))
    return paging.page(listing._rows, QueryDict(query), order=listing.order, size=2)


class TestDetail:
    def test_shows_facts_files_and_preview(self, red, viewer, browse):
        made = factories.artifact(red, files={"a b#.csv": b"length,kind\n1,<i>\n", "more/x.bin": b"\x00\xff"})
        shown = text(browse(viewer).get(f"{HERE}datasets/{made.pk}/"))
        assert made.url in shown and made.digest in shown
        assert "in 2 files" in shown
        shown = text(browse(viewer).get(f"{HERE}datasets/{made.pk}/?tab=files"))
        assert f"{HERE}artifacts/{made.pk}/files/a%20b%23.csv" in shown
        assert "<td>&lt;i&gt;</td>" in shown
        assert f">2 files, {made.size_bytes} B</span>" in shown

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
        address = f"{HERE}datasets/{made.pk}/?tab=files"
        assert "Nothing is stored at" not in text(browser.get(address))
        store.write(f"{path}/data.csv", [b"length,kind\n2,b\n"], overwrite=True)
        assert "not those that were registered" not in text(browser.get(address))
        shown = text(browser.get(f"{address}&check=bytes"))
        assert "not those that were registered" in shown
        assert 'data.csv</a> <span class="tag">changed</span>' in shown
        store.write(f"{path}/more.csv", [b"x"])
        shown = text(browser.get(address))
        assert "not those that were registered" in shown
        assert 'more.csv</a> <span class="tag">new</span>' in shown
        store.delete(f"{path}/data.csv")
        assert "Gone since the registration: <code>data.csv</code>" in text(browser.get(address))
        store.delete_prefix(path)
        shown = text(browser.get(address))
        assert "Nothing is stored at" in shown
        assert "gone from the object store" in shown

    def test_the_overview_asks_the_store_only_when_it_is_on_the_screen(self, red, viewer, browse):
        made = factories.artifact(red)
        storage.open_store(red).delete_prefix(storage.parse_url(made.url).path)
        browser = browse(viewer)
        address = f"{HERE}datasets/{made.pk}/"
        shown = text(browser.get(address))
        assert f'hx-get="{address}" hx-trigger="load"' in shown and "Nothing is stored at" not in shown
        headers = {"HX-Request": "true", "HX-Target": "artifact-state"}
        shown = text(browser.get(address, headers=headers))
        assert shown.strip().startswith('<div class="stack" id="artifact-state">')
        assert "Nothing is stored at" in shown

    def test_an_unknown_tab_is_the_overview(self, red, viewer, browse):
        made = factories.artifact(red)
        shown = text(browse(viewer).get(f"{HERE}datasets/{made.pk}/?tab=%00nonsense"))
        assert '<a href="?tab=overview" aria-current="page">' in shown

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
        for tab in ("overview", "uses"):
            shown = text(browser.get(f"{HERE}datasets/{source.pk}/?tab={tab}"))
            assert f"{HERE}configurations/{bound.pk}/" in shown and f"{HERE}executions/{run.pk}/" in shown
        assert f"{HERE}configurations/{bound.pk}/" in shown and f"{HERE}executions/{run.pk}/" in shown

    def test_under_another_noun_it_leads_to_its_own_page(self, red, viewer, browse):
        made = factories.artifact(red)
        response = browse(viewer).get(f"{HERE}models/{made.pk}/")
        assert response.status_code == 303
        assert response["Location"] == f"{HERE}datasets/{made.pk}/"

    def test_versions_are_listed_with_the_shown_one_marked(self, red, viewer, browse):
        first, second = factories.artifact(red), factories.artifact(red)
        shown = text(browse(viewer).get(f"{HERE}datasets/{first.pk}/?tab=versions"))
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
