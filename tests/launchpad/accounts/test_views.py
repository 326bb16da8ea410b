"""The door, and what it remembers."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from launchpad.accounts import throttle

PASSWORD = "correct horse battery"


@pytest.fixture
def person(db):
    """Someone with a password."""
    throttle.forget_all()
    return User.objects.create_user("person", password=PASSWORD)


def sign_in(client, password=PASSWORD, **values):
    """Send the form."""
    return client.post("/sign-in", {"username": "person", "password": password, **values})


def test_the_right_password_leads_where_one_wanted_to_go(person, client):
    response = sign_in(client, next="/workspaces/?q=a")
    assert (response.status_code, response["Location"]) == (302, "/workspaces/?q=a")
    assert client.get("/workspaces/").context["request"].user == person


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_never_to_another_site(target, person, client):
    assert sign_in(client, next=target)["Location"] == "/"


def test_a_wrong_password_says_so_and_keeps_the_name(person, client):
    response = sign_in(client, password="no")
    body = response.content.decode()
    assert response.status_code == 422
    assert "That username and password do not match." in body
    assert 'value="person"' in body
    assert "sessionid" not in client.cookies


def test_unknown_and_inactive_people_read_the_same_as_a_wrong_password(person, client):
    wrong = sign_in(client, password="no").content
    person.is_active = False
    person.save()
    note = b"That username and password do not match."
    assert note in wrong
    assert note in sign_in(client).content
    assert note in client.post("/sign-in", {"username": "nobody", "password": PASSWORD}).content


def test_staying_signed_in_is_a_choice(person):
    brief, long = Client(), Client()
    sign_in(brief)
    sign_in(long, remember="on")
    assert brief.cookies["sessionid"]["max-age"] == ""
    assert long.cookies["sessionid"]["max-age"] == 14 * 24 * 3600


def test_guessing_is_slowed_down_for_this_name_only(person, client):
    for _try in range(throttle.FAILURES):
        assert sign_in(client, password="no").status_code == 422
    response = sign_in(client)
    assert response.status_code == 429
    assert "Wait five minutes" in response.content.decode()
    User.objects.create_user("other", password=PASSWORD)
    assert client.post("/sign-in", {"username": "other", "password": PASSWORD}).status_code == 302


def test_success_clears_the_count(person, client):
    for _round in range(2):
        for _try in range(throttle.FAILURES - 1):
            sign_in(client, password="no")
        assert sign_in(client).status_code == 302


def test_waiting_ends(person):
    for _try in range(throttle.FAILURES):
        throttle.failed("person", "::1", now=1000)
    assert throttle.wait_seconds("Person", "::1", now=1001) == throttle.WINDOW_SECONDS - 1
    assert throttle.wait_seconds("person", "::2", now=1001) == 0
    assert throttle.wait_seconds("person", "::1", now=1000 + throttle.WINDOW_SECONDS) == 0


def test_signing_out_ends_the_session(person, client):
    sign_in(client)
    assert client.post("/sign-out")["Location"] == "/sign-in"
    assert client.get("/workspaces/")["Location"].startswith("/sign-in")
    assert client.get("/sign-out").status_code == 405


@pytest.mark.parametrize(
    ("theme", "attribute"), [("dark", ' data-theme="dark"'), ("light", ' data-theme="light"')]
)
def test_the_server_renders_the_theme_chosen(theme, attribute, client, db):
    assert "data-theme" not in client.get("/sign-in").content.decode()
    response = client.post("/preferences/theme", {"theme": theme, "next": "/sign-in"})
    assert (response.status_code, response["Location"]) == (302, "/sign-in")
    assert f'<html lang="en"{attribute}>' in client.get("/sign-in").content.decode()


def test_an_unknown_theme_is_the_systems(client, db):
    client.post("/preferences/theme", {"theme": '"><script>'})
    assert client.cookies["theme"].value == "system"


@pytest.mark.parametrize(
    "shape", [" person", "person\t", "ｐｅｒｓｏｎ", "PERSON", "\N{MATHEMATICAL BOLD SMALL P}erson"]
)
def test_another_spelling_of_a_name_gives_no_further_tries(person, client, shape):
    for _try in range(throttle.FAILURES):
        sign_in(client, password="no")
    assert client.post("/sign-in", {"username": shape, "password": PASSWORD}).status_code == 429


def test_the_admin_site_has_no_door_of_its_own(person, client):
    for answer in (client.get("/admin/login/"), client.post("/admin/login/", {"username": "person"})):
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=/admin/login/")
    sign_in(client)
    assert client.get("/admin/", follow=True).redirect_chain[-1] == ("/workspaces/", 302)
    User.objects.filter(pk=person.pk).update(is_staff=True)
    assert client.get("/admin/login/?next=/admin/workspaces/")["Location"] == "/admin/workspaces/"
    assert client.get("/admin/login/?next=//elsewhere/")["Location"] == "/"
