"""Which store a name stands for: the group's secret of that name says where the bytes lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from launchpad.access import system_scope
from launchpad.errors import Conflict, Invalid
from launchpad.vault import Unreadable
from mlops.models import ObjectStoreSecret
from mlops.storage.addresses import is_store_name, printable
from mlops.storage.local import LocalFolder
from mlops.storage.s3 import S3Bucket, S3Place, endpoint
from mlops.storage.stores import Store

if TYPE_CHECKING:
    from launchpad.resource_groups.models import ResourceGroup
    from launchpad.workspaces.models import Workspace

DEFAULT = "default"
# A group's slug never starts with an underscore, so no group can be given this folder.
_SOURCE_TREES = "_source-trees"


def open_store(group: ResourceGroup, name: str = DEFAULT) -> Store:
    """A resource group's object store, without a call to it; a local folder is made on first use.

    The store `default` is a folder of this Launchpad unless the group has a secret of that name. Asks the
    database once. Raises Invalid for a name that has no secret, Conflict when FIELD_KEYS does not open it.
    """
    try:
        secret = _secret(group, name)
    except Unreadable as error:
        raise Conflict(f"The secret of the object store {name} cannot be read: its key is gone.") from error
    if secret is None and name != DEFAULT:
        raise Invalid(
            f"There is no object store “{printable(name[:80])}” in this resource group. "
            f"Create a secret for it, or use ai://{DEFAULT}/…."
        )
    if secret is None or secret.kind == ObjectStoreSecret.Kind.LOCAL:
        return Store(LocalFolder(_root(group.workspace_id, group.slug, name)), name)
    return Store(S3Bucket(_place(secret)), name)


def open_source_trees(workspace: Workspace) -> Store:
    """The workspace's store of packed source trees, out of reach of every `ai://` address."""
    return Store(LocalFolder(_root(workspace.pk, _SOURCE_TREES)), "source trees")


def _secret(group: ResourceGroup, name: str) -> ObjectStoreSecret | None:
    if not is_store_name(name):
        return None
    return system_scope(group).of(ObjectStoreSecret).filter(name=name).first()


def _place(secret: ObjectStoreSecret) -> S3Place:
    options = secret.options
    return S3Place(
        endpoint=endpoint(options["endpoint"], use_https=options["use_https"], region=options["region"]),
        region=options["region"],
        bucket=options["bucket"],
        prefix=options["path_prefix"],
        verify_ssl=options["verify_ssl"],
        access_key_id=secret.data["AWS_ACCESS_KEY_ID"],
        secret_access_key=secret.data["AWS_SECRET_ACCESS_KEY"],
    )


def _root(*parts: str) -> Path:
    stores = Path(settings.LAUNCHPAD_DATA, "stores")
    # Every group's files are here, and without a sandbox a step is just another user of the host.
    stores.mkdir(mode=0o750, parents=True, exist_ok=True)
    return stores.joinpath(*parts)
