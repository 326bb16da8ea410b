"""Secrets and volumes in real runs: what steps see of them, what nobody else does, what is refused before."""

import base64
import json
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from launchpad.access import system_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict
from mlops.domain import executions, secrets
from mlops.models import ExecutableVersion, Execution, LogChunk, StepRun
from tests.mlops import factories
from tests.mlops.carrying import SHARED, Ran, carry_out, sh, submit, text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

HUSH = "hush-7f3a"
TWO = """\
    - name: main
      steps:
        - - {{name: a, template: {}}}
        - - {{name: b, template: {}}}
"""


@pytest.fixture
def group():
    return factories.place()


def ran(group, document, **options) -> Ran:
    return carry_out(submit(group, document), **options)


def keep(group, name, **values: str | bytes):
    data = {
        key: base64.b64encode(value.encode() if isinstance(value, str) else value).decode()
        for key, value in values.items()
    }
    secrets.create(system_scope(group), name=name, data=data)


def script(command: str, *lines: str, spec: str = "entrypoint: one") -> str:
    """A document of one step whose script has further fields."""
    leaf = sh("one", command).replace(
        "        source: |\n", "".join(f"        {line}\n" for line in lines) + "        source: |\n"
    )
    return text(spec, leaf)


ENV = "env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]"


def test_a_secret_is_an_environment_variable(group):
    keep(group, "db", password=HUSH)
    done = ran(group, script("echo ${#PASSWORD} $PASSWORD | tr a-z A-Z", ENV))
    assert (done.status, done.log("one")) == ("COMPLETED", f"9 {HUSH.upper()}"), done.message


def test_all_values_of_a_secret_are_variables_behind_a_prefix(group):
    keep(group, "db", USER="ann", PASSWORD=HUSH)
    done = ran(
        group,
        script("echo $DB_USER $DB_PASSWORD | tr a-z A-Z", "envFrom: [{prefix: DB_, secretRef: {name: db}}]"),
    )
    assert done.log("one") == f"ANN {HUSH.upper()}"


def test_a_secret_is_files_that_only_the_step_may_read_and_that_go_with_it(group):
    keep(group, "db", password=HUSH, user="ann")
    mount = "volumeMounts: [{name: keys, mountPath: /keys}]"
    volume = "volumes: [{name: keys, secret: {secretName: db, items: [{key: password, path: in/word}]}}]"
    command = "tr a-z A-Z < /keys/in/word; echo; stat -c %a /keys/in/word; ls /keys\ntouch /keys/x || echo no"
    done = ran(group, script(command, mount, spec=f"entrypoint: one\n{volume}"))
    said = [line for line in done.log("one").splitlines() if "touch" not in line]
    assert said == [HUSH.upper(), "400", "in", "no"]
    work = Path(django_settings.LAUNCHPAD_DATA)
    assert not [path for path in work.rglob("word") if path.is_file()]


def test_a_secret_stands_in_no_table_and_in_no_event(group):
    keep(group, "db", password=HUSH)
    done = ran(group, script("exit 3", ENV))
    assert done.status == "DEAD"
    for model in (ExecutableVersion, Execution, StepRun, LogChunk):
        assert HUSH not in json.dumps([repr(row) for row in model.unscoped.values()])
    assert HUSH not in repr(list(AuditEvent._default_manager.values()))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            [ENV],
            "The secret db, which the template one refers to, is neither in this resource group nor shared",
        ),
        (["envFrom: [{secretRef: {name: db}}]"], "The secret db, which the template one refers to"),
    ],
)
def test_without_its_secret_nothing_is_submitted(group, lines, told):
    with pytest.raises(Conflict, match=told):
        submit(group, script("true", *lines))
    assert not Execution.unscoped.exists()


def test_a_missing_key_is_named(group):
    keep(group, "db", user="ann")
    with pytest.raises(Conflict, match="The secret db has no key password"):
        submit(group, script("true", ENV))


def test_an_optional_secret_may_be_missing(group):
    env = ENV.replace("key: password", "key: password, optional: true")
    done = ran(group, script("echo [$PASSWORD]", env))
    assert done.log("one") == "[]"


def test_a_key_that_is_no_variable_is_named(group):
    keep(group, "db", **{"my.key": "x"})
    with pytest.raises(Conflict, match=r"The key my\.key of the secret db is no name"):
        submit(group, script("true", "envFrom: [{secretRef: {name: db}}]"))


