"""@command: right, transaction and audit event around every domain verb that writes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import models, transaction

from launchpad.access import Right, Scope, request_id
from launchpad.audit.models import AuditEvent

P = ParamSpec("P")
R = TypeVar("R")

REGISTRY: dict[str, bool] = {}
ADMINISTERING: set[str] = set()
_TEXT_LIMIT = 200


def command(
    *,
    right: Right = Right.CHANGE,
    audit: bool = True,
    secret: tuple[str, ...] = (),
    verb: str = "",
    administers: bool = False,
) -> Callable[[Callable[Concatenate[Scope, P], R]], Callable[Concatenate[Scope, P], R]]:
    """Make a domain function a command: `verb(scope, …)` checks the right and commits once.

    audit: write one AuditEvent named `<module>.<function>` in the same transaction; telemetry verbs
    say False. secret: keyword arguments that never reach the audit trail. verb: the verb's name where
    the function is only the transaction of a longer one. administers: what it changes is the whole
    workspace's, so that no role in a resource group is enough. The function does no network, disk or process
    work: it runs inside a transaction. Raises Forbidden, also for whoever only views as somebody else.
    """

    def decorate(function: Callable[Concatenate[Scope, P], R]) -> Callable[Concatenate[Scope, P], R]:
        name = f"{function.__module__.rsplit('.', 1)[-1]}.{verb or function.__name__}"
        REGISTRY[name] = audit
        if administers:
            ADMINISTERING.add(name)

        @functools.wraps(function)
        def wrapper(scope: Scope, *args: P.args, **kwargs: P.kwargs) -> R:
            scope.require_writing()
            scope.require(right)
            if administers:
                scope.administer()
            with transaction.atomic():
                result = function(scope, *args, **kwargs)
                if audit:
                    shown = {key: _plain(value) for key, value in kwargs.items() if key not in secret}
                    record(scope, name, result, detail=shown)
            return result

        wrapper.is_command = True  # type: ignore[attr-defined]
        return wrapper

    return decorate


def record(scope: Scope, verb: str, row: object = None, *, detail: dict[str, Any] | None = None) -> None:
    """Append one audit event for `row` (any object; only models leave a type, key and name)."""
    is_model = isinstance(row, models.Model)
    AuditEvent.unscoped.create(
        actor=scope.actor[:256],
        user=scope.user,
        verb=verb,
        workspace=scope.workspace.pk,
        resource_group=scope.resource_group.pk if scope.resource_group else None,
        object_type=row._meta.model_name if is_model else "",
        object_id=str(row.pk)[:64] if is_model else "",
        object_name=str(row)[:256] if is_model else "",
        detail=detail or {},
        request_id=request_id.get(),
    )


def _plain(value: object) -> Any:
    """JSON-safe, short form of an argument for the audit trail."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, dict):
        return {str(key)[:_TEXT_LIMIT]: _plain(item) for key, item in list(value.items())[:50]}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in list(value)[:50]]
    return str(value)[:_TEXT_LIMIT].replace("\x00", "")
