"""Query parameters are read the same way everywhere: both spellings, lists, `True`, label selectors."""

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from launchpad.errors import Invalid
from mlops.api import queries
from mlops.api.queries import Parameters
from mlops.domain.label_selection import Selector

LIST = Parameters(
    queries.top(),
    queries.skip(),
    queries.identifier("configurationId", "configuration", "Of this configuration."),
    queries.identifiers("executableIds", "executables", "Of these executables."),
    queries.named("name", "name", "Of this name."),
    queries.choice("kind", "kind", ("dataset", "model"), "Of this kind."),
    queries.choices("$select", "select", ("status",), "These parts only."),
    *queries.search("the name"),
    queries.labelled("artifactLabelSelector", "labels"),
    queries.moment("start", "start", "From then on."),
)


def read(**query):
    return LIST.read(RequestFactory().get(f"/?{urlencode(query, doseq=True)}"))


def test_what_is_not_asked_has_its_default():
    assert read() == {
        "top": 10_000,
        "skip": 0,
        "configuration": None,
        "executables": (),
        "name": None,
        "kind": None,
        "select": (),
        "q": "",
        "any_case": False,
        "labels": (),
        "start": None,
    }


@pytest.mark.parametrize(
    ("query", "key", "value"),
    [
        ({"$top": "7"}, "top", 7),
        ({"top": "7"}, "top", 7),
        ({"top": "7", "$top": "8"}, "top", 8),
        ({"skip": "100000"}, "skip", 100_000),
        ({"configurationId": "abcd"}, "configuration", "abcd"),
        ({"executableIds": "train,eval.2"}, "executables", ("train", "eval.2")),
        ({"executableIds": ["train", "eval,last"]}, "executables", ("train", "eval", "last")),
        ({"name": "Müller's data, v2"}, "name", "Müller's data, v2"),
        ({"$select": "status"}, "select", ("status",)),
        ({"search": "50%_"}, "q", "50%_"),
        ({"searchCaseInsensitive": "True"}, "any_case", True),
        ({"searchCaseInsensitive": "false"}, "any_case", False),
        (
            {"artifactLabelSelector": "ext.ai.sap.com/a=1{comma}2,ext.ai.sap.com/b!=x"},
            "labels",
            (Selector("ext.ai.sap.com/a", "1,2", False), Selector("ext.ai.sap.com/b", "x", True)),
        ),
        ({"start": "2026-11-21T06:09:53Z"}, "start", datetime(2026, 11, 21, 6, 9, 53, tzinfo=UTC)),
        ({"start": "2026-11-21T06:09:53"}, "start", datetime(2026, 11, 21, 6, 9, 53, tzinfo=UTC)),
        ({"start": "2026-11-21T06:09:53 01:00"}, "start", datetime(2026, 11, 21, 5, 9, 53, tzinfo=UTC)),
        ({"unheard": "of"}, "top", 10_000),
    ],
)
def test_what_is_asked_is_read(query, key, value):
    assert read(**query)[key] == value


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"$top": "100001"}, "$top is a whole number from 0 to 100000."),
        ({"top": "-1"}, "$top is a whole number"),
        ({"top": "1e3"}, "$top is a whole number"),
        ({"top": "٣"}, "$top is a whole number"),
        ({"top": ""}, "$top is a whole number"),
        ({"skip": "9" * 30}, "$skip is a whole number"),
        ({"configurationId": "abc"}, "configurationId is 4 to 64"),
        ({"configurationId": "abcd\n"}, "configurationId is 4 to 64"),
        ({"configurationId": "äöüß"}, "configurationId is 4 to 64"),
        ({"executableIds": "train,"}, "executableIds holds ids only"),
        ({"executableIds": ",".join(["train"] * 1001)}, "executableIds holds at most 1000; 1001 are given"),
        ({"name": "x" * 257}, "name is a name of at most 256"),
        ({"name": "nul\0"}, "name is a name"),
        ({"kind": "Dataset"}, "kind is one of: dataset, model."),
        ({"$select": "status,id"}, "$select is one of: status."),
        ({"$search": "~"}, "$search is 1 to 80 characters"),
        ({"$search": "x" * 81}, "$search is 1 to 80 characters"),
        ({"$search": "\0"}, "$search is 1 to 80 characters"),
        ({"searchCaseInsensitive": "yes"}, "searchCaseInsensitive is true or false."),
        ({"artifactLabelSelector": "team=blue"}, "artifactLabelSelector holds conditions"),
        ({"artifactLabelSelector": ",".join(["ext.ai.sap.com/a=1"] * 11)}, "at most 10; 11 are given"),
        ({"start": "yesterday"}, "start is a time"),
        ({"start": "2026-13-01T00:00:00Z"}, "start is a time"),
        ({"start": "0001-01-01T00:00:00+05:00"}, "start is a time"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(query, words):
    with pytest.raises(Invalid) as refusal:
        read(**query)
    assert words in refusal.value.message


def test_every_refusal_is_told_at_once():
    with pytest.raises(Invalid) as refusal:
        read(top="x", kind="y")
    assert set(refusal.value.fields) == {"$top", "kind"}


@given(st.dictionaries(st.sampled_from([one.name for one in LIST.parameters]), st.text(max_size=100)))
def test_any_text_is_read_or_refused(query):
    text = {key: value.encode(errors="replace").decode() for key, value in query.items()}
    try:
        found = read(**text)
    except Invalid as refusal:
        assert refusal.fields
    else:
        assert 0 <= found["top"] <= 100_000


def test_the_documentation_says_what_is_read():
    told = {one["name"]: one for one in LIST.documented}
    assert told["$top"]["schema"] == {"type": "integer", "minimum": 0, "maximum": 100_000, "default": 10_000}
    assert told["executableIds"]["explode"] is False
    assert all(one["in"] == "query" and one["description"] for one in told.values())
