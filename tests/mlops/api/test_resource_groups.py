"""Resource groups over the API: 202 for every change, an empty answer to PATCH, lists page by page."""

import pytest

from launchpad.resource_groups.models import ResourceGroup
from mlops.api import continuation
from mlops.api.resource_groups import Group, GroupBase, Groups
from tests.mlops.api.clients import MERGE, caller, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ALL = "/admin/resourceGroups"
KEY = "ext.ai.sap.com/team"
LABELS = [{"key": KEY, "value": "blue"}]


def ids(response):
    """The ids listed."""
    return [one["resourceGroupId"] for one in response.json()["resources"]]


def test_a_group_from_first_to_last(administering):
    made = administering("POST", ALL, {"resourceGroupId": "amber", "labels": LABELS})
    assert made.status_code == 202
    assert made["Location"] == f"/v2{ALL}/amber"
    assert made.json() == {"resourceGroupId": "amber", "tenantId": "north", "zoneId": "north"}
    told = administering("GET", f"{ALL}/amber")
    found = Group.model_validate_json(told.content)
    assert (found.status, [one.value for one in found.labels]) == ("PROVISIONED", ["blue"])
    changed = administering("PATCH", f"{ALL}/amber", {"labels": []}, media=MERGE)
    assert (changed.status_code, changed.content, changed["Location"]) == (202, b"", f"/v2{ALL}/amber")
    assert administering("GET", f"{ALL}/amber").json()["labels"] == []
    gone = administering("DELETE", f"{ALL}/amber")
    assert (gone.status_code, set(gone.json()), gone.json()["id"]) == (202, {"id", "message"}, "amber")
    refused(administering("GET", f"{ALL}/amber"), 404)
    refused(administering("DELETE", f"{ALL}/amber"), 404)
    assert "amber" not in ids(administering("GET", ALL))
    refused(administering("POST", ALL, {"resourceGroupId": "amber"}), 400, "still being deleted")


def test_a_new_group_can_be_worked_in_at_once(administering):
    administering("POST", ALL, {"resourceGroupId": "amber"})
    assert administering("GET", "/lm/executions", ai_resource_group="amber").json()["count"] == 0
    administering("DELETE", f"{ALL}/amber")
    refused(administering("GET", "/lm/executions", ai_resource_group="amber"), 404)


def test_an_id_is_made_up_when_none_is_given(administering):
    for body in ({}, {"labels": None}, {"unknown": 1}):
        made = GroupBase.model_validate_json(administering("POST", ALL, body).content)
        assert ResourceGroup.unscoped.filter(slug=made.resourceGroupId).exists()


@pytest.mark.parametrize(
    "body",
    [
        [],
        "{",
        {"resourceGroupId": "ab"},
        {"resourceGroupId": "a b c"},
        {"resourceGroupId": "abc\u0000"},
        {"resourceGroupId": "x" * 254},
        {"resourceGroupId": 5},
        {"resourceGroupId": "red"},
        {"labels": {KEY: "blue"}},
        {"labels": [{"key": KEY}]},
        {"labels": [{"key": "team", "value": "blue"}]},
        {"labels": [{"key": KEY, "value": 5}]},
        {"labels": [{"key": KEY, "value": "x" * 5001}]},
        {"labels": [{"key": "ext.ai.sap.com/" + "x" * 49, "value": ""}]},
        {"labels": LABELS * 2},
    ],
)
def test_what_is_no_group_is_refused(administering, red, body):
    before = ResourceGroup.unscoped.count()
    refused(administering("POST", ALL, body), 400)
    assert ResourceGroup.unscoped.count() == before
    if isinstance(body, str | list) or "labels" in body:
        refused(administering("PATCH", f"{ALL}/red", body), 400)


def test_a_change_without_labels_changes_nothing(administering, red):
    administering("PATCH", f"{ALL}/red", {"labels": LABELS})
    for body in ({}, {"labels": None}):
        assert administering("PATCH", f"{ALL}/red", body).status_code == 202
    assert administering("GET", f"{ALL}/red").json()["labels"] == LABELS


def test_default_stays(administering, workspace):
    ResourceGroup.unscoped.create(workspace=workspace, slug="default")
    refused(administering("DELETE", f"{ALL}/default"), 400, "cannot be deleted")


