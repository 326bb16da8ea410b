"""Conditions: what they mean, what is refused, and that no value becomes an operator."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlops.manifests.conditions import (
    RESULTS,
    Outcome,
    State,
    parse_depends,
    parse_expression,
    parse_when,
)

STATES: tuple[State, ...] = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted")


def when(text: str, **values: str) -> bool:
    return parse_when(text).holds(values.__getitem__)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("heads == heads", True),
        ("heads==tails", False),
        ("heads != tails", True),
        ("10 > 9", True),
        ("10 >= 10.0", True),
        ("1e2 == 100", True),
        ("-3 < -2.5", True),
        ("2 <= 1", False),
        ("b > a", True),
        ("10 > 9x", False),
        ("'10' > '9'", True),
        ("'1.0' == 1", False),
        ("'1.0' != 1", True),
        ("'a b' == \"a b\"", True),
        ("'' == \"\"", True),
        ("true", True),
        ("!true", False),
        ("! (false || true)", False),
        ("false || true && true", True),
        ("true || true && false", True),
        ("(true || true) && false", False),
        ("a == a && !(b == c) && 1 < 2", True),
        ("9007199254740993 == 9007199254740992", False),
    ],
)
def test_what_a_condition_means(text: str, answer: bool) -> None:
    assert when(text) is answer


def test_placeholders_are_operands_or_parts_of_them() -> None:
    assert when("{{ a b }} == {{c}}", **{"a b": "x", "c": "x"})
    assert when("v{{n}}.1 == v2.1", n="2")
    assert when("'it is {{n}}' == 'it is {{ m }}'", n="2", m="2")
    assert parse_when("{{b}} == {{a}} || '{{b}}' == {{c}}").names == ("b", "a", "c")


def test_the_lookup_is_asked_only_where_the_answer_needs_it() -> None:
    asked: list[str] = []

    def lookup(name: str) -> str:
        asked.append(name)
        return "true"

    assert parse_when("{{a}} || {{b}}").holds(lookup)
    assert not parse_when("false && {{c}}").holds(lookup)
    assert asked == ["a"]


def test_an_operand_that_stands_alone_is_true_or_false() -> None:
    assert when("{{x}}", x=" true\n")
    assert not when("{{x}}", x="false")
    with pytest.raises(ValueError, match="A condition needs true or false, not 'yes'"):
        when("{{x}}", x="yes")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("a", "compared with nothing"),
        ("'a' && true", "compared with nothing"),
        ("a = b", "cannot be read from '= b' on"),
        ("a =~ b", "cannot be read from '=~ b' on"),
        ("a & b", "cannot be read"),
        ("a | b", "cannot be read"),
        ("a == 'b", "cannot be read"),
        ("a == 'b\\'c'", "cannot be read"),
        ("{{a == b", "cannot be read"),
        ("{a} == b", "cannot be read"),
        ("a ==", "a value is missing before the end"),
        ("== a", "a value is missing before =="),
        ("a == && b", "a value is missing before &&"),
        ("true &&", "a value is missing before the end"),
        ("a == b c", "'c' is not expected here; texts with blanks are quoted"),
        ("{{a}}'x' == b", "'x' is compared with nothing|'x' is not expected"),
        ("a == b == c", "== is not expected here"),
        ("a in (b)", "compared with nothing"),
        ("(a == b", "a closing parenthesis is missing before the end"),
        ("a == b)", r"\) is not expected here"),
        ("()", r"a value is missing before \)"),
        ("!" * 21 + "true", "nested more than 20 deep"),
        ("(" * 5000 + "true", "nested more than 20 deep"),
        ("true || " * 2000 + "true", "longer than 10,000 characters"),
    ],
)
def test_what_is_no_condition_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_when(text)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("lastRetry.exitCode == 137", True),
        ("lastRetry.exitCode == '137'", True),
        ("lastRetry.exitCode > 9", True),
        ("{{lastRetry.exitCode}} != 137", False),
        ("lastRetry.status == 'Error' or lastRetry.duration < 60", True),
        ('not (lastRetry.message == "out of memory") and true', False),
        ("!(lastRetry.duration >= 12.5) || false", False),
        ("lastRetry.exitCode == {{inputs.parameters.code}}", True),
    ],
)
def test_what_a_retry_expression_means(text: str, answer: bool) -> None:
    values = {
        "lastRetry.exitCode": "137",
        "lastRetry.status": "Failed",
        "lastRetry.duration": "12.5",
        "lastRetry.message": "out of memory",
        "inputs.parameters.code": "137",
    }
    assert parse_expression(text).holds(values.__getitem__) is answer


def test_the_names_of_an_expression() -> None:
    assert parse_expression("lastRetry.status == 'x' || {{retries}} < 2").names == (
        "lastRetry.status",
        "retries",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("asInt(lastRetry.exitCode) > 1", r"leave asInt\(\) out"),
        ("lastRetry.ip == 1", "'lastRetry.ip' is unknown: there are lastRetry.duration, lastRetry.exitCode"),
        ("lastRetry.status == Error", "'Error' is unknown.*texts are quoted"),
        ("lastRetry.message contains 'x'", "'contains' is unknown"),
        ("lastRetry.message matches 'x'", "'matches' is unknown"),
        ("lastRetry.exitCode in [1, 2]", "'in' is unknown|cannot be read"),
        ("lastRetry.exitCode + 1 == 2", "is unknown"),
    ],
)
def test_what_is_no_retry_expression_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_expression(text)


@pytest.mark.parametrize(
    ("text", "true_for"),
    [
        ("a", {"Succeeded", "Skipped"}),
        ("a.Succeeded", {"Succeeded"}),
        ("a.Failed", {"Failed"}),
        ("a.Errored", {"Errored"}),
        ("a.Skipped", {"Skipped"}),
        ("a.Omitted", {"Omitted"}),
        ("a.AnySucceeded", {"Succeeded"}),
        ("a.AllFailed", {"Failed"}),
        ("!a", {"Failed", "Errored", "Omitted"}),
        ("a.Succeeded || (a.Failed && !a.Errored)", {"Succeeded", "Failed"}),
    ],
)
def test_what_a_dependency_means(text: str, true_for: set[str]) -> None:
    depends = parse_depends(text)
    assert {state for state in STATES if depends.holds({"a": Outcome(state)})} == true_for


def test_the_results_of_loops_look_at_their_items() -> None:
    mixed = {"a": Outcome("Failed", ("Failed", "Succeeded"))}
    failed = {"a": Outcome("Failed", ("Failed", "Failed"))}
    assert parse_depends("a.AnySucceeded && !a.AllFailed && a.Failed").holds(mixed)
    assert parse_depends("a.AllFailed && !a.AnySucceeded").holds(failed)


def test_the_tasks_of_a_dependency_are_named() -> None:
    assert parse_depends("(b && a.Failed) || b.Skipped || c-1").names == ("b", "a", "c-1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a.Daemoned", f"Daemoned of a task is not read; known are {', '.join(RESULTS)}"),
        ("a.succeeded", "succeeded of a task is not read"),
        ("a.b.Succeeded", "'a.b.Succeeded' is no task"),
        ("'a'", "'a' is no task"),
        ("{{a}}", "is no task"),
        ("-a", "'-a' is no task"),
        ("a b", "'b' is not expected here"),
        ("a == b", "== is not expected here"),
        ("a,b", "'a,b' is no task"),
        ("a && (b", "a closing parenthesis is missing"),
    ],
)
def test_what_is_no_dependency_says_why(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse_depends(text)


SIGNS = st.sampled_from(
    ["==", "!=", "<", ">=", "&&", "||", "!", "(", ")", "'", '"', "{{", "}}", " ", "a", "1"]
)
NOISE = st.text(max_size=40) | st.lists(SIGNS, max_size=20).map("".join)


@pytest.mark.parametrize("parse", [parse_when, parse_depends, parse_expression])
@given(text=NOISE)
@settings(max_examples=200, deadline=None)
def test_parsing_gives_an_answer_or_a_reason(parse: object, text: str) -> None:
    assert callable(parse)
    try:
        parse(text)
    except ValueError as error:
        assert str(error)
        assert "\n" not in str(error)


HOSTILE = "' == '' || true || '"


@given(value=NOISE)
@example(value=HOSTILE)
@example(value="x == x")
@example(value='" || "a" == "a')
@example(value="{{a}}")
@example(value="__import__('os').system('true')")
@settings(max_examples=300, deadline=None)
def test_a_value_never_changes_the_structure(value: str) -> None:
    values = {"a": value}
    assert parse_when("'{{a}}' == 'right'").holds(values.__getitem__) is (value == "right")
    assert parse_when("{{a}} == right").holds(values.__getitem__) is (value == "right")
    assert parse_when("'{{a}}' == '{{a}}'").holds(values.__getitem__) is True
    assert parse_when("{{a}} == right && false").holds(values.__getitem__) is False
    assert parse_expression("lastRetry.message != 'right' || true").holds(lambda name: value) is True


@given(value=st.text(st.sampled_from("0123456789.eE+-"), max_size=400), other=st.integers())
@example(value="1e999999999", other=1)
@example(value="9" * 400, other=1)
@settings(max_examples=200, deadline=None)
def test_comparing_any_number_like_text_ends(value: str, other: int) -> None:
    values = {"a": value, "b": str(other)}
    less = parse_when("{{a}} < {{b}}").holds(values.__getitem__)
    assert less is not parse_when("{{a}} >= {{b}}").holds(values.__getitem__)
