"""Object stores of a resource group: secrets that say where the files of `ai://<name>/…` addresses lie."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from django.db.models import QuerySet
from django.utils import timezone

from launchpad.access import NOTHING_HERE, Scope
from launchpad.commands import command
from launchpad.errors import Invalid, NotFound
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


def search(scope: Scope) -> QuerySet[ObjectStoreSecret]:
    """The group's object store secrets by name; their credentials stay sealed."""
    return scope.of(ObjectStoreSecret).defer("data").order_by("name")


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
    scope: Scope, name: str, *, kind: str, options: Options, data: Mapping[str, str]
) -> ObjectStoreSecret:
    """Replace all of a store but its name; its addresses mean the new place from then on.

    Raises NotFound, Forbidden, Invalid.
    """
    secret = get(scope, name)
    check = Check()
    kept = _checked(check, kind, options, data)
    check.done()
    changed = scope.of(ObjectStoreSecret).filter(pk=secret.pk)
    if not changed.update(kind=kind, options=kept, data=dict(data), modified_at=timezone.now()):
        raise NotFound(NOTHING_HERE)
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
