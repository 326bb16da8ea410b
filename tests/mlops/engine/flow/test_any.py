"""Any workflow ends, every node in exactly one state, and nothing begins before its time."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.engine.flow import Report, Start
from mlops.manifests.conditions import RESULTS, Outcome, parse_depends
from mlops.manifests.spec import Backoff, ExecutableTemplate, Loop, Retry, Step, Template
from tests.mlops.engine.flow.driving import Driver, dag, errored, executable, failed, leaf, ok, steps

REPORTS = (ok(), ok(), failed(), errored())


@st.composite
def retries(draw: st.DrawFn) -> Retry | None:
    if draw(st.integers(0, 3)):
        return None
    policy = draw(st.sampled_from(["OnFailure", "OnError", "Always"]))
    return Retry(draw(st.integers(0, 2)), policy, draw(st.sampled_from([None, Backoff(3, 2)])))


@st.composite
def calls(draw: st.DrawFn, name: str, templates: list[str], earlier: list[str], *, tasks: bool) -> Step:
    depends = None
    if tasks and earlier and draw(st.booleans()):
        names = draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=3, unique=True))
        terms = [
            f"{each}{draw(st.sampled_from(['', '', *('.' + one for one in RESULTS)]))}" for each in names
        ]
        depends = draw(st.sampled_from([" && ", " || "])).join(
            f"{draw(st.sampled_from(['', '!']))}({term})" for term in terms
        )
    loop = draw(
        st.sampled_from(
            [None, None, None, Loop(items=tuple(json.dumps(n) for n in range(draw(st.integers(0, 3)))))]
        )
    )
    condition = draw(st.sampled_from([None, None, "true", "false", "{{item}} != 1" if loop else "1 < 2"]))
    return Step(
        name,
        draw(st.sampled_from(templates)),
        when=condition,
        loop=loop,
        continue_on_failed=draw(st.booleans()) and not depends,
        depends=depends,
        on_exit=draw(st.sampled_from([None, None, None, "leaf"])),
    )


@st.composite
def groups(draw: st.DrawFn, name: str, templates: list[str]) -> Template:
    names = [f"{name}{letter}" for letter in "abcde"[: draw(st.integers(1, 5))]]
    tasks = draw(st.booleans())
    made = [draw(calls(each, templates, names[:at], tasks=tasks)) for at, each in enumerate(names)]
    fields = {
        "fail_fast": draw(st.booleans()),
        "parallelism": draw(st.sampled_from([None, 1, 2])),
        "retry": draw(retries()),
        "deadline_seconds": draw(st.sampled_from([None, None, 4])),
    }
    if tasks:
        return dag(name, *draw(st.permutations(made)), **fields)
    cut = draw(st.integers(1, len(made)))
    return steps(name, *[part for part in (tuple(made[:cut]), tuple(made[cut:])) if part], **fields)


@st.composite
def workflows(draw: st.DrawFn) -> ExecutableTemplate:
    plain = leaf("leaf", retry=draw(retries()))
    inner = draw(groups("i", ["leaf"]))
    outer = draw(groups("o", ["leaf", "i"]))
    workflow = {
        "on_exit": draw(st.sampled_from([None, "leaf", "i"])),
        "parallelism": draw(st.sampled_from([None, 1, 3])),
        "deadline_seconds": draw(st.sampled_from([None, None, 12])),
    }
    return executable(outer, inner, plain, **workflow)


class Watched(Driver):
    """Checks, whenever a leaf starts, that it may."""

    def round(self) -> bool:
        before = len(self.started)
        states = {node.index: node.state for node in self.flow.nodes}
        goes_on = super().round()
        for node in self.flow.nodes:
            if states.get(node.index) is not None:
                assert node.state == states[node.index], "an ended node changed"
        for name in self.started[before:]:
            self._check(self.node(name.partition("#")[0]))
        return goes_on

    def _check(self, node) -> None:
        nodes = self.flow.nodes
        while True:
            assert node.is_begun
            for index in node.after:
                assert nodes[index].state is not None, f"{node.name} began before {nodes[index].name} ended"
            if node.parent is None:
                return
            node = nodes[node.parent]


@settings(max_examples=300, deadline=None)
@given(workflows(), st.randoms(use_true_random=False), st.integers(1, 4))
def test_any_workflow_ends_with_every_node_in_one_state(made, chance, most):
    def runs(start: Start) -> Report:
        return chance.choice(REPORTS)

    limit = made.batch.deadline_seconds
    lasts = {name: chance.choice([1, 2, 7]) for name in ("leaf",)}
    run = Watched(made, runs, most=most, deadline_seconds=limit, lasts=lasts).run()
    assert run.at_once <= min(most, made.batch.parallelism or most)
    for node in run.flow.nodes:
        assert node.state is not None
        assert node.is_begun == (node.state not in ("Skipped", "Omitted")) or node.kind == "loop", node
        if node.state in ("Skipped", "Omitted"):
            assert node.name not in run.starts and node.message
    assert len({node.name for node in run.flow.nodes}) == len(run.flow.nodes)
    state, message = run.flow.outcome
    assert state in ("Succeeded", "Failed", "Errored") and bool(message) == (state != "Succeeded")
    assert run.flow.advance(run.now) == []


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 12), st.booleans())
def test_a_graph_of_plain_dependencies_runs_what_it_can(chance, count, fail_fast):
    tasks, needs = [], {}
    for number in range(count):
        needs[f"t{number}"] = chance.sample(sorted(needs), chance.randint(0, min(3, len(needs))))
        depends = " && ".join(needs[f"t{number}"]) or None
        tasks.append(Step(f"t{number}", "leaf", depends=depends))
    bad = {f"t{number}" for number in range(count) if chance.random() < 0.2}
    run = Driver(
        executable(dag("main", *tasks, fail_fast=fail_fast), leaf("leaf")), dict.fromkeys(bad, failed())
    ).run()
    states = run.states()
    for name, waits in needs.items():
        may_run = all(states[each] == "Succeeded" for each in waits)
        if not may_run:
            assert states[name] == "Omitted"
        elif not fail_fast or not bad:
            assert states[name] == ("Failed" if name in bad else "Succeeded")
    assert run.flow.outcome[0] == ("Failed" if any(states[name] == "Failed" for name in bad) else "Succeeded")


OUTCOMES = st.builds(Outcome, st.sampled_from(["Succeeded", "Failed", "Errored", "Skipped", "Omitted"]))


@given(
    st.recursive(
        st.builds(
            lambda name, result: name + result,
            st.sampled_from("abc"),
            st.sampled_from(["", *("." + one for one in RESULTS)]),
        ),
        lambda inner: st.builds(
            lambda left, sign, right: f"({left} {sign} !{right})", inner, st.sampled_from(["&&", "||"]), inner
        ),
        max_leaves=5,
    ),
    st.fixed_dictionaries(dict.fromkeys("abc", OUTCOMES)),
    st.sets(st.sampled_from("abc")),
)
def test_what_can_no_longer_hold_does_not_hold(text, outcomes, known):
    depends = parse_depends(text)
    if not depends.may_hold({name: outcomes[name] for name in known}):
        assert not depends.holds(outcomes)
    if known == {"a", "b", "c"}:
        assert depends.may_hold(outcomes) == depends.holds(outcomes)
