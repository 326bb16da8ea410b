"""The access kernel: rights, scopes and grants; the only door to tenant data."""

from __future__ import annotations

import contextvars
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import EmptyResultSet, ObjectDoesNotExist, ValidationError
from django.db import DataError, connection, models

from launchpad.errors import Forbidden, NotFound
from launchpad.prepared import Prepared, Value, holding, planned
from launchpad.resource_groups.models import (
    ResourceGroup,
    ResourceGroupGroupPermission,
    ResourceGroupUserPermission,
)
from launchpad.workspaces.models import Workspace, WorkspaceGroupPermission, WorkspaceUserPermission

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Model = TypeVar("Model", bound=models.Model)

NOTHING_HERE = "Nothing here, or you have no role in this resource group. An administrator can grant one."


class Right(StrEnum):
    """What a scope lets its holder do."""

    VIEW = "view"
    PARTICIPATE = "participate"
    CHANGE = "change"


class Role(StrEnum):
    """Permission codenames; the gate is held on a workspace, the other two on a resource group."""

    OPERATIONS_MANAGER = "operations_manager"
    VIEWER = "mloperations_viewer"
    EDITOR = "mloperations_editor"


RIGHTS = {
    Role.VIEWER: frozenset({Right.VIEW, Right.PARTICIPATE}),
    Role.EDITOR: frozenset({Right.VIEW, Right.PARTICIPATE, Right.CHANGE}),
}
ROLE_NAMES = {Role.OPERATIONS_MANAGER: "operations manager", Role.VIEWER: "viewer", Role.EDITOR: "editor"}
READ_ONLY = "You are viewing as {}, so nothing can be changed. End viewing first."
_ALL = frozenset(Right)
_KEY = object()
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")


@dataclass(frozen=True)
class Scope:
    """A window on one workspace and, if given, one of its resource groups.

    Made by `open_scope` and its kin only. actor: the name that audit events bear. viewed_as: the person whose
    role the holder looks through, so that nothing can be changed; whatever is personal stays the holder's.
    """

    workspace: Workspace
    resource_group: ResourceGroup | None
    rights: frozenset[Right]
    actor: str
    user: User | None = None
    viewed_as: User | None = None
    key: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.key is not _KEY:
            raise TypeError("A Scope is made by open_scope or system_scope.")

    @property
    def may_change(self) -> bool:
        """Whether the holder may change things here."""
        return Right.CHANGE in self.rights

    @property
    def may_participate(self) -> bool:
        """Whether the holder may comment, flag and try things here."""
        return Right.PARTICIPATE in self.rights

    def require(self, right: Right) -> None:
        """Raise Forbidden, naming the missing role, unless the scope holds `right`."""
        if right not in self.rights:
            place = f"resource group {self.resource_group.slug}" if self.resource_group else "this workspace"
            role = "editor" if right is Right.CHANGE else "viewer"
            raise Forbidden(f"This needs the {role} role in {place}. An administrator can grant it.")

    def require_writing(self) -> None:
        """Raise Forbidden where the holder only looks through somebody else's role."""
        if self.viewed_as is not None:
            raise Forbidden(READ_ONLY.format(self.viewed_as.get_username()))

    def administer(self) -> None:
        """Raise Forbidden unless this is a whole workspace, which administrators alone may change."""
        if self.resource_group is not None or not self.may_change:
            raise Forbidden("This is changed by administrators of the workspace, not from a resource group.")

    def of(self, model: type[Model]) -> models.QuerySet[Model]:
        """All rows of a tenant model inside this window, without those put away; its SHOWN tells those."""
        return self.everything(model).filter(**getattr(model, "SHOWN", {}))

    def everything(self, model: type[Model]) -> models.QuerySet[Model]:
        """As `of`, with those that are put away; the model's SCOPE says by which path they belong here."""
        path: str = model.SCOPE  # type: ignore[attr-defined]
        manager: models.Manager[Model] = model.unscoped  # type: ignore[attr-defined]
        return manager.filter(**{path: self._place(model)})

    def get(self, model: type[Model], **lookup: Any) -> Model:
        """The one row inside this window; raises NotFound, also for malformed keys."""
        found: Model = self.one(self.of(model), **lookup)
        return found

    def one(self, rows: models.QuerySet[Any, Any], **lookup: Any) -> Any:
        """The one of some rows of this window, in their shape; raises NotFound, also for malformed keys."""
        try:
            return rows.get(**lookup)
        except (ObjectDoesNotExist, ValidationError, DataError, ValueError, TypeError) as error:
            raise NotFound(NOTHING_HERE) from error

    def hold(self, model: type[Model], **lookup: Any) -> list[Model]:
        """Rows of this window that nobody deletes or puts away until the end of the transaction.

        For what is about to refer to them. Whoever does the other at this moment is waited for, or waits.
        """
        rows = self.of(model).filter(**lookup).order_by()
        try:
            sql, values = rows.query.sql_with_params()
        except EmptyResultSet:
            return []
        manager: models.Manager[Model] = model.unscoped  # type: ignore[attr-defined]
        return list(manager.raw(f"{sql}{holding(model._meta.db_table)}", values))

    def ask(self, question: Question, *values: Value) -> list[Any]:
        """The rows inside this window that answer a question about some values."""
        return question.rows(self._place(question.model).pk, *values)

    def ask_one(self, question: Question, *values: Value) -> Any:
        """The first such row; raises NotFound, also for values that no row can have."""
        try:
            found = self.ask(question, *values)
        except (DataError, ValueError) as error:
            raise NotFound(NOTHING_HERE) from error
        if not found:
            raise NotFound(NOTHING_HERE)
        return found[0]

    def _place(self, model: type[models.Model]) -> Workspace | ResourceGroup:
        """What rows of a tenant model belong to here."""
        return self.group if model.SCOPE.endswith("resource_group") else self.workspace  # type: ignore[attr-defined]

    @property
    def group(self) -> ResourceGroup:
        """The resource group, for what exists in one alone; a scope of a whole workspace is a TypeError."""
        if self.resource_group is None:
            raise TypeError(f"This belongs to a resource group, in {self.workspace} the scope names none.")
        return self.resource_group


