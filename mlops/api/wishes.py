"""Several executions or deployments stopped and deleted in one call: the wishes, and what each is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import AfterValidator, BaseModel, Field

from launchpad.dialects import told
from launchpad.errors import LaunchpadError
from mlops.api.errors import status_of
from mlops.lifecycle import TargetStatus


class Wish(BaseModel):
    """What one of several is to become."""

    id: str = Field(max_length=64)
    targetStatus: Literal["STOPPED", "DELETED"]

    @property
    def target(self) -> TargetStatus:
        """What it is to become, as the domain has it."""
        return TargetStatus(self.targetStatus)


def _each_once(wishes: list[Wish]) -> list[Wish]:
    """Nothing can become two things."""
    if len({wish.id for wish in wishes}) < len(wishes):
        raise ValueError("names an id twice")
    return wishes


Wishes = Annotated[list[Wish], Field(min_length=1, max_length=100), AfterValidator(_each_once)]


def answers(
    request: HttpRequest,
    wishes: Sequence[Wish],
    outcomes: Mapping[str, LaunchpadError | None],
    messages: Mapping[TargetStatus, str],
) -> list[dict[str, Any]]:
    """What each is told, in the order of the wishes: the message of what is done, or why it is not.

    outcomes: by id why it stays as it is, None where it does not.
    """
    answered: list[dict[str, Any]] = []
    for wish in wishes:
        error = outcomes[wish.id]
        if error is None:
            answered.append({"id": wish.id, "message": messages[wish.target]})
        else:
            answered.append({"id": wish.id, "error": told(request, status_of(error), error.message)})
    return answered
