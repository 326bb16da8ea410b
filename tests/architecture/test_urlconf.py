"""Every route, for everyone, does what its stamp says; a changed right is a visible line in access.txt."""

import os
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client

from launchpad.access import Right, open_scope
from launchpad.audit.models import AuditEvent
from launchpad.shell import ITEMS, Shell
from tests.architecture.walk import ENDPOINTS, PAGES, PLACE, address, arguments, sample
from tests.samples import build

ACCESS = Path(__file__).with_name("access.txt")
CHANGERS = {"editor", "superuser"}
VIEWERS = CHANGERS | {"viewer"}
THROUGH_THE_GATE = VIEWERS | {"neighbour", "manager"}
REFUSED = (401, 403, 404, 405, 500)


@pytest.fixture
def samples(red, blue, green):
    """One object of each kind in every place."""
    return build(red, blue, green)


def call(client, method, url):
    """The status, with whatever the request did undone."""
    with transaction.atomic():
        response = client.generic(method, url)
        if response.streaming:
            # Read to the end, its file is closed.
            b"".join(response)
        transaction.set_rollback(True)
    if response.status_code == 302 and response["Location"].startswith("/sign-in?next="):
        return "sign in"
    return response.status_code


def expected(policy, methods, who, method, route):
    """What the stamp promises this person: a status, `sign in`, or `ok` for anything but a refusal."""
    if policy.kind == "public":
        return "ok" if method in methods else 405
    if who == "anonymous":
        return "sign in"
    if method not in methods:
        return 405
    if policy.kind in ("member", "member_action"):
        return "ok"
    if policy.kind == "staff":
        return "ok" if who in ("staff", "superuser") else 404
    if policy.kind == "administrator":
        return "ok" if who == "superuser" else 404
    in_group = "<str:resource_group>" in route
    if who not in (VIEWERS if in_group else THROUGH_THE_GATE):
        return 404
    if policy.right is Right.CHANGE and who not in (CHANGERS if in_group else {"superuser"}):
        return 403
    return "ok"


def fits(status, promise):
    """Whether a status keeps the promise."""
    return status not in (*REFUSED, "sign in") if promise == "ok" else status == promise


@pytest.fixture
def visits(cast):
    """`visits(who)`: a fresh browser of that person, signed in once for all."""
    kept = {who: cast.client(who).cookies for who in cast.people}

    def browser(who):
        # Whatever fails is a status like any other: the walk goes on and tells of all at the end.
        found = Client(raise_request_exception=False, headers={"accept": "text/html"})
        found.cookies.load(kept[who])
        return found

    return browser


@pytest.mark.django_db
def test_everyone_gets_what_the_stamp_says(cast, samples, visits):
    """The whole cast on every page, reading and writing; each request is undone."""
    wrong = []
    for route, name, methods, policy in PAGES:
        url = address(name, route, samples)
        for who in cast.people:
            for method in ("GET", "POST"):
                status = call(visits(who), method, url)
                promise = expected(policy, methods, who, method, route)
                if not fits(status, promise):
                    wrong.append(f"{who} {method} {url}: {status}, not {promise}")
    assert wrong == []


@pytest.mark.django_db
def test_through_somebody_elses_role_every_page_is_theirs_and_nothing_is_written(cast, samples, visits):
    """A superuser views red as viewer and as editor: no page of it answers otherwise, nothing else does."""
    browser, wrong = visits("superuser"), []
    allowed = {"view_as.end", "accounts.sign_out", "accounts.theme", "accounts.shortcuts"}
    for who in ("viewer", "editor"):
        browser.post("/w/north/access/view-as", {"group": "red", "person": who})
        for route, name, _methods, _policy in PAGES:
            if name in allowed or route.startswith(("v2/", "oauth/")):
                continue
            url, in_group = address(name, route, samples), "<str:resource_group>" in route
            promise = call(visits(who), "GET", url) if in_group else 409
            read, written = (call(browser, method, url) for method in ("GET", "POST"))
            if (read, written) != (promise, 403):
                wrong.append(f"as {who}, {url}: {read} and {written}, not {promise} and 403")
        browser.post("/view-as/end")
    assert wrong == []
    assert not AuditEvent.unscoped.exclude(verb__startswith="view_as.").filter(actor="superuser").exists()


@pytest.mark.django_db
def test_a_neighbours_object_is_not_found_in_ones_own_place(samples, visits):
    """Even the superuser finds an object only in its own place."""
    wrong = []
    for route, name, methods, policy in PAGES:
        for argument in arguments(route):
            if argument in PLACE or sample(samples, name, argument).foreign is None:
                continue
            url = address(name, route, samples, foreign=argument)
            for who in ("editor", "superuser"):
                for method in methods:
                    if expected(policy, methods, who, method, route) == 403:
                        continue
                    status = call(visits(who), method, url)
                    if status != 404:
                        wrong.append(f"{who} {method} {url}: {status}, not 404")
    assert wrong == []


@pytest.mark.django_db
def test_a_session_is_worth_nothing_to_the_json_api(cast, samples):
    """401 without a bearer token; an endpoint without a right says which refusal is all it answers."""
    wrong = []
    for route, name, methods, policy in ENDPOINTS:
        promise = 401 if policy.right else int(policy.reason.removeprefix("answers "))
        for who in ("anonymous", "editor", "superuser"):
            for method in methods or ("GET", "POST", "PATCH"):
                status = call(cast.client(who), method, address(name, route, samples))
                if status != promise:
                    wrong.append(f"{who} {method} {route}: {status}, not {promise}")
    assert wrong == []


def test_rights_are_written_down():
    """Set UPDATE_ACCESS=1 to write access.txt anew; then read the difference."""
    # A set: django-ninja mounts a path once for every name its operations bear.
    lines = sorted(
        {
            f"/{route:<76} {','.join(methods):<14} {policy.kind:<12} {policy.right or policy.reason or '-'}"
            for route, _name, methods, policy in PAGES + ENDPOINTS
        }
    )
    text = "\n".join(
        [
            "# Address, methods, policy, right or reason. Every route of Launchpad but the admin site's.",
            *lines,
        ]
    )
    if os.environ.get("UPDATE_ACCESS"):
        ACCESS.write_text(text + "\n")
    assert ACCESS.read_text() == text + "\n"


def test_every_entry_of_the_navigation_has_its_page(editor, red, rf):
    """The side navigation is complete for someone in a resource group."""
    request = rf.get("/")
    request.user = editor
    request.scope = open_scope(editor, "north", "red")
    assert [item.label for item in Shell(request).items] == [item[0] for item in ITEMS]
