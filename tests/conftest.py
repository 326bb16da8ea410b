"""The cast: two workspaces, three resource groups, and everyone who may or may not be there."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from playwright.sync_api import Browser, expect, sync_playwright

from launchpad.access import Role
from launchpad.grants import grant
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace
from tests import databases
from tests.buckets import S3Server
from tests.mlops.serving import Server

# As in tests/waiting.py: far off, as a slow machine may take its time.
expect.set_options(timeout=120_000)


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 server of our own for the whole run."""
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def django_db_keepdb() -> Iterator[bool]:
    """A migrated database is there already. SQLite's goes with the run's data folder."""
    if connection.vendor == "sqlite":
        databases.bring(Path(connection.settings_dict["TEST"]["NAME"]))
        yield True
        return
    connection.ops = databases.Emptying(connection)
    name = connection.settings_dict["TEST"]["NAME"]
    with databases.lent(dict(connection.settings_dict), name):
        yield True
        connection.close()


@pytest.fixture(scope="module")
def module_db(django_db_setup, django_db_blocker) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """A transaction around a module's tests: what is made `with module_db():` is there for all.

    For tests that only read it, or undo what they do to the rows in memory too; not with transaction=True.
    """
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around.__enter__()
    yield django_db_blocker.unblock
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@pytest.fixture(scope="session")
def web(django_db_setup, tmp_path_factory) -> Iterator[Server]:
    """One web server on the test's database for all that leave it as it is; they need `transactional_db`."""
    server = Server(tmp_path_factory.mktemp("web"))
    yield server
    server.close()


@pytest.fixture
def workspace(db) -> Workspace:
    """The workspace `north`, where red and blue are neighbours."""
    return Workspace.unscoped.create(slug="north", description="Where red and blue are")


@pytest.fixture
def red(workspace) -> ResourceGroup:
    """The resource group the cast works in."""
    return ResourceGroup.unscoped.create(workspace=workspace, slug="red")


@pytest.fixture
def blue(workspace) -> ResourceGroup:
    """Its neighbour in the same workspace."""
    return ResourceGroup.unscoped.create(workspace=workspace, slug="blue")


@pytest.fixture
def green(db) -> ResourceGroup:
    """A resource group in another workspace, `south`."""
    return ResourceGroup.unscoped.create(workspace=Workspace.unscoped.create(slug="south"), slug="green")


@pytest.fixture
def editor(red) -> User:
    """May change red."""
    user = User.objects.create_user("editor")
    grant(Role.EDITOR, user, red)
    return user


@pytest.fixture
def viewer(red) -> User:
    """May see red."""
    user = User.objects.create_user("viewer")
    grant(Role.VIEWER, user, red)
    return user


@pytest.fixture
def neighbour(blue) -> User:
    """May change blue, and has passed the gate of the workspace that red is in."""
    user = User.objects.create_user("neighbour")
    grant(Role.EDITOR, user, blue)
    return user


@pytest.fixture
def outsider(db) -> User:
    """Has no role anywhere."""
    return User.objects.create_user("outsider")


@pytest.fixture
def manager(workspace) -> User:
    """Has passed the gate and holds no content role."""
    user = User.objects.create_user("manager")
    grant(Role.OPERATIONS_MANAGER, user, workspace)
    return user


@pytest.fixture
def gateless(red) -> User:
    """Viewer of red without the gate of its workspace."""
    user = User.objects.create_user("gateless")
    grant(Role.VIEWER, user, red, with_gate=False)
    return user


@pytest.fixture
def staff(db) -> User:
    """Opens the admin site, holds no role."""
    return User.objects.create_user("staff", is_staff=True)


@pytest.fixture
def superuser(db) -> User:
    """Holds every right."""
    return User.objects.create_superuser("superuser")


@dataclass(frozen=True)
class Cast:
    """Everyone by name; `anonymous` is None."""

    people: dict[str, User | None]

    def client(self, name: str) -> Client:
        """A browser in which that person is signed in."""
        browser = Client(headers={"accept": "text/html"})
        if self.people[name] is not None:
            browser.force_login(self.people[name])
        return browser


@pytest.fixture
def cast(editor, viewer, neighbour, outsider, manager, gateless, staff, superuser) -> Cast:
    """The whole cast."""
    people = (editor, viewer, neighbour, outsider, manager, gateless, staff, superuser)
    return Cast({"anonymous": None, **{person.username: person for person in people}})


@pytest.fixture
def browse():
    """`browse(user)`: a browser in which the user is signed in."""

    def signed_in(user: User, **headers: str) -> Client:
        browser = Client(headers={"accept": "text/html", **headers})
        browser.force_login(user)
        return browser

    return signed_in


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """Chromium without a window; the test is skipped by name where there is none."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
