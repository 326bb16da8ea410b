"""Object stores: secrets of a group that say where its files lie; artifacts in buckets are like any other."""

import base64

import pytest

from launchpad.access import open_scope, system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops import storage
from mlops.domain import artifact_files, artifacts, object_stores, previews
from mlops.domain.object_stores import Options
from mlops.models import ObjectStoreSecret
from tests.mlops import factories
from tests.servers import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DATA = {"AWS_ACCESS_KEY_ID": "the-key-id", "AWS_SECRET_ACCESS_KEY": "geheim"}


@pytest.fixture(autouse=True)
def _own_store(settings, tmp_path):
    settings.LAUNCHPAD_DATA = tmp_path


@pytest.fixture
def scope(editor, red):
    return open_scope(editor, "north", "red")


@pytest.fixture
def options(s3):
    """A new bucket on a real server."""
    return Options(s3.bucket(), s3.endpoint, "eu-central-1", "teams/red", use_https=False)


def create(scope, options, name="results", kind="s3", data=DATA):
    return object_stores.create(scope, name=name, kind=kind, options=options, data=data)


def test_a_store_is_kept_with_its_credentials_sealed(scope, options):
    made = create(scope, options)
    stored = ObjectStoreSecret.unscoped.get()
    assert (stored.pk, stored.kind, stored.data) == (made.pk, "s3", DATA)
    assert Options(**stored.options) == options
    assert [one.name for one in object_stores.search(scope)] == ["results"]
    event = AuditEvent.unscoped.get(verb="object_stores.create")
    assert "geheim" not in str(event.detail)
    assert "the-key-id" not in str(event.detail)


def test_files_of_a_store_lie_in_its_bucket(scope, options, red, s3):
    create(scope, options)
    storage.open_store(red, "results").write("data/a.csv", [b"a\n"])
    assert s3.keys(options.bucket) == ["teams/red/data/a.csv"]
    made = artifacts.register(
        scope,
        kind="dataset",
        name="feedback",
        url="ai://results/data",
        scenario=factories._scenario(system_scope(red)).slug,
    )
    assert (made.size_bytes, made.file_count) == (2, 1)
    assert artifact_files.contents(scope, made).state == artifact_files.check(scope, made).state == "ok"
    assert [file.path for file in artifact_files.files(scope, made)] == ["a.csv"]
    assert previews.of(scope, made).table.columns[0].name == "a"
    assert b"".join(artifact_files.content(scope, made, path="a.csv")) == b"a\n"
    s3.put(options.bucket, "teams/red/data/a.csv", b"b\n")
    assert artifact_files.contents(scope, made).state == "ok"
    assert artifact_files.check(scope, made).state == "changed"


def test_a_secret_named_default_takes_the_place_of_the_built_in_store(scope, options, red, s3):
    old = factories.artifact(red)
    create(scope, options, name="default")
    new = artifacts.upload(
        scope, kind="dataset", name="new", files=[("x", [b"X"])], scenario=factories.SCENARIO
    )
    assert len(s3.keys(options.bucket)) == 1
    assert artifact_files.contents(scope, new).state == "ok"
    assert artifact_files.contents(scope, old).state == "missing"
    s3.put(options.bucket, "teams/red/data/x", b"X")
    assert artifact_files.addresses(scope) == ["ai://default/data"]
    object_stores.delete(scope, "default")
    assert artifact_files.contents(scope, old).state == "ok"
    assert artifact_files.contents(scope, new).state == "missing"


def test_a_local_store_is_a_folder_of_its_own(scope, red, tmp_path):
    create(scope, Options(), kind="local", data={})
    storage.open_store(red, "results").write("a", [b"A"])
    assert (tmp_path / "stores" / "north" / "red" / "results" / "a").read_bytes() == b"A"
    assert not storage.open_store(red).exists("a")


def test_a_store_that_went_leaves_its_files_and_says_what_cannot_be_read(scope, red, tmp_path):
    create(scope, Options(), kind="local", data={})
    storage.open_store(red, "results").write("data", [b"A"])
    values = {"kind": "dataset", "name": "x", "scenario": factories._scenario(system_scope(red)).slug}
    made = artifacts.register(scope, url="ai://results/data", **values)
    object_stores.delete(scope, "results")
    seen = artifact_files.contents(scope, made)
    assert (seen.state, seen.files) == ("unreadable", ())
    assert "no object store “results”" in seen.reason
    with pytest.raises(NotFound):
        artifact_files.content(scope, made, path="data")
    with pytest.raises(Invalid, match="no object store") as refused:
        artifacts.register(scope, url="ai://results/data", **values)
    assert set(refused.value.fields) == {"url"}
    create(scope, Options(), kind="local", data={})
    assert artifact_files.check(scope, made).state == "ok"


def test_a_server_that_is_away_makes_no_page_fail(scope, red, settings, browse, editor):
    settings.S3_TIMEOUT_SECONDS = 0.5
    made = factories.artifact(red)
    away = Options("bucket-1", f"127.0.0.1:{free_port()}", use_https=False)
    create(scope, away, name="default")
    for seen in (artifact_files.contents(scope, made), artifact_files.check(scope, made)):
        assert seen.state == "unreadable"
        assert "did not answer" in seen.reason
    assert artifact_files.addresses(scope) == []
    page = browse(editor).get(f"/w/north/g/red/datasets/{made.pk}/?tab=files")
    assert page.status_code == 200
    assert "did not answer" in page.content.decode()
    assert browse(editor).get("/w/north/g/red/datasets/register").status_code == 200
    with pytest.raises(Invalid, match="did not answer"):
        artifacts.register(
            scope, kind="dataset", name="x", url="ai://default/data", scenario=factories.SCENARIO
        )


