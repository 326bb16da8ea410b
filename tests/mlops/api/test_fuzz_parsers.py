"""Whatever stands in a query, every operation's parser makes values of it or refuses it in a sentence."""

from __future__ import annotations

import importlib
import pkgutil
from urllib.parse import quote, urlencode

import pytest
from django.test import RequestFactory
from hypothesis import example, given, settings
from hypothesis import strategies as st

from launchpad.errors import Invalid
from mlops import api
from mlops.api import metric_queries
from mlops.api.queries import Parameters
from mlops.domain.metric_search import Condition

MODULES = [
    importlib.import_module(f"mlops.api.{found.name}")
    for found in pkgutil.iter_modules(api.__path__)
    if found.name != "urls"
]
PARSERS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": value
    for module in MODULES
    for name, value in vars(module).items()
    if isinstance(value, Parameters)
}
TEXTS = st.text(max_size=60) | st.text("'(),=!<>. \t\nexcutionIdq{}%$:-+TZ0123456789１", max_size=60)
IDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=4, max_size=64)
WORDS = st.text(min_size=1, max_size=20).filter(lambda text: "\0" not in text and text.strip() == text)


def read(parser, pairs):
    return parser(RequestFactory().get("/?" + urlencode(pairs, errors="surrogatepass")))


def test_there_are_parsers():
    assert len(PARSERS) >= 15


@pytest.mark.parametrize("name", PARSERS)
def test_any_text_is_read_or_refused(name):
    parser = PARSERS[name]
    names = [one.name for one in parser.parameters]
    spelt = st.sampled_from([*names, *(one.lstrip("$") for one in names)])

    @settings(max_examples=40, derandomize=True, database=None, deadline=None)
    @given(st.lists(st.tuples(spelt, TEXTS), max_size=4))
    def try_one(pairs):
        try:
            found = read(parser.read, pairs)
        except Invalid as error:
            assert error.message.endswith(".")
            assert set(error.fields) <= set(names)
        else:
            assert set(found) == {one.key for one in parser.parameters}

    try_one()


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(TEXTS)
@example("executionId in (")
@example("executionId in ('" + "a" * 4900)
@example("executionId eq 'aaaa' or 1=1")
@example("executionId eq 'aaaa'\n")
def test_any_filter_of_metrics_is_read_or_refused(text):
    try:
        found = read(metric_queries.read, [("$filter", text)])["executions"]
    except Invalid as error:
        assert "$filter" in error.message or "executionIds" in error.message
    else:
        assert all(f"'{one}'" in text for one in found)


@given(st.lists(IDS, min_size=1, max_size=10, unique=True), st.sampled_from(["", " ", "  "]))
@settings(max_examples=100, derandomize=True, database=None, deadline=None)
def test_a_filter_of_metrics_names_what_it_names(ids, blank):
    listed = f",{blank}".join(f"{blank}'{one}'" for one in ids)
    many = f"executionId in ({listed})"
    assert read(metric_queries.read, [("$filter", many)])["executions"] == set(ids)
    assert read(metric_queries.read, [("$filter", f"executionId eq '{ids[0]}'")])["executions"] == {ids[0]}


@given(st.lists(st.tuples(WORDS, st.none() | WORDS, st.booleans()), min_size=1, max_size=5))
@settings(max_examples=100, derandomize=True, database=None, deadline=None)
def test_tag_filters_say_what_they_say(wanted):
    conditions = [Condition(name, value, excluded and value is not None) for name, value, excluded in wanted]
    text = ",".join(
        quote(one.name, safe="")
        + ("" if one.value is None else f"{'!' if one.excluded else ''}={quote(one.value, safe='')}")
        for one in conditions
    )
    assert list(read(metric_queries.read, [("tagFilters", text)])["conditions"]) == conditions
