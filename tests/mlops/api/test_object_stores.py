"""Object store secrets over the API: the contract's keys as texts; credentials never come back."""

import pytest

from launchpad.resource_groups.models import ResourceGroup
from mlops.api.admin_documents import ObjectStores
from mlops.models import ObjectStoreSecret
from tests.mlops.api.clients import caller, refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ALL = "/admin/objectStoreSecrets"
ONE = f"{ALL}/results"
DATA = {"AWS_ACCESS_KEY_ID": "the-key-id", "AWS_SECRET_ACCESS_KEY": "geheim"}
BODY = {
    "name": "results",
    "type": "S3",
    "bucket": "bucket-1",
    "endpoint": "minio.example:9000",
    "region": "eu-central-1",
    "pathPrefix": "teams/red",
    "verifyssl": "0",
    "usehttps": "1",
    "data": DATA,
}


def test_a_store_from_first_to_last(editing):
    made = editing("POST", ALL, BODY | {"unknown": {"kept": "out"}})
    assert (made.status_code, made.json()) == (202, {"message": "secret has been created"})
    found = editing("GET", ALL).json()
    ObjectStores.model_validate(found)
    assert found == {
        "count": 1,
        "resources": [
            {
                "name": "results",
                "metadata": {
                    "storage.ai.sap.com/type": "S3",
                    "storage.ai.sap.com/bucket": "bucket-1",
                    "storage.ai.sap.com/endpoint": "minio.example:9000",
                    "storage.ai.sap.com/region": "eu-central-1",
                    "storage.ai.sap.com/pathPrefix": "teams/red",
                    "serving.kubeflow.org/s3-usehttps": "1",
                    "serving.kubeflow.org/s3-verifyssl": "0",
                    "serving.kubeflow.org/s3-endpoint": "minio.example:9000",
                    "serving.kubeflow.org/s3-region": "eu-central-1",
                },
            }
        ],
    }
    assert editing("GET", ONE).json() == found["resources"][0]
    changed = editing("PATCH", ONE, {"name": "results", "type": "s3", "bucket": "bucket-2", "data": DATA})
    assert (changed.status_code, set(changed.json()), changed.json()["id"]) == (
        202,
        {"id", "message"},
        "results",
    )
    told = editing("GET", ONE).json()["metadata"]
    assert (told["storage.ai.sap.com/bucket"], told["storage.ai.sap.com/pathPrefix"]) == ("bucket-2", "")
    assert told["serving.kubeflow.org/s3-usehttps"] == told["serving.kubeflow.org/s3-verifyssl"] == "1"
    gone = editing("DELETE", ONE)
    assert (gone.status_code, gone.json()["id"]) == (202, "results")
    refused(editing("GET", ONE), 404)
    refused(editing("DELETE", ONE), 404)


def test_no_answer_holds_a_credential(editing):
    answers = [
        editing("POST", ALL, BODY),
        editing("POST", ALL, BODY),
        editing("GET", ALL),
        editing("GET", ONE),
    ]
    answers += [editing("PATCH", ONE, BODY | {"data": DATA | {"x": "geheim"}}), editing("PATCH", ONE, BODY)]
    answers += [editing("DELETE", ONE)]
    assert [answer.status_code for answer in answers] == [202, 400, 200, 200, 400, 202, 202]
    said = b"".join(answer.content for answer in answers)
    assert b"geheim" not in said
    assert b"the-key-id" not in said


def test_a_local_store_has_its_type_as_metadata(editing):
    assert editing("POST", ALL, {"name": "shelf", "type": "local", "data": {}}).status_code == 202
    # What clients send with whatever they create does no harm.
    body = {"name": "shelf", "type": "Local", "usehttps": "1", "verifyssl": None, "data": {}}
    assert editing("PATCH", f"{ALL}/shelf", body).status_code == 202
    told = editing("GET", f"{ALL}/shelf").json()
    assert told == {"name": "shelf", "metadata": {"storage.ai.sap.com/type": "local"}}


@pytest.mark.parametrize("kind", ["oss", "webhdfs", "azure", "gcs", "", "S3 "])
def test_other_types_are_refused_and_those_served_named(kind, editing):
    refused(editing("POST", ALL, BODY | {"type": kind}), 400, "S3 and local")


def test_without_a_header_it_is_the_group_default(workspace, editing):
    group = ResourceGroup.unscoped.create(workspace=workspace, slug="default")
    client = caller(group)
    assert client("POST", ALL, BODY, ai_resource_group=None).status_code == 202
    assert ObjectStoreSecret.unscoped.get().resource_group == group
    assert client("GET", ALL, ai_resource_group=None).json()["count"] == 1
    refused(editing("GET", ALL, ai_resource_group=None), 404)


def test_lists_are_paged(editing):
    for number in range(3):
        editing("POST", ALL, BODY | {"name": f"s{number}"})
    told = editing("GET", f"{ALL}?$top=1&$skip=2&$count=true").json()
    assert (told["count"], [one["name"] for one in told["resources"]]) == (3, ["s2"])


def test_a_viewer_changes_nothing_and_a_neighbour_finds_nothing(editing, viewing, neighbouring):
    editing("POST", ALL, BODY)
    assert viewing("GET", ONE).status_code == 200
    refused(viewing("POST", ALL, BODY | {"name": "x"}), 403)
    for client, status in ((viewing, 403), (neighbouring, 404)):
        refused(client("PATCH", ONE, BODY, ai_resource_group="red"), status)
        refused(client("DELETE", ONE, ai_resource_group="red"), status)
    refused(neighbouring("GET", ONE), 404)
    refused(neighbouring("PATCH", ONE, BODY), 404)
    refused(neighbouring("DELETE", ONE), 404)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Results"},
        {"name": "a\0"},
        {"type": None},
        {"bucket": ""},
        {"bucket": 5},
        {"endpoint": "http://169.254.169.254"},
        {"endpoint": "minio/../x"},
        {"region": "x y"},
        {"pathPrefix": "../x"},
        {"usehttps": "maybe"},
        {"verifyssl": "2"},
        {"data": {}},
        {"data": None},
        {"data": {"AWS_ACCESS_KEY_ID": 1, "AWS_SECRET_ACCESS_KEY": "x"}},
    ],
)
def test_a_body_that_is_not_as_expected_is_400(wrong, editing):
    refused(editing("POST", ALL, BODY | wrong), 400)
    editing("POST", ALL, BODY)
    refused(editing("PATCH", ONE, BODY | wrong), 400)
    assert ObjectStoreSecret.unscoped.get().options["bucket"] == "bucket-1"


def test_a_store_keeps_its_name(editing):
    editing("POST", ALL, BODY)
    refused(editing("PATCH", ONE, BODY | {"name": "other"}), 400, "keeps its name")
    refused(editing("PATCH", f"{ALL}/other", BODY), 404)
    for name in ("A", "%00", "%ff", "a..b"):
        refused(editing("GET", f"{ALL}/{name}"), 404)