class Question(Prepared):
    """A prepared query on the rows of a tenant model, to be asked through a scope.

    narrow: makes the queryset of named tuples from the rows of a window and some values. samples: as of
    `Prepared`. holds: whether the rows stay until the end of the transaction, as of `Scope.hold`.
    """

    def __init__(
        self,
        model: type[models.Model],
        narrow: Callable[..., models.QuerySet[Any, Any]],
        *samples: Value,
        holds: bool = False,
    ) -> None:
        self.model = model
        path: str = model.SCOPE  # type: ignore[attr-defined]
        place: Value = uuid.uuid4() if path.endswith("resource_group") else "a workspace"

        def build(key: Value, *values: Value) -> models.QuerySet[Any, Any]:
            manager: models.Manager[models.Model] = model.unscoped  # type: ignore[attr-defined]
            shown: dict[str, Value] = getattr(model, "SHOWN", {})
            return narrow(manager.filter(**{path: key}, **shown), *values)

        super().__init__(build, place, *samples, held=model._meta.db_table if holds else "")


def _held(mine: type[models.Model], teams: type[models.Model]) -> str:
    """The SQL of role codenames on a place, of a user or the user's teams; its values: twice both keys."""
    permission = "JOIN auth_permission permission ON permission.id = held.permission_id"
    return (
        f"SELECT permission.codename FROM {mine._meta.db_table} held {permission} "
        "WHERE held.content_object_id = %s AND held.user_id = %s "
        f"UNION ALL SELECT permission.codename FROM {teams._meta.db_table} held {permission} "
        "JOIN auth_user_groups team ON team.group_id = held.group_id "
        "WHERE held.content_object_id = %s AND team.user_id = %s"
    )