def test_keys_of_a_group_see_their_own_and_change_none(editing, viewing, administering, red, blue):
    assert ids(administering("GET", ALL)) == ["blue", "red"]
    for client in (editing, viewing):
        assert ids(client("GET", ALL)) == ["red"]
        assert client("GET", f"{ALL}/red", ai_resource_group=None).json()["resourceGroupId"] == "red"
        refused(client("GET", f"{ALL}/blue"), 404)
        refused(client("POST", ALL, {}), 403)
        refused(client("PATCH", f"{ALL}/red", {"labels": []}), 403)
        refused(client("DELETE", f"{ALL}/red"), 403)


@pytest.mark.parametrize("name", ["green", "nowhere", "x" * 300, "nul%00", "%ff"])
def test_what_is_elsewhere_or_nowhere_is_not_found(administering, green, name):
    for method, body in (("GET", None), ("PATCH", {"labels": []}), ("DELETE", None)):
        refused(administering(method, f"{ALL}/{name}", body), 404)
    assert ids(caller(green.workspace)("GET", ALL)) == ["green"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (f"labelSelector={KEY}=blue", ["blue"]),
        (f"labelSelector={KEY}!=blue", ["red"]),
        (f"labelSelector={KEY}=Blue", []),
        (f"labelSelector={KEY}=blue,ext.ai.sap.com/stage=test", []),
        ("$search=RE", []),
        ("$search=e", ["blue", "red"]),
        ("search=RE&searchCaseInsensitive=True", ["red"]),
        ("$search=%25", []),
        ("$top=1", ["blue"]),
        ("$skip=1", ["red"]),
        ("top=0", []),
    ],
)
def test_lists_by_label_part_and_place(administering, red, blue, query, found):
    administering("PATCH", f"{ALL}/blue", {"labels": LABELS})
    answer = administering("GET", f"{ALL}?{query}")
    assert ids(answer) == found
    Groups.model_validate_json(answer.content)
    assert answer.json()["count"] == len(found)


@pytest.mark.parametrize(
    "query", ["labelSelector=team", "labelSelector=a=b=c%20", "$top=-1", "$skip=x", "$count=perhaps"]
)
def test_a_query_that_is_none_is_refused(administering, query):
    refused(administering("GET", f"{ALL}?{query}"), 400)


def test_pages_follow_each_other_by_link(administering, red, blue):
    for slug in ("amber", "coral", "indigo"):
        administering("POST", ALL, {"resourceGroupId": slug})
    first = administering("GET", f"{ALL}?$count=true&$search=e", prefer="maxpagesize=1")
    assert (ids(first), first.json()["count"]) == (["amber"], 3)
    assert first["Preference-Applied"] == "maxpagesize=1"
    seen, answer = ids(first), first
    while "Link" in answer:
        target, relation = answer["Link"].split("; ")
        assert relation == 'rel="next"'
        path = target.removeprefix("</v2").removesuffix(">")
        answer = administering("GET", path, prefer="respond-async, maxpagesize=1")
        seen += ids(answer)
    assert seen == ["amber", "blue", "red"]
    assert answer.json()["count"] == 3


@pytest.mark.parametrize(
    "prefer", ["maxpagesize=0", "maxpagesize=-1", "maxpagesize=x", "", "other", "maxpagesize=" + "9" * 40]
)
def test_a_preference_that_cannot_be_met_is_not_applied(administering, red, blue, prefer):
    answer = administering("GET", ALL, prefer=prefer)
    assert ids(answer) == ["blue", "red"]
    assert "Link" not in answer
    assert "Preference-Applied" not in answer


def test_a_stale_token_is_gone_and_a_strange_one_refused(administering, red, blue, green, monkeypatch):
    link = administering("GET", f"{ALL}?$search=e", prefer="maxpagesize=1")["Link"]
    path = link.split(">")[0].removeprefix("</v2")
    assert ids(administering("GET", path)) == ["red"]
    refused(administering("GET", path.replace("search=e", "search=r")), 400, "none of this list")
    refused(administering("GET", path + "x"), 400, "none of this list")
    refused(administering("GET", f"{ALL}?continueToken=a%00"), 400, "none of this list")
    refused(caller(green.workspace)("GET", path), 400, "none of this list")
    monkeypatch.setattr(continuation, "SECONDS", -1)
    refused(administering("GET", path), 410, "too old")
