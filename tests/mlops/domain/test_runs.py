"""Workflows carried out by the real engine: side by side, in loops, by conditions, with what they pass on."""

import itertools
import json

import pytest

from mlops.models import Artifact
from tests.mlops import factories
from tests.mlops.carrying import SHARED, Ran, carry_out, sh, submit, text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

# Both have to run at the same time for either to end: each waits for the other's mark in a shared folder.
MEET = """\
touch /meet/{{inputs.parameters.me}}
n=0
until [ -e /meet/{{inputs.parameters.other}} ]; do sleep 0.02; n=$((n+1)); [ $n -lt 500 ] || exit 9; done
echo met"""


@pytest.fixture
def group():
    return factories.place()


def ran(group, document, parameters=None, **options) -> Ran:
    return carry_out(submit(group, document, parameters or {}), **options)


def meeting(calls: str) -> str:
    """A document with a template `meet`, whose two calls must run side by side."""
    mounts = "{name: meet, mountPath: /meet}"
    leaf = sh("meet", MEET, "inputs: {parameters: [{name: me}, {name: other}]}", mounts=mounts)
    return text(f"entrypoint: main\n{SHARED}", calls, leaf)


def call(name: str, me: str, other: str, more: str = "") -> str:
    given = f"{{parameters: [{{name: me, value: {me}}}, {{name: other, value: {other}}}]}}"
    return f"{{name: {name}, template: meet, arguments: {given}{more}}}"


def test_a_plain_step(group):
    done = ran(group, text("entrypoint: say", sh("say", "echo hello; env | grep -c ^LAUNCHPAD_")))
    assert (done.status, done.statuses) == ("COMPLETED", {"say": "COMPLETED"}), done.message
    assert done.log("say").startswith("hello")
    row = done.steps["say"]
    assert (row.kind, row.tries, row.exit_code, row.cause) == ("leaf", 1, 0, "completed")
    assert row.started_at <= row.ended_at


def test_the_steps_of_an_inner_list_run_side_by_side(group):
    calls = f"        - - {call('a', 'x', 'y')}\n          - {call('b', 'y', 'x')}\n"
    calls = f"    - name: main\n      steps:\n{calls}"
    done = ran(group, meeting(calls))
    assert (done.status, done.log("a"), done.log("b")) == ("COMPLETED", "met", "met"), done.message


def test_tasks_run_as_their_dependencies_allow(group):
    tasks = [
        call("a", "x", "y"),
        call("b", "y", "x"),
        call("c", "z", "x", ", depends: a && b"),
    ]
    dag = "    - name: main\n      dag:\n        tasks:\n" + "".join(
        f"          - {task}\n" for task in tasks
    )
    done = ran(group, meeting(dag))
    assert (done.status, set(done.statuses.values())) == ("COMPLETED", {"COMPLETED"}), done.message
    steps = done.steps
    assert steps["c"].after == [steps["a"].index, steps["b"].index]
    assert steps["c"].started_at >= max(steps["a"].ended_at, steps["b"].ended_at)


def test_no_more_steps_run_than_the_setting_allows(group, settings):
    settings.STEP_PARALLELISM = 1
    main = """\
    - name: main
      steps:
        - - name: each
            template: one
            withItems: [1, 2, 3]
            arguments: {parameters: [{name: n, value: "{{item}}"}]}
"""
    one = sh("one", "echo {{inputs.parameters.n}}", "inputs: {parameters: [{name: n}]}")
    done = ran(group, text("entrypoint: main", main, one))
    assert done.status == "COMPLETED", done.message
    rows = [done.steps[f"each({n}:{n + 1})"] for n in range(3)]
    assert all(before.ended_at <= after.started_at for before, after in itertools.pairwise(rows))


LOOP = """\
    - name: main
      steps:
        - - name: list
            template: list
        - - name: train
            template: train
            withParam: "{{steps.list.outputs.result}}"
            arguments: {parameters: [{name: depth, value: "{{item.depth}}"}]}
        - - name: best
            template: best
            arguments: {parameters: [{name: all, value: "{{steps.train.outputs.parameters}}"}]}
        - - name: export
            template: export
            when: "{{steps.best.outputs.parameters.score}} >= 30"
          - name: sorry
            template: export
            when: "{{steps.best.outputs.parameters.score}} < 30"
"""
LOOP_LEAVES = (
    sh("list", 'echo noise >&2; echo \'[{"depth": 1}, {"depth": 3}]\''),
    sh(
        "train",
        "expr {{inputs.parameters.depth}} '*' 10 > /tmp/score.txt",
        "inputs: {parameters: [{name: depth}]}",
        "outputs: {parameters: [{name: score, valueFrom: {path: /tmp/score.txt}}]}",
    ),
    sh(
        "best",
        "echo '{{inputs.parameters.all}}'; mkdir -p /out; printf 30 > /out/score",
        "inputs: {parameters: [{name: all}]}",
        "outputs: {parameters: [{name: score, valueFrom: {path: /out/score}, globalName: best-score}]}",
    ),
    sh("export", "echo exported {{workflow.outputs.parameters.best-score}}"),
)


