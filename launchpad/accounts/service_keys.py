"""Keys of API clients: made with a role in one resource group or for a whole workspace, listed, revoked."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from oauth2_provider.models import Application

from launchpad import grants
from launchpad.access import Role, Scope
from launchpad.accounts.models import ServiceKey
from launchpad.commands import command
from launchpad.errors import Invalid
from launchpad.resource_groups.models import ResourceGroup

if TYPE_CHECKING:
    from launchpad.workspaces.models import Workspace

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_NAME_LIMIT = 64


@dataclass(frozen=True)
class Issued:
    """A new key with what is shown this once."""

    key: ServiceKey
    client_id: str
    client_secret: str

    def document(self, url: str) -> dict[str, object]:
        """The service-key JSON that clients of the AI API read. url: the address clients see."""
        return {
            "clientid": self.client_id,
            "clientsecret": self.client_secret,
            "url": url,
            "serviceurls": {"AI_API_URL": url},
        }


def create(scope: Scope, *, name: str, role: Role = Role.EDITOR) -> Issued:
    """Issue credentials with a role in the scope's resource group, or for its workspace without one.

    A key of a workspace is an administrator's whatever `role` says: it changes the workspace and every group
    of it. name: 1 to 64 lower-case letters, digits and hyphens, unique among the keys of the place that are
    not revoked. The secret has 384 random bits; only its hash is kept. Raises Invalid, Forbidden.
    """
    if scope.resource_group is None:
        role = Role.OPERATIONS_MANAGER
    secret = secrets.token_urlsafe(48)
    key = record(scope, name=name, role=role, secret=secret)
    assert key.application is not None
    return Issued(key, key.application.client_id, secret)


@command(secret=("secret",), verb="create")
def record(scope: Scope, *, name: str, role: Role, secret: str) -> ServiceKey:
    """The transaction of `create`."""
    if len(name) > _NAME_LIMIT or not _NAME.fullmatch(name):
        sentence = "Use 1 to 64 lower-case letters, digits and hyphens; start and end with a letter or digit."
        raise Invalid(sentence, fields={"name": sentence})
    group = scope.resource_group
    if group is not None and role not in (Role.VIEWER, Role.EDITOR):
        raise Invalid(
            "A key of a resource group is a viewer's or an editor's.", fields={"role": "Choose one."}
        )
    # Two of the same name wait for each other here.
    type(group or scope.workspace).unscoped.select_for_update(no_key=True).get(
        pk=(group or scope.workspace).pk
    )
    if search(scope).filter(name=name).exists():
        sentence = f"There is a key {name} here already. Choose another name, or revoke that one first."
        raise Invalid(sentence, fields={"name": sentence})
    account = User.objects.create(
        username=f"key {name} {secrets.token_hex(4)}", first_name=name, is_staff=group is None
    )
    account.set_unusable_password()
    account.save()
    _grant(role, account, scope.workspace, group)
    application = Application.objects.create(
        name=name,
        user=account,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        client_secret=secret,
    )
    return scope.of(ServiceKey).create(
        workspace=scope.workspace,
        resource_group=group,
        name=name,
        role=role,
        application=application,
        account=account,
        created_by=scope.user,
    )


def _grant(role: Role, account: User, workspace: Workspace, group: ResourceGroup | None) -> None:
    if group is not None:
        grants.grant(role, account, group)
        return
    grants.grant(Role.OPERATIONS_MANAGER, account, workspace)
    for one in ResourceGroup.unscoped.filter(workspace=workspace):
        grants.grant(Role.EDITOR, account, one, with_gate=False)


def open_to_administrators(group: ResourceGroup) -> None:
    """Let the administrators' keys of its workspace into a new group. Call it in the group's transaction."""
    keys = ServiceKey.unscoped.filter(workspace=group.workspace, resource_group=None, revoked_at=None)
    for key in keys.select_related("account"):
        grants.grant(Role.EDITOR, key.account, group, with_gate=False)


def authenticate(client_id: str, secret: str) -> ServiceKey | None:
    """The key of these credentials; None when they are wrong, or the key is revoked. One query."""
    keys = ServiceKey.unscoped.filter(
        application__client_id=client_id, revoked_at=None, account__is_active=True
    )
    key = keys.select_related("application").first()
    if key is None or key.application is None or not check_password(secret, key.application.client_secret):
        return None
    return key


def search(scope: Scope) -> QuerySet[ServiceKey]:
    """Keys of the resource group, or of a workspace without one, that are not revoked; newest first."""
    rows = scope.of(ServiceKey).filter(resource_group=scope.resource_group, revoked_at=None)
    return rows.select_related("created_by").order_by("-created_at", "-pk")


def get(scope: Scope, key_id: UUID | str) -> ServiceKey:
    """A key of the place that is not revoked. Raises NotFound."""
    return scope.get(ServiceKey, pk=key_id, resource_group=scope.resource_group, revoked_at=None)


@command()
def revoke(scope: Scope, key_id: UUID | str) -> ServiceKey:
    """End a key at once: its tokens are refused, no new one is given. Raises NotFound, Forbidden."""
    key = get(scope, key_id)
    application, key.application, key.revoked_at = key.application, None, timezone.now()
    key.save()
    key.account.is_active = False
    key.account.save(update_fields=["is_active"])
    if application is not None:
        application.delete()
    return key
