"""Object store secrets of a resource group; clients without a header mean the group `default`."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from launchpad.access import Right
from launchpad.errors import Invalid
from mlops.api import admin_lists
from mlops.api.admin_documents import ObjectStore, ObjectStores, Said, SaidById
from mlops.api.operations import Call, Operations, in_group
from mlops.domain import object_stores
from mlops.domain.object_stores import Options
from mlops.models import ObjectStoreSecret

operation = Operations("Object stores")
GROUP = "default"
ALL = "/admin/objectStoreSecrets"
ONE = "/admin/objectStoreSecrets/{object_store_name}"
Kind = ObjectStoreSecret.Kind
TYPES = {"s3": Kind.S3, "local": Kind.LOCAL}
TYPE_NAMES = {Kind.S3: "S3", Kind.LOCAL: "local"}
_FLAGS = {"1": True, "true": True, "0": False, "false": False}


class ObjectStoreBody(BaseModel):
    """BckndobjectStoreSecretWithSensitiveDataRequest; keys that it does not name are ignored."""

    name: str
    type: str
    bucket: str | None = None
    endpoint: str | None = None
    region: str | None = None
    pathPrefix: str | None = None
    verifyssl: str | None = None
    usehttps: str | None = None
    data: dict[str, str]


def described(secret: ObjectStoreSecret) -> dict[str, Any]:
    """BckndobjectStoreSecretStatus; no credential."""
    told = {"storage.ai.sap.com/type": TYPE_NAMES[Kind(secret.kind)]}
    if secret.kind == Kind.S3:
        options = Options(**secret.options)
        for name, value in (
            ("bucket", options.bucket),
            ("endpoint", options.endpoint),
            ("region", options.region),
            ("pathPrefix", options.path_prefix),
        ):
            told[f"storage.ai.sap.com/{name}"] = value
        for name, value in (
            ("usehttps", str(int(options.use_https))),
            ("verifyssl", str(int(options.verify_ssl))),
            ("endpoint", options.endpoint),
            ("region", options.region),
        ):
            told[f"serving.kubeflow.org/s3-{name}"] = value
    return {"name": secret.name, "metadata": told}


def _kind(sent: ObjectStoreBody) -> Kind:
    kind = TYPES.get(sent.type.lower())
    if kind is None:
        raise Invalid(
            f"This Launchpad serves object stores of type {' and '.join(TYPE_NAMES.values())} only."
        )
    return kind


def _options(sent: ObjectStoreBody, kind: Kind) -> Options:
    if kind is Kind.LOCAL:
        # Clients send the two flags with whatever they create.
        return Options(sent.bucket or "", sent.endpoint or "", sent.region or "", sent.pathPrefix or "")
    return Options(
        sent.bucket or "",
        sent.endpoint or "",
        sent.region or "",
        sent.pathPrefix or "",
        use_https=_flag("usehttps", sent.usehttps),
        verify_ssl=_flag("verifyssl", sent.verifyssl),
    )


def _flag(name: str, text: str | None) -> bool:
    flag = _FLAGS.get((text or "1").lower())
    if flag is None:
        raise Invalid(f"{name} is 1 or 0.")
    return flag


@operation(
    "GET",
    ALL,
    in_group(Right.VIEW, default=GROUP),
    name="object_stores.search",
    answers={200: ObjectStores},
    query=admin_lists.LIST,
)
def search(request: Call) -> dict[str, Any]:
    """The group's object stores; never their credentials."""
    rows = object_stores.search(request.auth)
    return admin_lists.page(request, rows, lambda found: [described(one) for one in found])


@operation(
    "GET", ONE, in_group(Right.VIEW, default=GROUP), name="object_stores.get", answers={200: ObjectStore}
)
def get(request: Call, object_store_name: str) -> dict[str, Any]:
    """One object store."""
    return described(object_stores.get(request.auth, object_store_name))


@operation(
    "POST", ALL, in_group(Right.CHANGE, default=GROUP), name="object_stores.create", answers={202: Said}
)
def create(request: Call, body: ObjectStoreBody) -> dict[str, Any]:
    """Keep a new object store. One named `default` takes the place of the group's built-in one."""
    kind = _kind(body)
    object_stores.create(
        request.auth, name=body.name, kind=kind, options=_options(body, kind), data=body.data
    )
    return {"message": "secret has been created"}


@operation(
    "PATCH", ONE, in_group(Right.CHANGE, default=GROUP), name="object_stores.change", answers={202: SaidById}
)
def change(request: Call, object_store_name: str, body: ObjectStoreBody) -> dict[str, Any]:
    """Replace all of an object store but its name."""
    object_stores.get(request.auth, object_store_name)
    if body.name != object_store_name:
        raise Invalid("The name in the body is another than in the address; an object store keeps its name.")
    kind = _kind(body)
    changed = object_stores.change(
        request.auth, object_store_name, kind=kind, options=_options(body, kind), data=body.data
    )
    return {"id": changed.name, "message": "secret has been modified"}


@operation(
    "DELETE", ONE, in_group(Right.CHANGE, default=GROUP), name="object_stores.delete", answers={202: SaidById}
)
def delete(request: Call, object_store_name: str) -> dict[str, Any]:
    """Forget an object store; its files stay where they are."""
    gone = object_stores.delete(request.auth, object_store_name)
    return {"id": gone.name, "message": "secret has been deleted"}