@pytest.mark.parametrize("value", [b"\xff\xfe", b"a\0b"])
def test_a_value_that_is_no_text_is_named_and_not_shown(group, value):
    keep(group, "db", password=value)
    with pytest.raises(Conflict, match="The value of password in the secret db is no text"):
        submit(group, script("true", ENV))


def test_a_secret_that_goes_before_the_run_ends_it_before_user_code(group):
    keep(group, "db", password=HUSH)
    row = submit(group, script("true", ENV))
    secrets.delete(system_scope(group), "db")
    done = carry_out(row)
    assert (done.status, done.statuses) == ("DEAD", {"one": "UNKNOWN"})
    assert done.message.startswith("The secret db, which the template one refers to")
    assert done.execution.user_code_started is False


def test_a_secret_of_a_neighbour_is_none(group):
    keep(factories.place(group="blue"), "db", password=HUSH)
    with pytest.raises(Conflict, match="The secret db"):
        submit(group, script("true", ENV))


def test_an_empty_folder_is_there_for_one_step_alone(group):
    main = TWO.format("one", "one")
    one = sh("one", "ls /room | wc -l; touch /room/x", mounts="{name: room, mountPath: /room}")
    done = ran(group, text("entrypoint: main\nvolumes: [{name: room, emptyDir: {}}]", main, one))
    assert (done.log("a"), done.log("b")) == ("0", "0"), done.message


def test_a_shared_volume_keeps_what_earlier_steps_left_and_a_part_of_it_can_be_mounted(group):
    main = TWO.format("write", "read")
    write = sh(
        "write", "mkdir /all/part; echo hello > /all/part/note", mounts="{name: meet, mountPath: /all}"
    )
    part = "{name: meet, mountPath: /part, subPath: part, readOnly: true}"
    read = sh("read", "cat /part/note; touch /part/x 2>/dev/null || echo no", mounts=part)
    done = ran(group, text(f"entrypoint: main\n{SHARED}", main, write, read))
    assert done.log("b").splitlines() == ["hello", "no"], done.message


def test_a_part_that_is_a_link_out_of_its_volume_is_refused(group):
    main = TWO.format("write", "read")
    write = sh("write", "ln -s /etc /all/part", mounts="{name: meet, mountPath: /all}")
    read = sh("read", "ls /part", mounts="{name: meet, mountPath: /part, subPath: part}")
    done = ran(group, text(f"entrypoint: main\n{SHARED}", main, write, read))
    assert done.message == "Step b: The part part leads out of the volume meet."


def test_an_output_may_lie_in_a_volume(group):
    leaf = sh(
        "one",
        "echo hello > /room/out",
        "outputs:\n  parameters: [{name: p, valueFrom: {path: /room/out}}]",
        mounts="{name: meet, mountPath: /room}",
    )
    done = ran(group, text(f"entrypoint: one\n{SHARED}", leaf))
    assert (done.status, done.steps["one"].outputs) == ("COMPLETED", {"p": "hello"}), done.message


@pytest.mark.parametrize("tail", ["", "; sleep 60"])
def test_a_volume_that_grows_beyond_its_limit_ends_the_step(group, tail):
    fill = sh("one", f"head -c 12000000 /dev/zero > /room/x{tail}", mounts="{name: meet, mountPath: /room}")
    done = ran(group, text(f"entrypoint: one\n{SHARED}", fill))
    assert done.status == "DEAD"
    assert "Its volume meet holds 11." in done.message and "at most 10.0 MiB" in done.message
    assert done.steps["one"].cause == "volume"


def test_a_step_knows_where_it_is(group):
    command = (
        "import os, json; print(json.dumps({name: os.environ[name] for name in "
        "('AI-MAIN-TENANT', 'AI-RESOURCE-GROUP', 'AICORE_EXECUTION_ID', 'AICORE_TRACKING_ENDPOINT')}))"
    )
    leaf = sh("one", command).replace("command: [sh]", "command: [python3]")
    done = ran(group, text("entrypoint: one", leaf))
    told = json.loads(done.log("one"))
    assert (told["AI-MAIN-TENANT"], told["AI-RESOURCE-GROUP"]) == ("local", "red")
    assert told["AICORE_EXECUTION_ID"] == done.execution.pk
    assert told["AICORE_TRACKING_ENDPOINT"].endswith("/runs/[run token]")
    assert executions.get(system_scope(group), done.execution.pk).status == "COMPLETED"
