"""Tokens by which a run reports: signed, naming one attempt of one execution."""

from __future__ import annotations

from django.core.signing import BadSignature, Signer

from launchpad.access import NOTHING_HERE, Scope, system_scope
from launchpad.errors import Forbidden, NotFound
from mlops.models import Execution

_LENGTH_LIMIT = 200


def _signer() -> Signer:
    return Signer(salt="mlops.run", sep=".")


def issue(execution_id: str, attempt: int) -> str:
    """The token of one attempt; letters, digits, `.`, `-` and `_` only.

    It does not expire: what ends it is the end of the attempt, which `metrics.record` checks.
    """
    return _signer().sign(f"{execution_id}.{attempt}")


def open_run(token: str) -> tuple[Scope, Execution, int]:
    """The scope, execution and attempt of a token.

    Raises Forbidden for a token that Launchpad did not issue, NotFound when its execution is gone.
    """
    try:
        if len(token) > _LENGTH_LIMIT:
            raise BadSignature
        execution_id, attempt = _signer().unsign(token).split(".")
    except BadSignature as error:
        raise Forbidden("This is not a run token of this Launchpad.") from error
    # The token is the right, as a user's role is for open_scope: there is no scope to ask yet.
    rows = Execution.unscoped.select_related("resource_group__workspace")
    execution = rows.filter(pk=execution_id).first()
    if execution is None:
        raise NotFound(NOTHING_HERE)
    return system_scope(execution, actor=f"run {execution_id}"), execution, int(attempt)
