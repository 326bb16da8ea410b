"""Object stores of a resource group: secrets that say where the files of `ai://<name>/…` addresses lie."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Right, Scope
from launchpad.commands import command
from launchpad.errors import Conflict, Invalid, LaunchpadError, NotFound
from launchpad.vault import Unreadable
from mlops import storage
from mlops.domain.limits import Check
from mlops.models import ObjectStoreSecret

NAME_LIMIT = 233
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
REGION = "us-east-1"
Kind = ObjectStoreSecret.Kind
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
# They travel in a header.
_CREDENTIAL = re.compile(r"[!-~]{1,1024}")


@dataclass(frozen=True)
class Options:
    """Where a bucket is; all of it may be told. endpoint: `host[:port]`, "" for the region's at Amazon.

    path_prefix: "" or the path in the bucket that everything lies below.
    """

    bucket: str = ""
    endpoint: str = ""
    region: str = ""
    path_prefix: str = ""
    use_https: bool = True
    verify_ssl: bool = True

    def __str__(self) -> str:
        return f"{self.bucket}/{self.path_prefix} at {self.endpoint or self.region}" if self.bucket else ""


def search(scope: Scope) -> QuerySet[ObjectStoreSecret]:
    """The group's object store secrets by name; their credentials stay sealed."""
    return scope.of(ObjectStoreSecret).defer("data").order_by("name")


def of_workspace(scope: Scope) -> QuerySet[ObjectStoreSecret]:
    """Those of every group of the workspace, newest first, for its administrators. Raises Forbidden."""
    scope.administer()
    rows = ObjectStoreSecret.unscoped.filter(
        resource_group__workspace=scope.workspace, resource_group__deleting_at=None
    )
    return rows.select_related("resource_group").defer("data").order_by("-created_at", "-pk")


def get(scope: Scope, name: str) -> ObjectStoreSecret:
    """One object store secret, its credentials still sealed. Raises NotFound."""
    # Not every database can be asked for every text.
    secret = search(scope).filter(name=name).first() if _NAME.fullmatch(name) else None
    if secret is None:
        raise NotFound(NOTHING_HERE)
    return secret


@command(secret=("data",))
def create(
    scope: Scope, *, name: str, kind: str, options: Options, data: Mapping[str, str]
) -> ObjectStoreSecret:
    """Keep a new store; nothing is called to try it. data: the two AWS_… credentials, none for a local store.

    One named `default` takes the place of the group's built-in store. name: 1 to 233 lower-case letters,
    digits, hyphens and dots. Raises Forbidden, and Invalid, also for a name that is taken.
    """
    check = Check()
    if len(name) > NAME_LIMIT or not _NAME.fullmatch(name):
        check.refuse(
            "name",
            f"An object store's name is 1 to {NAME_LIMIT} lower-case letters, digits, hyphens and dots, "
            "a letter or digit at both ends of each part.",
        )
    kept = _checked(check, kind, options, data)
    check.done()
    secret = ObjectStoreSecret(
        resource_group=scope.resource_group, name=name, kind=kind, options=kept, data=dict(data)
    )
    rows = scope.of(ObjectStoreSecret)
    rows.bulk_create([secret], ignore_conflicts=True)
    if not rows.filter(pk=secret.pk).exists():
        sentence = f"There is an object store {name} here already. Change that one, or choose another name."
        raise Invalid(sentence, fields={"name": sentence})
    return secret


@command(secret=("data",))
def change(
    scope: Scope,
    name: str,
    *,
    kind: str,
    options: Options,
    data: Mapping[str, str] | None,
    seen: datetime | None = None,
) -> ObjectStoreSecret:
    """Replace all of a store but its name; its addresses mean the new place from then on.

    data: None keeps the credentials, as long as they are sent to the same server. seen: when the store that
    the caller was shown was modified. Raises NotFound, Forbidden, Invalid, and Conflict when it was modified
    since.
    """
    secret = get(scope, name)
    if data is None:
        data = _kept_data(secret, kind, options)
    check = Check()
    kept = _checked(check, kind, options, data)
    check.done()
    changed = scope.of(ObjectStoreSecret).filter(pk=secret.pk)
    if seen is not None:
        changed = changed.filter(modified_at=seen)
    if not changed.update(kind=kind, options=kept, data=dict(data), modified_at=timezone.now()):
        raise Conflict(f"Somebody else changed the store {name} meanwhile. Look at it again first.")
    secret.kind, secret.options = kind, kept
    return secret


