"""Prepared queries answer as their querysets do, for any values, inside one window only."""

import uuid

import pytest
from django.db import connection

from launchpad.access import Question, open_scope, system_scope
from launchpad.errors import NotFound
from launchpad.prepared import Prepared
from launchpad.resource_groups.models import ResourceGroup
from mlops.models import Configuration, Scenario
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]
FIELDS = ("id", "slug", "labels", "created_at", "deleting_at")


def by_key(key, slug):
    return ResourceGroup.unscoped.filter(pk=key, slug=slug).values_list(*FIELDS, named=True)


def test_rows_are_those_of_the_queryset_in_all_their_types(red, blue):
    red.labels = [{"key": "a", "value": "b"}]
    red.save()
    query = Prepared(by_key, uuid.uuid4(), "a group")
    for group in (red, blue):
        assert query.rows(group.pk, group.slug) == list(by_key(group.pk, group.slug))
    (row,) = query.rows(red.pk, "red")
    assert (row.id, row.labels, row.deleting_at) == (red.pk, red.labels, None)
    assert query.rows(red.pk, "blue") == []
    assert query.rows(red.pk, "' OR 1=1 --%s") == []
    assert query.rows(str(red.pk), "red") == [row]
    with pytest.raises(ValueError, match="UUID"):
        query.rows("red", "red")


def test_a_query_with_values_of_its_own_is_none_to_prepare(red):
    query = Prepared(lambda slug: by_key(red.pk, slug), "a group")
    with pytest.raises(ValueError, match="holds its samples and no other values"):
        query.rows("red")


def test_a_question_is_answered_inside_the_window(red, blue, green, editor):
    ours, theirs = (factories.configuration(group) for group in (red, blue))
    named = Question(
        Configuration, lambda rows, name: rows.filter(name=name).values_list("pk", named=True), "a name"
    )
    for scope, found in ((open_scope(editor, "north", "red"), ours), (system_scope(blue), theirs)):
        assert [row.pk for row in scope.ask(named, ours.name)] == [found.pk]
        assert scope.ask_one(named, ours.name).pk == found.pk
    with pytest.raises(NotFound):
        system_scope(green).ask_one(named, ours.name)
    with pytest.raises(NotFound):
        system_scope(red).ask_one(named, "nul\0")
    with pytest.raises(TypeError, match="the scope names none"):
        system_scope(red.workspace).ask(named, ours.name)


def test_a_question_about_a_workspace_keeps_to_it(red, green):
    factories.catalog_version(red)
    slugs = Question(Scenario, lambda rows, slug: rows.filter(slug=slug).values_list("name", named=True), "s")
    assert [row.name for row in system_scope(red).ask(slugs, factories.SCENARIO)] == ["Petals"]
    assert system_scope(green).ask(slugs, factories.SCENARIO) == []


def test_postgresql_plans_a_repeated_query_once(red):
    query = Prepared(by_key, uuid.uuid4(), "a group")
    for _ in range(4):
        query.rows(red.pk, "red")
    planned = 0
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%deleting_at%'")
            planned = cursor.fetchone()[0]
    # SQLite keeps its statements by itself.
    assert planned == (connection.vendor == "postgresql")


def test_the_server_compiles_no_query():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no compiler")
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
