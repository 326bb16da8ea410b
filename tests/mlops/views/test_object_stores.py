"""Pages of object stores: credentials that are never shown, a test of the real thing, two people at once."""

import json
import re

import pytest

from launchpad.access import Role, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.grants import grant
from mlops import storage
from mlops.domain import object_stores
from mlops.models import ObjectStoreSecret
from tests.mlops import factories
from tests.mlops.views.pages import body, queries

pytestmark = pytest.mark.django_db
PAGE = "/w/north/object-stores/"
SECRET = "s3cret-key"
NEW = {
    "group": "red",
    "name": "lake",
    "kind": "s3",
    "bucket": "lake",
    "endpoint": "s3.example:9000",
    "use_https": "on",
    "verify_ssl": "on",
    "access_key": "ID",
    "secret_key": SECRET,
}


@pytest.fixture
def administrator(workspace, staff):
    """Administers the workspace and holds no role in any of its groups."""
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def kept(red, name="lake"):
    return ObjectStoreSecret.unscoped.get(resource_group=red, name=name)


def test_nobody_else_finds_them(red, cast):
    factories.object_store(red, name="lake")
    for who in ("editor", "viewer", "manager", "neighbour"):
        for url in (PAGE, f"{PAGE}create", f"{PAGE}red/lake/change", f"{PAGE}red/lake/delete"):
            assert cast.client(who).get(url).status_code == 404
        assert cast.client(who).post(f"{PAGE}red/lake/check").status_code == 404


def test_the_rule_of_default_is_told(red, administrator, browse):
    shown = body(browse(administrator).get(PAGE))
    assert "takes its place" in shown and "No object store was added" in shown


def test_one_is_added_to_a_group_and_its_credentials_never_shown(red, administrator, browse):
    browser = browse(administrator)
    assert browser.post(f"{PAGE}create", NEW).status_code == 303
    found = kept(red)
    assert found.data == {"AWS_ACCESS_KEY_ID": "ID", "AWS_SECRET_ACCESS_KEY": SECRET}
    assert (found.options["bucket"], found.options["use_https"]) == ("lake", True)
    shown = body(browser.get(PAGE)) + body(browser.get(f"{PAGE}red/lake/change"))
    assert "lake at s3.example:9000" in shown and SECRET not in shown
    assert SECRET not in json.dumps(list(AuditEvent.unscoped.values_list("detail", flat=True)))
    assert AuditEvent.unscoped.get(verb="object_stores.create").user == administrator


def test_a_refusal_keeps_what_was_typed_but_the_secret(red, administrator, browse):
    shown = body(browse(administrator).post(f"{PAGE}create", NEW | {"bucket": "<b>"}), 422)
    assert 'id="id_bucket_error"' in shown and 'value="&lt;b&gt;"' in shown
    assert SECRET not in shown
    assert not ObjectStoreSecret.unscoped.exists()


def test_the_json_of_the_api_does_as_well(red, administrator, browse):
    document = {
        "name": "default",
        "type": "S3",
        "bucket": "bbb",
        "endpoint": "s3.example",
        "pathPrefix": "x",
        "verifyssl": "0",
        "data": {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": SECRET},
    }
    browser = browse(administrator)
    sent = {"group": "red", "kind": "s3", "document": json.dumps(document)}
    assert browser.post(f"{PAGE}create", sent).status_code == 303
    found = kept(red, "default")
    assert (found.options["path_prefix"], found.options["verify_ssl"]) == ("x", False)
    assert found.data["AWS_SECRET_ACCESS_KEY"] == SECRET
    assert "instead of the built-in" in body(browser.get(PAGE))


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"data": {"A": 3}}', '{"bucket": null}', "[" * 9000])
def test_json_that_is_no_store_is_refused_without_repeating_it(text, red, administrator, browse):
    sent = {"group": "red", "kind": "s3", "document": text}
    shown = body(browse(administrator).post(f"{PAGE}create", sent), 422)
    assert 'id="id_document_error"' in shown
    assert not ObjectStoreSecret.unscoped.exists()


