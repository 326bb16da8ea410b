"""Dataset files over the API: raw bytes in and out of the group's stores, never over what is registered."""

import pytest

from launchpad.access import system_scope
from launchpad.audit.models import AuditEvent
from mlops import storage
from mlops.domain import artifacts, dataset_files, object_stores
from mlops.domain.object_stores import Options
from mlops.models import Artifact
from tests.mlops import factories
from tests.mlops.api.clients import refused

pytestmark = [pytest.mark.django_db, pytest.mark.database]

FILES = "/lm/dataset/files"
ONE = f"{FILES}/default/data/train.csv"
ROWS = b"text,label\r\n\x00\xff,1\n"


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.LAUNCHPAD_DATA = tmp_path


@pytest.fixture(params=["folder", "bucket"])
def stored(request, red):
    """The group's default store: its folder, or a bucket."""
    if request.param == "bucket":
        server = request.getfixturevalue("s3")
        options = Options(server.bucket(), server.endpoint, use_https=False)
        data = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "key"}
        object_stores.create(system_scope(red), name="default", kind="s3", options=options, data=data)
    return storage.open_store(red)


def put(client, path=ONE, body=ROWS, media="text/csv", **headers):
    return client("PUT", path, body, media=media, **headers)


def content(response):
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_a_file_from_first_to_last(editing, viewing, stored):
    made = put(editing)
    assert made.status_code == 201
    assert set(made.json()) == {"message", "url"}
    assert made.json()["url"] == "ai://default/data/train.csv"
    assert made["Location"] == f"/v2{ONE}"
    assert [file.path for file in stored.files("data")] == ["train.csv"]
    found = viewing("GET", ONE)
    assert (found.status_code, content(found)) == (200, ROWS)
    assert found["Content-Type"] == "application/octet-stream"
    assert found["Content-Length"] == str(len(ROWS))
    assert found["X-Content-Type-Options"] == "nosniff"
    assert found["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert found["Content-Disposition"] == 'attachment; filename="train.csv"'
    gone = editing("DELETE", ONE)
    assert (gone.status_code, gone.content) == (204, b"")
    refused(editing("GET", ONE), 404)
    refused(editing("DELETE", ONE), 404)
    events = AuditEvent.unscoped.filter(verb__startswith="dataset_files.").order_by("pk")
    assert [(one.verb, one.detail["url"]) for one in events] == [
        ("dataset_files.upload", "ai://default/data/train.csv"),
        ("dataset_files.delete", "ai://default/data/train.csv"),
    ]


def test_a_file_is_written_over_only_when_told(editing, stored):
    put(editing)
    refused(put(editing, body=b"other"), 409, "already")
    assert content(editing("GET", ONE)) == ROWS
    for told in ("true", "True"):
        assert put(editing, f"{ONE}?overwrite={told}", body=b"other").status_code == 201
    assert content(editing("GET", ONE)) == b"other"
    refused(put(editing, f"{ONE}?overwrite=false"), 409)
    refused(put(editing, f"{ONE}?overwrite=maybe"), 400, "overwrite")
    refused(put(editing, f"{FILES}/default/data?overwrite=true"), 409)
    refused(put(editing, f"{ONE}/below"), 412)


@pytest.mark.parametrize("media", ["text/csv", "application/json", "multipart/form-data; boundary=x", ""])
def test_any_type_is_taken_as_it_is(media, editing, stored):
    assert put(editing, body=b"--x\r\n{", media=media).status_code == 201
    assert content(editing("GET", ONE)) == b"--x\r\n{"
    assert put(editing, f"{FILES}/default/empty", body=b"").status_code == 201
    assert content(editing("GET", f"{FILES}/default/empty")) == b""


def test_two_spellings_name_one_file(editing, stored):
    assert put(editing, f"{FILES}/default:data/train.csv").json()["url"] == "ai://default/data/train.csv"
    assert content(editing("GET", ONE)) == ROWS
    assert put(editing, f"{FILES}/default:plain.csv").json()["url"] == "ai://default/plain.csv"


@pytest.mark.parametrize(
    "path",
    [
        "default",
        "default/",
        "default/data/",
        "default//a",
        "default/../other/a",
        "default/a/./b",
        "default/..",
        "default/.incoming/a",
        "default/a%20b",
        "default/%C3%A9",
        "default/a%5Cb",
        "Default/a",
        "default:data:x/a",
        ":x/a",
        "default/" + "a" * 1100,
        "default/" + "a" * 300,
    ],
)
def test_a_path_that_could_lead_astray_is_refused(path, editing, stored):
    refused(put(editing, f"{FILES}/{path}"), 400)
    refused(editing("GET", f"{FILES}/{path}"), 400)
    refused(editing("DELETE", f"{FILES}/{path}"), 400)
    assert stored.top() == []


def test_a_store_or_file_that_is_not_there_is_told(editing, stored):
    refused(put(editing, f"{FILES}/other/a"), 400, "no object store")
    refused(editing("GET", f"{FILES}/other/a"), 404)
    refused(editing("DELETE", f"{FILES}/other/a"), 404)
    put(editing)
    # A folder is no file, and stays.
    refused(editing("GET", f"{FILES}/default/data"), 404)
    refused(editing("DELETE", f"{FILES}/default/data"), 404)
    assert content(editing("GET", ONE)) == ROWS


def test_what_is_too_large_is_refused_whatever_it_says(editing, stored, monkeypatch):
    monkeypatch.setattr(dataset_files, "BYTES_LIMIT", 10)
    assert put(editing, body=b"x" * 10).status_code == 201
    refused(put(editing, f"{FILES}/default/large", body=b"x" * 11), 413, "100 MB")
    # A length that is missing or that is no number tells nothing; what comes is counted.
    scope = system_scope(editing_group())
    with pytest.raises(dataset_files.TooMuch):
        dataset_files.upload(scope, "default/large", chunks=iter([b"x" * 6, b"x" * 5]))
    assert not stored.exists("large")
    assert stored.top() == ["data"]


def editing_group():
    return factories.place("north", "red")


def test_what_an_artifact_was_registered_with_stays(editing, stored, red):
    for path in ("data/train.csv", "single", "free"):
        stored.write(path, [ROWS])
    scope = system_scope(red)
    values = {"kind": "dataset", "scenario": factories._scenario(scope).slug}
    artifacts.register(scope, name="folder", url="ai://default/data", **values)
    artifacts.register(scope, name="file", url="ai://default/single", **values)
    for path in ("data/train.csv", "single"):
        refused(editing("DELETE", f"{FILES}/default/{path}"), 400, "cannot be removed")
        refused(put(editing, f"{FILES}/default/{path}?overwrite=true"), 400, "cannot be overwritten")
        assert content(editing("GET", f"{FILES}/default/{path}")) == ROWS
    assert editing("DELETE", f"{FILES}/default/free").status_code == 204
    assert put(editing, f"{FILES}/default/data/more.csv").status_code == 201
    assert Artifact.unscoped.count() == 2


def test_a_neighbours_artifact_of_the_same_address_binds_nobody(editing, stored, blue):
    storage.open_store(blue).write("data/train.csv", [b"theirs"])
    scope = system_scope(blue)
    slug = factories._scenario(scope).slug
    artifacts.register(scope, kind="dataset", name="x", url="ai://default/data", scenario=slug)
    put(editing)
    assert editing("DELETE", ONE).status_code == 204


def test_a_viewer_reads_only_and_a_neighbour_finds_nothing(editing, viewing, neighbouring, stored):
    put(editing)
    refused(put(viewing, f"{FILES}/default/x"), 403)
    refused(viewing("DELETE", ONE), 403)
    for method, body in (("GET", None), ("PUT", ROWS), ("DELETE", None)):
        refused(neighbouring(method, ONE, body, media="text/csv", ai_resource_group="red"), 404)
    refused(neighbouring("GET", ONE), 404)
    refused(neighbouring("DELETE", ONE), 404)
    refused(editing("GET", ONE, ai_resource_group=None), 400, "AI-Resource-Group")
    assert isinstance(refused(neighbouring("GET", ONE), 404)["details"], list)
