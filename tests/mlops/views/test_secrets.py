"""Pages of secrets: values go in and never come out, and the page says which secret hides which."""

import base64
import json
import re

import pytest

from launchpad.access import Role
from launchpad.audit.models import AuditEvent
from launchpad.grants import grant
from mlops.models import DockerSecret, ResourceGroupSecret, WorkspaceSecret
from tests.mlops import factories
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db
PAGE = "/w/north/secrets/"
REGISTRY = "/w/north/registry-secrets/"
WORD = "s3cret-word"
NEW = {"where": "group:red", "name": "token", "data": f"TOKEN={WORD}\n\nUSER = ada", "labels": "team=north"}


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def opened(row):
    return {key: base64.b64decode(text).decode() for key, text in row.data.items()}


def test_nobody_else_finds_them(red, cast):
    factories.secret(red, name="token")
    factories.docker_secret(red.workspace)
    for who in ("editor", "viewer", "manager", "neighbour"):
        for url in (
            PAGE,
            f"{PAGE}create",
            f"{PAGE}of/red/token/change",
            f"{PAGE}shared/token/delete",
            REGISTRY,
        ):
            assert cast.client(who).get(url).status_code == 404


def test_values_are_kept_and_never_shown(red, administrator, browse):
    browser = browse(administrator)
    assert browser.post(f"{PAGE}create", NEW).status_code == 303
    found = ResourceGroupSecret.unscoped.get()
    assert opened(found) == {"TOKEN": WORD, "USER": "ada"}
    assert found.labels == [{"key": "ext.ai.sap.com/team", "value": "north"}]
    shown = body(browser.get(PAGE)) + body(browser.get(f"{PAGE}of/red/token/change"))
    assert (
        "team=north" in shown and WORD not in shown and base64.b64encode(WORD.encode()).decode() not in shown
    )
    assert WORD not in json.dumps(list(AuditEvent.unscoped.values_list("detail", flat=True)))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"data": f"no equals {WORD}"}, "data"),
        ({"data": f"A={WORD}\nA=2"}, "data"),
        ({"data": '{"A": 3}'}, "data"),
        ({"data": "{"}, "data"),
        ({"data": ""}, "data"),
        ({"data": f"bad key={WORD}"}, "data"),
        ({"name": "Upper"}, "name"),
        ({"name": "\0"}, "name"),
        ({"labels": "nothing"}, "labels"),
        ({"labels": "foreign.example/a=b"}, "labels"),
        ({"where": "group:blue"}, "where"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_without_the_value(wrong, field, red, administrator, browse):
    shown = body(browse(administrator).post(f"{PAGE}create", NEW | wrong), 422)
    assert f'id="id_{field}_error"' in shown and WORD not in shown
    assert not ResourceGroupSecret.unscoped.exists()


def test_json_keeps_line_breaks(red, administrator, browse):
    sent = NEW | {"data": json.dumps({"KEY": "one\ntwo\n"})}
    assert browse(administrator).post(f"{PAGE}create", sent).status_code == 303
    assert opened(ResourceGroupSecret.unscoped.get()) == {"KEY": "one\ntwo\n"}


def test_the_page_says_which_hides_which(red, blue, administrator, browse):
    factories.secret(red, name="token")
    shown = body(browse(administrator).get(PAGE))
    assert "1 of 5" in shown
    assert '<td class="wrap">red</td>' in shown and "hides the shared one" in shown


@pytest.mark.parametrize(("where", "shared"), [("shared", True), ("workspace", False)])
def test_a_workspace_has_shared_ones_and_its_own(where, shared, red, administrator, browse):
    browser = browse(administrator)
    assert browser.post(f"{PAGE}create", NEW | {"where": where}).status_code == 303
    assert WorkspaceSecret.unscoped.get().is_shared is shared
    assert browser.post(f"{PAGE}{where}/token/delete").status_code == 303
    assert not WorkspaceSecret.unscoped.exists()
    assert browser.get(f"{PAGE}elsewhere/token/change").status_code == 404


def test_labels_change_while_values_stay_and_the_second_is_told(red, administrator, browse):
    browser = browse(administrator)
    browser.post(f"{PAGE}create", NEW)
    address = f"{PAGE}of/red/token/change"
    seen = re.search(r'name="seen" value="([^"]+)"', body(browser.get(address))).group(1)
    assert browser.post(address, {"labels": "a=b", "seen": seen}).status_code == 303
    found = ResourceGroupSecret.unscoped.get()
    assert opened(found)["TOKEN"] == WORD and found.labels == [{"key": "ext.ai.sap.com/a", "value": "b"}]
    shown = body(browser.post(address, {"data": "X=1", "seen": seen}), 422)
    assert "Somebody else changed the secret token meanwhile." in shown
    assert opened(ResourceGroupSecret.unscoped.get())["TOKEN"] == WORD


def test_the_list_costs_the_same_and_is_filtered(red, blue, administrator, browse):
    browser = browse(administrator)
    factories.secret(red, name="one")
    browser.post(f"{PAGE}create", NEW | {"name": "one", "where": "shared"})
    once = queries(browser, f"{PAGE}?group=red")
    for name in ("two", "three"):
        for where in ("group:red", "group:blue", "shared", "workspace"):
            assert browser.post(f"{PAGE}create", NEW | {"name": name, "where": where}).status_code == 303
    assert queries(browser, f"{PAGE}?group=red") == once <= 8
    ResourceGroupSecret.unscoped.filter(resource_group=blue).delete()
    assert 'id="s-' not in body(browser.get(PAGE, {"group": "blue"}))


def test_a_registrys_credentials_are_kept_as_container_tools_read_them(red, administrator, browse):
    browser = browse(administrator)
    sent = {"name": "hub", "address": "registry.example:5000", "username": "ada", "password": WORD}
    assert browser.post(f"{REGISTRY}create", sent).status_code == 303
    document = json.loads(DockerSecret.unscoped.get().data[".dockerconfigjson"])
    assert document["auths"]["registry.example:5000"]["password"] == WORD
    shown = body(browser.get(REGISTRY)) + body(browser.get(f"{REGISTRY}hub/change"))
    assert "hub" in shown and WORD not in shown
    assert WORD not in body(browser.post(f"{REGISTRY}create", sent), 422)


def test_registry_secrets_change_and_go(red, administrator, browse):
    browser = browse(administrator)
    browser.post(f"{REGISTRY}create", {"name": "hub", "document": '{"auths": {}}'})
    assert body(browser.post(f"{REGISTRY}hub/change", {"address": "no spaces"}), 422).count("_error") >= 1
    assert browser.post(f"{REGISTRY}hub/change", {"document": '{"auths": {"x": {}}}'}).status_code == 303
    assert "x" in json.loads(DockerSecret.unscoped.get().data[".dockerconfigjson"])["auths"]
    assert browser.post(f"{REGISTRY}hub/delete").status_code == 303
    assert not DockerSecret.unscoped.exists()