# Written out: every request asks this, and the ORM needs longer to phrase it than the database to answer.
_IN_WORKSPACE = _held(WorkspaceUserPermission, WorkspaceGroupPermission)
_IN_GROUP = f"{_IN_WORKSPACE} UNION ALL {_held(ResourceGroupUserPermission, ResourceGroupGroupPermission)}"


def _codenames(user: User, workspace: Workspace, group: ResourceGroup | None) -> set[str]:
    """Role codenames of the user and the user's teams here, in one query."""
    values: list[Any] = [workspace.pk, user.pk] * 2
    if group is not None:
        values += [ResourceGroup._meta.pk.get_db_prep_value(group.pk, connection), user.pk] * 2
    with planned() as cursor:
        cursor.execute(_IN_WORKSPACE if group is None else _IN_GROUP, values)
        return {codename for (codename,) in cursor.fetchall()}


def _columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


_GROUP = Prepared(
    lambda workspace, slug: ResourceGroup.unscoped.filter(
        workspace_id=workspace, slug=slug, deleting_at=None
    ).values_list(
        *_columns(ResourceGroup), *(f"workspace__{name}" for name in _columns(Workspace)), named=True
    ),
    "a workspace",
    "a group",
)


def _resource_group(workspace: str, slug: str) -> ResourceGroup | None:
    """A resource group with its workspace, unless it is being deleted; one query."""
    for row in _GROUP.rows(workspace, slug):
        names = _columns(ResourceGroup)
        group = ResourceGroup.from_db("default", names, row[: len(names)])
        group.workspace = Workspace.from_db("default", _columns(Workspace), row[len(names) :])
        return group
    return None


def open_scope(
    user: User, workspace: str, resource_group: str | None = None, right: Right = Right.VIEW
) -> Scope:
    """The user's window on a workspace or one of its resource groups; at most two queries.

    Raises NotFound when the place does not exist or the user may not view it (indistinguishable on
    purpose); Forbidden when they may view it but lack `right`. Superusers hold every right.
    """
    group: ResourceGroup | None = None
    if "\0" in f"{workspace}{resource_group}":
        # PostgreSQL knows no text with NUL; asking it would be an error instead of an answer.
        raise NotFound(NOTHING_HERE)
    if resource_group is None:
        place = Workspace.unscoped.filter(slug=workspace).first()
    else:
        group = _resource_group(workspace, resource_group)
        place = group.workspace if group else None
    if place is None or not user.is_active:
        raise NotFound(NOTHING_HERE)
    rights = _ALL if user.is_superuser else _rights(user, place, group)
    if Right.VIEW not in rights:
        raise NotFound(NOTHING_HERE)
    scope = Scope(place, group, rights, user.get_username(), user, key=_KEY)
    scope.require(right)
    return scope


def _rights(user: User, workspace: Workspace, group: ResourceGroup | None) -> frozenset[Right]:
    codenames = _codenames(user, workspace, group)
    if Role.OPERATIONS_MANAGER not in codenames:
        return frozenset()
    if group is None:
        return _ALL if user.is_staff else frozenset({Right.VIEW})
    return frozenset().union(*(rights for role, rights in RIGHTS.items() if role in codenames))


def administered(scope: Scope, slug: str) -> Scope:
    """An administrator's window on a group of their workspace, whatever role they hold there; one query.

    For what administrators keep in it, such as secrets. Raises NotFound and Forbidden.
    """
    scope.administer()
    group = None if "\0" in slug else _resource_group(scope.workspace.pk, slug)
    if group is None:
        raise NotFound(NOTHING_HERE)
    rights = frozenset({Right.VIEW, Right.CHANGE})
    return Scope(scope.workspace, group, rights, scope.actor, scope.user, key=_KEY)