def test_a_loop_over_what_a_step_told_and_conditions_on_what_came_of_it(group):
    done = ran(group, text("entrypoint: main", LOOP, *LOOP_LEAVES))
    assert done.status == "COMPLETED", done.message
    assert done.statuses == {
        "list": "COMPLETED",
        "train": "COMPLETED",
        "best": "COMPLETED",
        "export": "COMPLETED",
        "sorry": "SKIPPED",
        "train(0:depth:1)": "COMPLETED",
        "train(1:depth:3)": "COMPLETED",
    }
    steps = done.steps
    assert [steps[name].kind for name in ("train", "train(0:depth:1)")] == ["loop", "leaf"]
    assert steps["train(1:depth:3)"].parent == steps["train"].index
    assert json.loads(done.log("best")) == [{"score": "10"}, {"score": "30"}]
    assert done.log("export") == "exported 30"
    assert steps["train(1:depth:3)"].outputs == {"score": "30"}
    assert (steps["sorry"].cause, steps["sorry"].message) == ("skipped", "Its condition is false: 30 < 30")


PASSING = """\
    - name: main
      steps:
        - - {name: outer, template: inner}
        - - name: use
            template: use
            arguments:
              artifacts: [{name: note, from: "{{steps.outer.outputs.artifacts.note}}"}]
    - name: inner
      outputs:
        artifacts: [{name: note, from: "{{steps.write.outputs.artifacts.note}}"}]
      steps:
        - - {name: write, template: write}
"""


def test_artifacts_pass_up_and_across(group):
    write = sh("write", "echo hello > /data/note", "outputs: {artifacts: [{name: note, path: /data/note}]}")
    use = sh("use", "cat /in/note", "inputs: {artifacts: [{name: note, path: /in/note}]}")
    done = ran(group, text("entrypoint: main", PASSING, write, use))
    assert (done.status, done.log("use")) == ("COMPLETED", "hello"), done.message
    assert (done.steps["outer"].kind, done.steps["outer"].status) == ("steps", "COMPLETED")


def test_a_missing_output_parameter_is_a_failure_unless_there_is_a_default(group):
    one = sh("one", "true", "outputs: {parameters: [{name: x, valueFrom: {path: /tmp/x}}]}")
    done = ran(group, text("entrypoint: one", one))
    assert done.status == "DEAD"
    assert done.message == "Step one: The command ended well, but its output x is missing at /tmp/x."
    other = sh("one", "true", "outputs: {parameters: [{name: x, valueFrom: {path: /x, default: none}}]}")
    done = ran(group, text("entrypoint: one", other))
    assert (done.status, done.steps["one"].outputs) == ("COMPLETED", {"x": "none"}), done.message


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("head -c 300000 /dev/zero | tr '\\0' x > /tmp/x", "longer than 256 KiB"),
        ("mkdir /tmp/x", "is no file"),
        ("mkfifo /tmp/x", "is no file"),
        ("ln -s /etc/passwd /tmp/x", "leads out of the step"),
    ],
)
def test_what_is_no_small_file_of_the_step_is_no_output_parameter(group, command, told):
    one = sh("one", command, "outputs: {parameters: [{name: x, valueFrom: {path: /tmp/x}}]}")
    done = ran(group, text("entrypoint: one", one))
    assert done.status == "DEAD"
    assert told in done.message


def test_output_parameters_are_text_without_their_last_line_end(group):
    command = "printf 'a\\0b\\377\\n\\n' > /one; printf x > /srv/two; printf y > /app/deep/three"
    names = (("a", "/one"), ("b", "/srv/two"), ("c", "/app/deep/three"))
    listed = ", ".join(f"{{name: {name}, valueFrom: {{path: {path}}}}}" for name, path in names)
    done = ran(group, text("entrypoint: one", sh("one", command, f"outputs: {{parameters: [{listed}]}}")))
    assert done.status == "COMPLETED", done.message
    assert done.steps["one"].outputs == {"a": "a\ufffdb\ufffd\n", "b": "x", "c": "y"}


FAILING = """\
    - name: main
      dag:
        tasks:
          - {name: bad, template: bad}
          - {name: next, template: say, depends: bad}
          - {name: mend, template: say, depends: bad.Failed}
          - {name: after, template: say, depends: bad || mend, continueOn: {failed: true}}
"""


def test_depends_decides_what_follows_a_failure(group):
    fine = text(
        "entrypoint: main",
        FAILING.replace("          - {name: next, template: say, depends: bad}\n", ""),
        sh("bad", "exit 3"),
        sh("say", "echo {{node.name}}"),
    )
    done = ran(group, fine)
    assert done.status == "COMPLETED", done.message
    assert done.statuses == {"bad": "DEAD", "mend": "COMPLETED", "after": "COMPLETED"}
    done = ran(group, text("entrypoint: main", FAILING, sh("bad", "exit 3"), sh("say", "echo {{node.name}}")))
    assert done.message == "Step bad: The command ended with exit code 3."
    assert (done.status, done.statuses["next"]) == ("DEAD", "SKIPPED")
    assert done.steps["next"].cause == "omitted"
    assert "ERROR The command ended with exit code 3." in done.log("bad")


def test_an_output_of_a_group_is_registered_under_its_global_name(group):
    begin = '[{name: note, from: "{{steps.write'
    passing = PASSING.replace(begin, begin.replace("note,", "note, globalName: the-note,"))
    made = "{name: note, path: /data/note, archive: {none: {}}}"
    document = text(
        "entrypoint: main",
        passing,
        sh("write", "echo hello > /data/note", f"outputs: {{artifacts: [{made}]}}"),
        sh("use", "cat /in/note", "inputs: {artifacts: [{name: note, path: /in/note}]}"),
    )
    done = ran(group, document)
    assert done.status == "COMPLETED", done.message
    made = Artifact.unscoped.get(execution=done.execution)
    assert (made.name, made.size_bytes) == ("the-note", 6)