def test_a_store_whose_key_is_gone_is_told(scope, options, red, settings):
    create(scope, options)
    settings.FIELD_KEYS = [base64.urlsafe_b64encode(b"x" * 32).decode()]
    with pytest.raises(Conflict, match="its key is gone"):
        storage.open_store(red, "results")
    assert object_stores.get(scope, "results").name == "results"
    object_stores.change(scope, "results", kind="s3", options=options, data=DATA)
    assert not storage.open_store(red, "results").exists("data")


def test_a_change_replaces_everything(scope, options, red, s3):
    create(scope, options)
    other = Options(s3.bucket(), s3.endpoint, use_https=False)
    changed = object_stores.change(scope, "results", kind="s3", options=other, data=DATA)
    assert changed.options["region"] == "us-east-1"
    storage.open_store(red, "results").write("a", [b"A"])
    assert s3.keys(other.bucket) == ["a"]
    object_stores.change(scope, "results", kind="local", options=Options(), data={})
    assert ObjectStoreSecret.unscoped.get().data == {}


@pytest.mark.parametrize("name", ["a", "a.b-c", "0", "x" * 233])
def test_names_of_the_contract_are_accepted(name, scope, options):
    assert create(scope, options, name=name).name == name


@pytest.mark.parametrize(
    "name", ["", "A", "a_b", "-a", "a-", "a..b", ".a", "a.", "..", "a/b", "x" * 234, "a\n", "a\0", "\ud800"]
)
def test_other_names_are_refused(name, scope, options):
    with pytest.raises(Invalid, match="object store's name"):
        create(scope, options, name=name)
    for act in (object_stores.get, object_stores.delete):
        with pytest.raises(NotFound):
            act(scope, name)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"bucket": ""}, "bucket"),
        ({"bucket": "a/b"}, "bucket"),
        ({"bucket": "../etc"}, "bucket"),
        ({"bucket": "a" * 256}, "bucket"),
        ({"endpoint": "http://user:pw@minio"}, "endpoint"),
        ({"endpoint": "169.254.169.254"}, "endpoint"),
        ({"endpoint": "file:///etc"}, "endpoint"),
        ({"region": "eu central"}, "region"),
        ({"region": "evil.org/#"}, "region"),
        ({"path_prefix": "a/../b"}, "path_prefix"),
        ({"path_prefix": ".incoming"}, "path_prefix"),
        ({"path_prefix": "a\0"}, "path_prefix"),
    ],
)
def test_options_that_lead_astray_are_refused(changed, field, scope):
    good = {"bucket": "bucket-1", "endpoint": "minio:9000"}
    with pytest.raises(Invalid) as refused:
        create(scope, Options(**good | changed))
    assert set(refused.value.fields) == {field}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"AWS_ACCESS_KEY_ID": "x"},
        DATA | {"more": "x"},
        DATA | {"AWS_SECRET_ACCESS_KEY": ""},
        DATA | {"AWS_SECRET_ACCESS_KEY": "geheim\r\nX-Evil: 1"},
        DATA | {"AWS_SECRET_ACCESS_KEY": "geheim\0"},
        DATA | {"AWS_SECRET_ACCESS_KEY": "geheim" * 200},
        DATA | {"AWS_ACCESS_KEY_ID": "größe"},
    ],
)
def test_credentials_are_two_plain_texts(data, scope, options):
    with pytest.raises(Invalid) as refused:
        create(scope, options, data=data)
    assert set(refused.value.fields) == {"data"}
    assert "geheim" not in refused.value.message


def test_kinds_are_two_and_a_local_one_has_nothing_else(scope, options):
    with pytest.raises(Invalid, match="one of: s3, local"):
        create(scope, options, kind="webhdfs")
    for wrong in ((options, {}), (Options(), DATA), (Options(path_prefix="/etc"), {})):
        with pytest.raises(Invalid, match="local store"):
            create(scope, wrong[0], kind="local", data=wrong[1])


def test_a_name_is_taken_once_in_its_group(scope, options, blue):
    create(scope, options)
    with pytest.raises(Invalid, match="already"):
        create(scope, options)
    create(system_scope(blue), options)


def test_a_viewer_changes_nothing_and_a_neighbour_finds_nothing(scope, options, viewer, blue):
    create(scope, options)
    looking = open_scope(viewer, "north", "red")
    assert object_stores.get(looking, "results").name == "results"
    for place, refusal in ((looking, Forbidden), (system_scope(blue), NotFound)):
        with pytest.raises(refusal):
            object_stores.delete(place, "results")
        with pytest.raises(refusal):
            object_stores.change(place, "results", kind="s3", options=options, data=DATA)
    with pytest.raises(Forbidden):
        create(looking, options, name="other")
    with pytest.raises(Invalid, match="no object store"):
        storage.open_store(blue, "results")
