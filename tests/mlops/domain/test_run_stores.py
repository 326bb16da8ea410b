"""Runs read their inputs from buckets and leave their outputs there, through the real engine."""

import pytest

from launchpad.access import system_scope
from mlops import storage
from mlops.domain import artifacts, object_stores
from mlops.domain.object_stores import Options
from mlops.models import Artifact
from tests.mlops import factories
from tests.mlops.carrying import carry_out, sh, submit, text
from tests.servers import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

KEYS = {"AWS_ACCESS_KEY_ID": "the-key-id", "AWS_SECRET_ACCESS_KEY": "geheim"}
MIB = 1024 * 1024
COPY = text(
    "entrypoint: copy",
    sh(
        "copy",
        "ls /data/in; mkdir -p /data/out; cat /data/in/* > /data/out/all; wc -c < /data/out/all; env",
        "inputs: {artifacts: [{name: rows, path: /data/in}]}",
        "outputs: {artifacts: [{name: o, path: /data/out, globalName: all, archive: {none: {}}}]}",
    ),
)


@pytest.fixture
def group():
    return factories.place()


def store(group, name, options):
    """An object store of the group, by its secret."""
    scope = system_scope(group)
    object_stores.create(scope, name=name, kind="s3", options=options, data=KEYS)
    return storage.open_store(group, name)


def registered(group, url):
    """What lies at the address, as an artifact."""
    scope = system_scope(group)
    slug = factories._scenario(scope).slug
    return artifacts.register(scope, kind="model", name="rows", url=url, scenario=slug)


def test_a_run_reads_from_one_bucket_and_leaves_its_output_in_another(group, s3):
    lake = Options(s3.bucket(), s3.endpoint, path_prefix="raw", use_https=False)
    results = Options(s3.bucket(), s3.endpoint, use_https=False)
    store(group, "lake", lake).write_tree("rows", [("a", [b"a" * 20 * MIB]), ("b", [b"b"])])
    default = store(group, "default", results)
    rows = registered(group, "ai://lake/rows")

    done = carry_out(submit(group, COPY, inputs={"rows": rows}))

    assert done.status == "COMPLETED", done.message
    made = Artifact.unscoped.get(execution=done.execution)
    assert made.url == f"ai://default/{done.execution.pk}/all"
    assert made.size_bytes == 20 * MIB + 1
    assert s3.keys(results.bucket) == [f"{done.execution.pk}/all/all"]
    assert s3.keys(lake.bucket) == ["raw/rows/a", "raw/rows/b"]
    assert default.inspect(f"{done.execution.pk}/all").digest == made.digest
    assert str(20 * MIB + 1) in done.log("copy")
    # What opens the bucket is the worker's, not the step's.
    assert "geheim" not in done.log("copy")
    assert "the-key-id" not in done.log("copy")

    again = carry_out(submit(group, COPY, inputs={"rows": made}))
    assert again.status == "COMPLETED", again.message
    assert len(s3.keys(results.bucket)) == 2


def test_a_store_that_does_not_answer_ends_the_run_with_its_name(group, s3, settings):
    lake = Options(s3.bucket(), s3.endpoint, use_https=False)
    store(group, "lake", lake).write("rows/a", [b"a"])
    rows = registered(group, "ai://lake/rows")
    away = Options("bucket-1", f"127.0.0.1:{free_port()}", use_https=False)
    object_stores.change(system_scope(group), "lake", kind="s3", options=away, data=KEYS)
    done = carry_out(submit(group, COPY, inputs={"rows": rows}))
    assert done.status == "DEAD"
    assert "ai://lake/rows" in done.message
    assert "did not answer" in done.message
    assert "geheim" not in done.message


def test_outputs_that_cannot_be_stored_end_the_run_and_register_nothing(group, s3):
    lake = Options(s3.bucket(), s3.endpoint, use_https=False)
    store(group, "lake", lake).write("rows/a", [b"a"])
    rows = registered(group, "ai://lake/rows")
    store(group, "default", Options("no-such-bucket", s3.endpoint, use_https=False))
    done = carry_out(submit(group, COPY, inputs={"rows": rows}))
    assert done.status == "DEAD"
    assert "bucket does not exist" in done.message
    assert not Artifact.unscoped.filter(execution=done.execution).exists()


def test_a_store_without_a_secret_ends_the_run_before_any_step(group, s3):
    lake = Options(s3.bucket(), s3.endpoint, use_https=False)
    store(group, "lake", lake).write("rows/a", [b"a"])
    rows = registered(group, "ai://lake/rows")
    object_stores.delete(system_scope(group), "lake")
    done = carry_out(submit(group, COPY, inputs={"rows": rows}))
    assert (done.status, done.statuses) == ("DEAD", {"copy": "UNKNOWN"})
    assert "no object store “lake”" in done.message