@command()
def delete(scope: Scope, name: str) -> ObjectStoreSecret:
    """Forget a store; the files in it stay where they are, and so do artifacts that refer to them.

    Artifacts are never removed, so refusing would keep credentials for ever. They are told as unreadable
    until a store of the name exists again. Raises NotFound, Forbidden.
    """
    secret = get(scope, name)
    scope.of(ObjectStoreSecret).filter(pk=secret.pk).delete()
    return secret


def check(scope: Scope, name: str) -> None:
    """Write, read and remove a small object in a store, the built-in one included.

    Calls the store, outside any transaction. Raises NotFound, Forbidden, and Conflict with the reason.
    """
    scope.require(Right.CHANGE)
    assert scope.resource_group is not None
    if name != storage.DEFAULT:
        get(scope, name)
    try:
        _try(storage.open_store(scope.resource_group, name))
    except Conflict as error:
        note_check(scope, name=name, outcome=error.message)
        raise
    note_check(scope, name=name, outcome="It works.")


@command(verb="check")
def note_check(scope: Scope, *, name: str, outcome: str) -> ObjectStoreSecret | None:
    """The transaction of `check`: its audit event."""
    return search(scope).filter(name=name).first()


def _try(store: storage.Store) -> None:
    path, probe = f"launchpad-check-{secrets.token_hex(8)}", secrets.token_bytes(1024)
    with _step("written"):
        store.write(path, [probe])
    try:
        with _step("read"):
            same = b"".join(store.open(path)) == probe
    except Conflict:
        with suppress(LaunchpadError):
            store.delete(path)
        raise
    with _step("removed"):
        store.delete(path)
    if not same:
        raise Conflict("The store gave back other bytes than were written to it.")


@contextmanager
def _step(done: str) -> Iterator[None]:
    try:
        yield
    except LaunchpadError as error:
        raise Conflict(f"A small test object could not be {done}. {error.message}") from error


def _kept_data(secret: ObjectStoreSecret, kind: str, options: Options) -> Mapping[str, str]:
    """The credentials of before; none for a server that they were not given for."""
    if kind != Kind.S3:
        return {}
    before = secret.options
    here = (options.endpoint, options.region or REGION, options.use_https, options.verify_ssl)
    there = tuple(before.get(key) for key in ("endpoint", "region", "use_https", "verify_ssl"))
    if secret.kind != Kind.S3 or here != there:
        sentence = "Give the credentials again: they were kept for another server or way to it."
        raise Invalid(sentence, fields={"data": sentence})
    try:
        kept: Mapping[str, str] = secret.data
    except Unreadable as error:
        sentence = "Give the credentials again: those kept cannot be read, their key is gone."
        raise Invalid(sentence, fields={"data": sentence}) from error
    return kept


def _checked(check: Check, kind: str, options: Options, data: Mapping[str, str]) -> dict[str, object]:
    """The options as they are kept; no sentence shows a credential."""
    if kind == Kind.LOCAL:
        if options != Options() or data:
            check.refuse(
                "options", "A local store is a folder of this Launchpad; it has no options and no data."
            )
        return {}
    if kind != Kind.S3:
        check.refuse("kind", f"The kind of an object store is one of: {', '.join(Kind.values)}.")
        return {}
    if not _BUCKET.fullmatch(options.bucket):
        check.refuse("bucket", "Name the bucket: 3 to 255 letters, digits, dots, hyphens and underscores.")
    region = options.region or REGION
    if not _REGION.fullmatch(region):
        check.refuse("region", "A region is up to 64 letters, digits and hyphens, such as eu-central-1.")
        region = REGION
    try:
        storage.check_endpoint(options.endpoint, use_https=options.use_https, region=region)
    except Invalid as error:
        check.refuse("endpoint", error.message)
    prefix = options.path_prefix.strip("/")
    try:
        if prefix:
            storage.check_path(prefix)
    except Invalid as error:
        check.refuse("path_prefix", error.message)
    if set(data) != set(CREDENTIALS) or not all(_CREDENTIAL.fullmatch(value) for value in data.values()):
        check.refuse(
            "data", f"The data holds exactly the keys {' and '.join(CREDENTIALS)}, none of them empty."
        )
    return asdict(options) | {"region": region, "path_prefix": prefix}
