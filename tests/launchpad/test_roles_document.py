"""What docs/roles.md says of roles is what they allow."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from launchpad.access import RIGHTS, ROLE_NAMES, Right, Role, open_scope
from launchpad.checks import routes
from launchpad.grants import grant
from launchpad.http import policies
from tests.mlops.views.pages import body

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "roles.md").read_text()
BEYOND = {"staff", "superuser", "no role"}


def table(first):
    """The rows of the table whose first heading is this, as lists of cells."""
    lines = TEXT.split(f"| {first} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_roles_hold_the_rights_that_are_told():
    told = {name: (place, may) for name, place, may in table("role")}
    assert set(told) == set(ROLE_NAMES.values())
    for role, rights in RIGHTS.items():
        assert told[ROLE_NAMES[role]][0] == "resource group"
        assert told[ROLE_NAMES[role]][1].split(", ") == [one.value for one in Right if one in rights]
    assert told[ROLE_NAMES[Role.OPERATIONS_MANAGER]][0] == "workspace"


def test_every_role_elsewhere_is_mapped_to_one_that_exists():
    rows = table("there")
    assert {here for _, _, here in rows} == {*ROLE_NAMES.values(), *BEYOND}
    ours = {there.strip("`"): here for _, there, here in rows}
    assert {role.value: ours[role.value] for role in Role} == {
        role.value: name for role, name in ROLE_NAMES.items()
    }


def test_consumers_and_producers_may_what_the_table_says():
    rights = {
        name.removeprefix("mlops:"): policy.right
        for route, name, pattern in routes()
        for _methods, policy in policies(pattern.callback)
        if "<str:resource_group>" in route and policy
    }
    consumer, producer = RIGHTS[Role.VIEWER], RIGHTS[Role.EDITOR]
    for what, page, consumes, produces in table("what"):
        right = rights[page.strip("`")]
        said = ["yes" if right in held else "no" for held in (consumer, producer)]
        assert [consumes, produces] == said, f"{what}: {right}"


@pytest.mark.django_db
def test_two_teams_a_group_are_enough(red, outsider, browse, superuser):
    names = re.findall(r"`<group> (\w+)` with the role (\w+)", " ".join(TEXT.split()))
    assert names == [("producers", "editor"), ("consumers", "viewer")]
    roles = {name: role for role, name in ROLE_NAMES.items()}
    for name, role in names:
        team = Group.objects.create(name=f"red {name}")
        grant(roles[role], team, red)
        outsider.groups.set([team])
        assert open_scope(outsider, "north", "red").may_change is (name == "producers")
    page = body(browse(superuser).get("/admin/accounts/team/add/"))
    assert all(f"red {name}" in page for name, _ in names)
