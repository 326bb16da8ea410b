"""Git repositories of a workspace: where applications take their templates from, and who we are there."""

from __future__ import annotations

import re
import secrets
from datetime import datetime

from django.conf import settings
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, NotFound, Taken
from mlops import doorbell
from mlops.domain import catalog
from mlops.domain.limits import Check, storable
from mlops.engine import git_places
from mlops.models import Repository, Source

NAME_LIMIT = 51
USERNAME_LIMIT = 256
PASSWORD_LIMIT = 16 * 1024
_NAME = re.compile(r"[a-z0-9-]+")
_PEM = re.compile(r"\s*-----BEGIN [A-Z ]*PRIVATE KEY-----\s.*-----END [A-Z ]*PRIVATE KEY-----\s*", re.DOTALL)


def search(scope: Scope) -> QuerySet[Repository]:
    """The workspace's repositories by name; their credentials stay sealed."""
    return scope.of(Repository).defer("credentials").order_by("name")


def described(scope: Scope) -> QuerySet[Repository]:
    """The same, each with `application_count`."""
    users = scope.of(Source).filter(repository=OuterRef("pk"), removed_at=None).order_by()
    counted = users.values("repository").annotate(count=Count("pk")).values("count")
    return search(scope).annotate(application_count=Coalesce(Subquery(counted), 0))


def get(scope: Scope, name: str) -> Repository:
    """One repository, its credentials still sealed. Raises NotFound."""
    # Not every database can be asked for every text.
    found = search(scope).filter(name=name).first() if _NAME.fullmatch(name) else None
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


@command(secret=("password",), administers=True)
def create(scope: Scope, *, url: str, username: str, password: str, name: str = "") -> Repository:
    """Add a repository; it is asked at once whether it can be reached, and again every GIT_SYNC_SECONDS.

    url: https, or ssh with a private key in PEM as the password. username, password: empty for a repository
    that asks for none. name: 1 to 51 lower-case letters, digits and hyphens; by default made from the
    address. Raises Forbidden, Invalid, and Taken when the workspace has the name or the address already.
    """
    check = Check()
    url = _url(check, url)
    _check_credentials(check, url, username, password)
    if name and (len(name) > NAME_LIMIT or not _NAME.fullmatch(name)):
        check.refuse(
            "name", f"A repository's name is 1 to {NAME_LIMIT} lower-case letters, digits and hyphens."
        )
    check.done()
    catalog.hold(scope)
    if (there := search(scope).filter(url=url).first()) is not None:
        raise Taken(f"The repository {there.name} has this address already. Change its credentials instead.")
    if name and search(scope).filter(name=name).exists():
        raise Taken(f"There is a repository {name} here already. Choose another name, or delete that one.")
    made = scope.of(Repository).create(
        workspace=scope.workspace,
        name=name or _free_name(scope, url),
        url=url,
        credentials={"username": username, "password": password},
        due_at=timezone.now(),
    )
    doorbell.sources()
    return made


def _free_name(scope: Scope, url: str) -> str:
    last = re.split(r"[/:]", url)[-1].removesuffix(".git").lower()
    name = re.sub(r"[^a-z0-9-]+", "-", last).strip("-")[: NAME_LIMIT - 9] or "repository"
    taken = search(scope).filter(name=name).exists()
    return f"{name}-{secrets.token_hex(4)}" if taken else name


@command(secret=("password",), administers=True)
def change(
    scope: Scope, name: str, *, username: str, password: str, seen: datetime | None = None
) -> Repository:
    """Replace the credentials; its applications are synced with them at once.

    seen: since when the repository that the caller was shown had its credentials. Raises NotFound,
    Forbidden, Invalid, and Conflict when they were replaced since.
    """
    found = get(scope, name)
    check = Check()
    _check_credentials(check, found.url, username, password)
    check.done()
    now = timezone.now()
    told = {
        "credentials": {"username": username, "password": password},
        "replaced_at": now,
        "state": Repository.State.UNKNOWN,
        "message": "",
        "due_at": now,
    }
    mine = scope.of(Repository).filter(pk=found.pk)
    if seen is not None:
        mine = mine.filter(replaced_at=seen)
    if not mine.update(**told):
        raise Conflict(
            f"Somebody else replaced the credentials of {name} meanwhile. Open the form again to go on."
        )
    used_by(scope, found).update(due_at=now)
    doorbell.sources()
    return get(scope, name)


@command(administers=True)
def delete(scope: Scope, name: str) -> Repository:
    """Forget a repository; versions that came from it stay.

    Raises NotFound, Forbidden, and Invalid, naming them, while applications use it.
    """
    catalog.hold(scope)
    found = get(scope, name)
    users = list(used_by(scope, found).values_list("name", flat=True)[:5])
    if users:
        raise Invalid(
            f"The repository {name} is used by {', '.join(users)}. Delete "
            f"{'this application' if len(users) == 1 else 'these applications'} first."
        )
    # What is left are applications of before; their versions keep them.
    scope.of(Source).filter(repository=found).update(repository=None)
    key = found.pk
    found.delete()
    found.pk = key
    return found


def used_by(scope: Scope, repository: Repository) -> QuerySet[Source]:
    """The applications that take their templates from a repository, by name."""
    return scope.of(Source).filter(repository=repository, removed_at=None).order_by("name")


def _url(check: Check, url: str) -> str:
    try:
        return git_places.check_url(
            url, allow_http=settings.GIT_ALLOW_HTTP, allow_file=settings.GIT_ALLOW_FILE
        )
    except ValueError as error:
        check.refuse("url", str(error))
        return ""


def _check_credentials(check: Check, url: str, username: str, password: str) -> None:
    """Refuse what could not be sent. No sentence shows the password."""
    check.text("username", username, label="The user name", limit=USERNAME_LIMIT)
    if ":" in username or not username.isprintable():
        check.refuse("username", "A user name holds no colon and nothing that cannot be printed.")
    if len(password) > PASSWORD_LIMIT or not storable(password):
        check.refuse("password", f"The password is at most {PASSWORD_LIMIT} characters of plain text.")
    if not url:
        return
    if git_places.scheme(url) == "ssh":
        if not _PEM.fullmatch(password):
            check.refuse("password", "For an ssh address give the private key in PEM as the password.")
        if not git_places.user(url) and not git_places.is_user(username):
            check.refuse("username", "Name the user of the ssh server, which is often git.")
    elif not password.isprintable():
        check.refuse("password", "A password holds nothing that cannot be printed.")
