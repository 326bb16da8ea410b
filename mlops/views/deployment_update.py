"""What the page shows that rolls another configuration into a deployment, or one of before back."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from mlops.domain import deployments
from mlops.lifecycle import DEPLOYMENT_REPOINTABLE, Status
from mlops.views.configuration_choice import Choice

REVISIONS_SHOWN = 20
REASON_LIMIT = 256


class UpdatePage:
    """Configurations of the executable that a deployment serves. Raises NotFound.

    query: `q` and `configuration` as of `Choice`; `reason` is why, in the person's words.
    """

    def __init__(self, scope: Scope, deployment_id: str, query: QueryDict) -> None:
        self._scope = scope
        self.deployment = deployments.detail(scope, deployment_id)
        self.executable = self.deployment.executable_version.executable
        self.choice = Choice(scope, query, executable=self.executable.slug)
        self.reason = query.get("reason", "").replace("\x00", "").strip()[:REASON_LIMIT]

    @cached_property
    def _revisions(self) -> list[Any]:
        return list(deployments.revision_list(self._scope, self.deployment)[:REVISIONS_SHOWN])

    @property
    def taken(self) -> Any:
        """The id of the configuration that the newest revision has; None where that failed."""
        newest = self._revisions[0] if self._revisions else None
        return None if newest is None or newest.status == Status.DEAD else newest.configuration_id

    @property
    def earlier(self) -> list[Any]:
        """Revisions to go back to, newest first."""
        return [
            one
            for one in self._revisions
            if one.number != self.deployment.newest or one.status == Status.DEAD
        ]

    @property
    def is_updatable(self) -> bool:
        """Whether its status allows it."""
        return self.deployment.status in DEPLOYMENT_REPOINTABLE
