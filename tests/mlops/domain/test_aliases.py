"""Aliases point to one version of a name, are moved by somebody for a reason, and tell their history."""

import pytest

from launchpad.access import open_scope
from launchpad.audit.models import AuditEvent
from launchpad.errors import Conflict, Forbidden, Invalid, NotFound
from mlops.domain import aliases
from mlops.models import ArtifactAlias, ArtifactAliasMove
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def scope(editor, red):
    return open_scope(editor, "north", "red")


@pytest.fixture
def versions(red):
    return [factories.artifact(red, kind="model", name="classifier") for _ in range(3)]


def test_an_alias_moves_and_its_history_says_who_and_why(scope, versions):
    first, second, _ = versions
    aliases.move(scope, first.pk, alias="champion", why="")
    aliases.move(scope, second.pk, alias=" champion ", why="Better on the pilot", seen=1)
    assert aliases.of(scope, versions) == {second.pk: ["champion"]}
    moves = aliases.history(scope, first).values_list("from_version", "to_version", "actor", "why")
    assert list(moves) == [(1, 2, "editor", "Better on the pilot"), (None, 1, "editor", "")]
    assert AuditEvent.unscoped.filter(verb="aliases.move", actor="editor").count() == 2


def test_the_second_of_two_who_move_it_is_told(scope, versions):
    first, second, third = versions
    aliases.move(scope, first.pk, alias="champion", why="", seen=0)
    aliases.move(scope, second.pk, alias="champion", why="", seen=1)
    with pytest.raises(Conflict, match="it points to version 2 now"):
        aliases.move(scope, third.pk, alias="champion", why="", seen=1)
    with pytest.raises(Conflict, match="it points to version 2 now"):
        aliases.move(scope, third.pk, alias="champion", why="", seen=0)
    with pytest.raises(Conflict, match="points to version 2 already"):
        aliases.move(scope, second.pk, alias="champion", why="")
    assert aliases.of(scope, versions) == {second.pk: ["champion"]}


def test_an_alias_is_taken_away_only_from_where_it_is(scope, versions):
    first, second, _ = versions
    aliases.move(scope, first.pk, alias="champion", why="")
    with pytest.raises(Conflict, match="not point to version 2 any more"):
        aliases.remove(scope, second.pk, alias="champion", why="")
    aliases.remove(scope, first.pk, alias="champion", why="Retired")
    assert aliases.of(scope, versions) == {}
    assert aliases.history(scope, first)[0].to_version is None
    with pytest.raises(Conflict):
        aliases.remove(scope, first.pk, alias="champion", why="")


@pytest.mark.parametrize(
    "alias",
    ["", "Champion", "7", "a b", "a..b", "-a", "latest", "newest", "x" * 64, "é", "a\n", "nul\0", "<b>"],
)
def test_what_an_alias_may_be(scope, versions, alias):
    if alias == "a\n":
        # Blanks around it are nothing.
        assert aliases.move(scope, versions[0].pk, alias=alias, why="").alias == "a"
        return
    with pytest.raises(Invalid) as refused:
        aliases.move(scope, versions[0].pk, alias=alias, why="")
    assert list(refused.value.fields) == ["alias"]


def test_reasons_are_bounded_and_whole_text(scope, versions):
    for why in ("x" * 1001, "nul\0"):
        with pytest.raises(Invalid) as refused:
            aliases.move(scope, versions[0].pk, alias="champion", why=why)
        assert list(refused.value.fields) == ["why"]
    assert not ArtifactAliasMove.unscoped.exists()


def test_names_and_kinds_have_aliases_of_their_own(scope, red, versions):
    other = factories.artifact(red, kind="dataset", name="classifier")
    aliases.move(scope, versions[0].pk, alias="champion", why="")
    aliases.move(scope, other.pk, alias="champion", why="", seen=0)
    assert [one.artifact_id for one in aliases.of_name(scope, other)] == [other.pk]


def test_only_editors_of_the_group_move_them(scope, versions, viewer, blue):
    with pytest.raises(Forbidden):
        aliases.move(open_scope(viewer, "north", "red"), versions[0].pk, alias="champion", why="")
    theirs = factories.artifact(blue, kind="model", name="classifier")
    with pytest.raises(NotFound):
        aliases.move(scope, theirs.pk, alias="champion", why="")
    assert not ArtifactAlias.unscoped.exists()


def test_there_is_an_end_to_them(scope, versions, monkeypatch):
    monkeypatch.setattr(aliases, "COUNT_LIMIT", 1)
    aliases.move(scope, versions[0].pk, alias="champion", why="")
    with pytest.raises(Conflict, match="as many as there may be"):
        aliases.move(scope, versions[0].pk, alias="challenger", why="")
