"""The page that checks templates: for all who may view, adding for administrators."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from launchpad.access import Role
from launchpad.grants import grant
from mlops.models import ExecutableVersion
from tests.mlops import factories
from tests.mlops.manifests.documents import SERVING
from tests.mlops.views.pages import body

pytestmark = pytest.mark.django_db
CHECKS = ("/w/north/scenarios/check-a-template", "/w/north/g/red/scenarios/check-a-template")
ADD = "/w/north/scenarios/add-templates"
HOSTILE = '"><script>x</script>'


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def pasted(name="train.yaml", **fields):
    return {"name": name, "text": factories.template(**fields).replace("\n", "\r\n")}


def test_all_who_may_view_check_and_are_told_by_line(red, manager, viewer, browse):
    for person, address in zip((manager, viewer), CHECKS, strict=True):
        browser = browse(person)
        assert "No errors" not in body(browser.get(address))
        shown = body(browser.post(address, pasted()))
        assert "No errors" in shown and "New executable" in shown and "petal-model" in shown
        assert "Add to the catalog" not in shown
        wrong = pasted()["text"].replace("entrypoint: train", f"entrypoint: '{HOSTILE}'")
        shown = body(browser.post(address, {"name": HOSTILE + ".yaml", "text": wrong}), 422)
        assert "without slashes" in shown and HOSTILE not in shown
        shown = body(browser.post(address, {"name": "train.yaml", "text": wrong}))
        assert "1 error" in shown and "spec.entrypoint" in shown and HOSTILE not in shown
    assert not ExecutableVersion.unscoped.exists()


def test_uploaded_files_come_back_as_texts_to_go_on_with(red, viewer, browse):
    files = [
        SimpleUploadedFile("serve.yaml", SERVING.encode()),
        SimpleUploadedFile("odd.yaml", b"\xff"),
    ]
    shown = body(browse(viewer).post(CHECKS[1], pasted() | {"files": files}))
    assert 'value="serve.yaml"' in shown and "kind: ServingTemplate" in shown
    assert "is not UTF-8 text" in shown and 'value="odd.yaml"' not in shown
    assert "petal-serve" in shown and factories.EXECUTABLE in shown
    large = SimpleUploadedFile("large.yaml", b"x" * 1_000_000)
    assert "larger than 128 KiB" in body(browse(viewer).post(CHECKS[1], {"files": large}), 422)


def test_administrators_add_from_either_place(red, administrator, viewer, browse):
    grant(Role.VIEWER, administrator, red)
    browser = browse(administrator)
    for address in CHECKS:
        assert f'formaction="{ADD}"' in body(browser.post(address, pasted()))
    answer = browser.post(ADD, pasted())
    assert (answer.status_code, answer["Location"]) == (303, f"/w/north/executables/{factories.EXECUTABLE}/")
    shown = body(browser.get(answer["Location"]))
    assert "Added by hand" in shown and "(number 1)" in shown
    # Nothing to add is not offered.
    shown = body(browser.post(CHECKS[0], pasted()))
    assert "No change" in shown and "formaction" not in shown
    assert browse(viewer).post(ADD, pasted()).status_code == 404


def test_what_is_against_it_is_said_and_what_was_typed_kept(red, administrator, browse):
    factories.catalog_version(red, scenario="other-scenario")
    shown = body(browse(administrator).post(ADD, pasted()), 422)
    assert "Nothing was added" in shown and "Not taken" in shown and "taken in the scenario other" in shown
    assert 'value="train.yaml"' in shown and f"name: {factories.EXECUTABLE}" in shown


def test_the_list_of_scenarios_leads_there_and_shows_one_that_only_serves(red, viewer, browse):
    factories.catalog_version(red, text=SERVING)
    shown = body(browse(viewer).get("/w/north/g/red/scenarios/"))
    assert f'href="{CHECKS[1]}"' in shown
    _, row = shown.split('href="/w/north/g/red/scenarios/petal-sorting/"')
    assert '<td class="num p1">1</td><td class="num p2">1</td>' in row