def system_scope(row: models.Model, actor: str = "launchpad") -> Scope:
    """Full rights on the place of `row`: a Workspace, a ResourceGroup or any tenant row.

    For workers, commands and set-up, never for a request.
    """
    if isinstance(row, Workspace):
        return Scope(row, None, _ALL, actor, key=_KEY)
    place: Any = row
    if not isinstance(row, ResourceGroup):
        for step in row.SCOPE.split("__"):  # type: ignore[attr-defined]
            place = getattr(place, step)
        if isinstance(place, Workspace):
            return Scope(place, None, _ALL, actor, key=_KEY)
    return Scope(place.workspace, place, _ALL, actor, key=_KEY)


def workspaces(user: User) -> models.QuerySet[Workspace]:
    """Workspaces whose gate is open to the user, by slug."""
    if user.is_superuser:
        return Workspace.unscoped.order_by("slug")
    gate = {"permission__codename": Role.OPERATIONS_MANAGER}
    return Workspace.unscoped.filter(
        models.Q(
            slug__in=WorkspaceUserPermission._default_manager.filter(user=user, **gate).values(
                "content_object"
            )
        )
        | models.Q(
            slug__in=WorkspaceGroupPermission._default_manager.filter(group__user=user, **gate).values(
                "content_object"
            )
        )
    ).order_by("slug")


def resource_groups(user: User, workspace: Workspace) -> list[tuple[ResourceGroup, str]]:
    """Resource groups the user may view in a workspace, with the role there, by slug; one query.

    The role is "administrator", "editor" or "viewer". The caller has passed the workspace's gate.
    """
    groups = _groups(workspace)
    if user.is_superuser:
        return [(group, "administrator") for group in groups]
    edits, views = _holds(user, Role.EDITOR), _holds(user, Role.VIEWER)
    return [
        (group, "editor" if group.edits else "viewer")
        for group in groups.filter(edits | views).annotate(
            edits=models.ExpressionWrapper(edits, models.BooleanField())
        )
    ]


def every_group(user: User) -> models.QuerySet[ResourceGroup]:
    """Resource groups the user may view in any workspace whose gate is open to them, by workspace."""
    rows = ResourceGroup.unscoped.filter(deleting_at=None).order_by("workspace", "slug")
    if user.is_superuser:
        return rows
    return rows.filter(_holds(user, Role.EDITOR) | _holds(user, Role.VIEWER), workspace__in=workspaces(user))


def all_resource_groups(user: User) -> models.QuerySet[ResourceGroup]:
    """Resource groups that the user may view in any workspace, by workspace and slug, each with `edits`."""
    groups = ResourceGroup.unscoped.filter(
        workspace__in=workspaces(user).order_by(), deleting_at=None
    ).order_by("workspace_id", "slug")
    if user.is_superuser:
        return groups.annotate(edits=models.Value(True, models.BooleanField()))
    edits, views = _holds(user, Role.EDITOR), _holds(user, Role.VIEWER)
    return groups.filter(edits | views).annotate(edits=models.ExpressionWrapper(edits, models.BooleanField()))


def viewable_groups(scope: Scope) -> models.QuerySet[ResourceGroup]:
    """Resource groups of the scope's workspace that its holder may view, by slug.

    Whoever may change the workspace sees all of them.
    """
    groups = _groups(scope.workspace)
    administers = scope.resource_group is None and scope.may_change
    if scope.user is None or scope.user.is_superuser or administers:
        return groups
    return groups.filter(_holds(scope.user, Role.EDITOR) | _holds(scope.user, Role.VIEWER))


def _groups(workspace: Workspace) -> models.QuerySet[ResourceGroup]:
    """The workspace's groups by slug, without those that are being deleted."""
    return ResourceGroup.unscoped.filter(workspace=workspace, deleting_at=None).order_by("slug")


def _holds(user: User, role: Role) -> models.Q:
    """The condition on a resource group that the user or one of the user's teams holds a role there."""
    here = {"content_object": models.OuterRef("pk"), "permission__codename": role}
    return models.Q(
        models.Exists(ResourceGroupUserPermission._default_manager.filter(user=user, **here))
    ) | models.Q(
        models.Exists(ResourceGroupGroupPermission._default_manager.filter(group__user=user, **here))
    )