def test_credentials_may_be_kept_for_the_same_server_only(red, administrator, browse):
    browser = browse(administrator)
    browser.post(f"{PAGE}create", NEW)
    address = f"{PAGE}red/lake/change"
    blank = {
        key: value for key, value in NEW.items() if key not in ("group", "name", "access_key", "secret_key")
    }

    def seen():
        return re.search(r'name="seen" value="([^"]+)"', body(browser.get(address))).group(1)

    assert browser.post(address, blank | {"bucket": "other", "seen": seen()}).status_code == 303
    assert (kept(red).options["bucket"], kept(red).data["AWS_SECRET_ACCESS_KEY"]) == ("other", SECRET)
    for elsewhere in ({"endpoint": "evil.example"}, {"verify_ssl": ""}, {"use_https": ""}):
        shown = body(browser.post(address, blank | {"seen": seen()} | elsewhere), 422)
        assert "Give the credentials again" in shown
    assert kept(red).options["endpoint"] == "s3.example:9000"


def test_the_second_of_two_people_is_told(red, administrator, browse):
    browser = browse(administrator)
    browser.post(f"{PAGE}create", NEW)
    address = f"{PAGE}red/lake/change"
    seen = re.search(r'name="seen" value="([^"]+)"', body(browser.get(address))).group(1)
    assert browser.post(address, NEW | {"bucket": "first", "seen": seen}).status_code == 303
    shown = body(browser.post(address, NEW | {"bucket": "second", "seen": seen}), 422)
    assert "Somebody else changed the store lake meanwhile." in shown
    assert kept(red).options["bucket"] == "first"
    assert "out of date" in body(browser.post(address, NEW | {"seen": "2026-99-99T00:00"}), 422)


def test_a_store_is_tested_by_writing_reading_and_removing(red, administrator, browse):
    factories.object_store(red, name="disk")
    answer = browse(administrator).post(f"{PAGE}red/disk/check", follow=True)
    assert "a test object was written, read and removed" in body(answer)
    assert storage.open_store(red, "disk").top() == []
    event = AuditEvent.unscoped.get(verb="object_stores.check")
    assert (event.object_name, event.detail["outcome"]) == ("disk", "It works.")


def test_the_built_in_store_is_tested_too(red, administrator, browse):
    assert browse(administrator).post(f"{PAGE}red/default/check").status_code == 303
    assert browse(administrator).post(f"{PAGE}red/none/check").status_code == 404


def test_one_that_does_not_work_says_why(red, administrator, browse, s3, settings):
    options = object_stores.Options(bucket="missing-bucket", endpoint=s3.endpoint, use_https=False)
    data = dict(zip(object_stores.CREDENTIALS, ("wrong", "wrong"), strict=True))
    object_stores.create(system_scope(red), name="gone", kind="s3", options=options, data=data)
    browser = browse(administrator)
    shown = body(browser.post(f"{PAGE}red/gone/check"), 409)
    assert "A small test object could not be written." in shown
    toast = browser.post(f"{PAGE}red/gone/check", headers={"HX-Request": "true", "HX-Target": "store-table"})
    assert 'class="toast"' in body(toast, 409)
    assert AuditEvent.unscoped.filter(verb="object_stores.check").count() == 2


def test_deleting_says_what_stays(red, administrator, browse):
    factories.object_store(red, name="disk")
    browser = browse(administrator)
    assert "The files in it stay where they are." in body(browser.get(f"{PAGE}red/disk/delete"))
    assert browser.post(f"{PAGE}red/disk/delete").status_code == 303
    assert not ObjectStoreSecret.unscoped.exists()


def test_the_list_costs_the_same_and_is_filtered_by_group(red, blue, administrator, browse):
    browser = browse(administrator)
    factories.object_store(red, name="one")
    once = queries(browser, PAGE)
    for name in ("two", "three"):
        factories.object_store(blue, name=name)
    assert queries(browser, PAGE) == once <= 8
    shown = body(browser.get(PAGE, {"group": "blue"}))
    assert 'title="two"' in shown and 'title="one"' not in shown
    assert 'title="one"' in body(browser.get(PAGE, {"group": "\0"}))
