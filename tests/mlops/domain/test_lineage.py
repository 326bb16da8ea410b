"""Lineage over several hops: both ways, inside the group, bounded."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from launchpad.access import open_scope, system_scope
from mlops.domain import lineage
from mlops.lifecycle import Status
from mlops.models import Artifact
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def train(group, data, model_name="petal-model", base=None):
    """An execution that read a dataset, and a model that it made."""
    inputs = {"petals": data} | ({"base-model": base} if base else {})
    run = factories.execution(factories.configuration(group, inputs=inputs), status=Status.COMPLETED)
    model = factories.artifact(group, kind=Artifact.Kind.MODEL, name=model_name)
    Artifact.unscoped.filter(pk=model.pk).update(execution=run)
    model.refresh_from_db()
    return run, model


def names(graph):
    return {key: graph.columns[key] for key in graph.things}


def test_several_hops_both_ways_from_wherever_one_looks(red):
    scope = system_scope(red)
    data = factories.artifact(red)
    first, base = train(red, data)
    second, model = train(red, data, "better-model", base=base)
    # The dataset went into both: it stands left of the first.
    expected = {data: 0, first: 1, base: 2, second: 3, model: 4}
    for thing in expected:
        graph = lineage.walk(scope, thing)
        assert not graph.is_cut
        shift = expected[thing]
        assert names(graph) == {lineage.key(one): place - shift for one, place in expected.items()}
        assert graph.arrows == {
            (lineage.key(one), lineage.key(other))
            for one, other in ((data, first), (first, base), (base, second), (data, second), (second, model))
        }


def test_siblings_are_not_ancestors(red):
    data = factories.artifact(red)
    first, model = train(red, data)
    other, _ = train(red, data, "other-model")
    graph = lineage.walk(system_scope(red), model)
    assert set(graph.things) == {lineage.key(one) for one in (data, first, model)}
    assert lineage.key(other) in lineage.walk(system_scope(red), data).things


def test_it_stays_in_the_group(red, blue, viewer):
    mine, _ = train(red, factories.artifact(red))
    theirs, _ = train(blue, factories.artifact(blue))
    graph = lineage.walk(open_scope(viewer, "north", "red"), mine)
    assert len(graph.things) == 3
    assert lineage.key(theirs) not in graph.things


def test_it_is_cut_at_a_number_of_things_and_of_hops(red):
    data = factories.artifact(red)
    bound = factories.configuration(red, inputs={"petals": data})
    for _ in range(8):
        factories.execution(bound, status=Status.COMPLETED)
    graph = lineage.walk(system_scope(red), data, nodes=5)
    assert (len(graph.things), graph.is_cut) == (5, True)
    whole = lineage.walk(system_scope(red), data)
    assert (len(whole.things), whole.is_cut) == (9, False)
    _, model = train(red, data)
    short = lineage.walk(system_scope(red), model, hops=1)
    assert (len(short.things), short.is_cut) == (2, True)


def test_as_many_queries_for_many_as_for_one(red):
    data = factories.artifact(red)
    bound = factories.configuration(red, inputs={"petals": data})
    asked = []
    for _ in range(2):
        factories.execution(bound, status=Status.COMPLETED)
        with CaptureQueriesContext(connection) as queries:
            lineage.walk(system_scope(red), data)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_rows_that_lead_in_a_circle_end(red):
    data = factories.artifact(red)
    run, _ = train(red, data)
    Artifact.unscoped.filter(pk=data.pk).update(execution=run)
    graph = lineage.walk(system_scope(red), run)
    assert lineage.key(data) in graph.things
