"""Tokens by which a run reports: signed, naming one attempt of one execution."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from django.core.signing import BadSignature, Signer

from launchpad.access import NOTHING_HERE, Scope, system_scope
from launchpad.errors import Conflict, Forbidden, NotFound
from mlops.lifecycle import LEASED, Status
from mlops.models import Execution

_LENGTH_LIMIT = 200
_KEPT = 10_000
_lock = threading.Lock()
# The place of an execution never changes, so a run that reports often is not looked up each time.
_places: OrderedDict[str, Scope] = OrderedDict()


class Ended(Conflict):
    """The attempt that a run's token names is over; its run can neither report nor read any more."""


@dataclass(frozen=True)
class Run:
    """What a token opens. scope: the place of the execution, with full rights there."""

    scope: Scope
    execution: str
    attempt: int


def _signer() -> Signer:
    return Signer(salt="mlops.run", sep=".")


def issue(execution_id: str, attempt: int) -> str:
    """The token of one attempt; letters, digits, `.`, `-` and `_` only.

    It does not expire: what ends it is the end of the attempt, which `check` looks at.
    """
    return _signer().sign(f"{execution_id}.{attempt}")


def open_run(token: str) -> Run:
    """The run of a token; a query only for an execution that this process has not met.

    Raises Forbidden for a token that Launchpad did not issue, NotFound when its execution is gone. Whether
    the attempt still runs is not looked at.
    """
    try:
        if len(token) > _LENGTH_LIMIT:
            raise BadSignature
        execution_id, attempt = _signer().unsign(token).split(".")
    except BadSignature as error:
        raise Forbidden("This is not a run token of this Launchpad.") from error
    with _lock:
        scope = _places.get(execution_id)
    if scope is None:
        scope = _place(execution_id)
        with _lock:
            _places[execution_id] = scope
            while len(_places) > _KEPT:
                _places.popitem(last=False)
    return Run(scope, execution_id, int(attempt))


def _place(execution_id: str) -> Scope:
    # The token is the right, as a user's role is for open_scope: there is no scope to ask yet.
    rows = Execution.unscoped.select_related("resource_group__workspace")
    execution = rows.filter(pk=execution_id).first()
    if execution is None:
        raise NotFound(NOTHING_HERE)
    return system_scope(execution, actor=f"run {execution_id}")


def check(execution_id: str, attempt: int | None, found: tuple[int, str] | None) -> None:
    """Raise unless the attempt may still report. found: the execution's newest attempt and its status.

    attempt: None for people and clients, who are not bound to one. Raises NotFound for an execution that is
    gone or being deleted; Ended for an attempt that is over or was replaced.
    """
    if found is None or found[1] == Status.DELETING:
        raise NotFound(f"Execution {execution_id} does not exist any more.")
    if attempt is None:
        return
    newest, status = found
    if attempt != newest:
        raise Ended(f"Attempt {attempt} of execution {execution_id} was replaced by attempt {newest}.")
    if status not in LEASED:
        raise Ended(f"Execution {execution_id} is {status.lower()}; its run can report and read no more.")


def check_alive(run: Run) -> None:
    """Raise NotFound or Ended unless the run may still read. One query."""
    rows = run.scope.of(Execution).filter(pk=run.execution)
    check(run.execution, run.attempt, rows.values_list("attempt", "status").first())
