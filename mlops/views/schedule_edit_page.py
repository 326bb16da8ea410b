"""What the page shows that changes a schedule."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.forms import attempt
from mlops.domain import schedules, ticks
from mlops.views import schedule_form
from mlops.views.configuration_choice import Choice
from mlops.views.schedule_form import ScheduleForm


class EditPage:
    """A schedule with what is to become of it. Raises NotFound.

    query: `q` and `configuration` as of `Choice`; post: the form, when sent, with `version`, the moment of
    the schedule's last change as the page showed it.
    """

    def __init__(
        self, scope: Scope, schedule_id: UUID, query: QueryDict, post: QueryDict | None = None
    ) -> None:
        self._scope = scope
        self._post = post
        self.schedule = schedules.detail(scope, schedule_id)
        self._timing = ticks.timing(self.schedule)
        self._shown = schedule_form.of(self._timing, schedules.policy(self.schedule))
        self.choice = Choice(
            scope, query if post is None else post, wanted=str(self.schedule.configuration_id)
        )
        kept = (self._shown, self._timing)
        self.form = ScheduleForm(self._shown if post is None else self._shown | post.dict(), kept)
        self.errors: dict[str, str] = {}

    def submit(self, action: str) -> bool:
        """Do what a button asked; whether the schedule was changed.

        action: `save`, `fill` (the five fields from the choice above them) or `look` (show the next
        runs). Raises Conflict when somebody else changed it meanwhile, or nothing is due.
        """
        if action == "fill":
            self.form.fill()
            self.errors = dict(self.form.errors) if "at" in self.form.errors else {}
        if action in ("fill", "look"):
            return False
        if self.form.errors:
            self.errors = self.form.errors
            return False
        changed, refused = attempt(
            lambda: schedules.edit(
                self._scope,
                self.schedule.pk,
                configuration=self.choice.wanted,
                timing=self.form.timing,
                policy=self.form.policies,
                version=self._version,
            )
        )
        self.form.refuse(refused)
        self.errors = self.form.errors
        return changed is not None

    @cached_property
    def version(self) -> str:
        """When it was changed last, as the page was shown for the first time."""
        sent = self._post.get("version", "") if self._post is not None else ""
        return sent or self.schedule.modified_at.isoformat()

    @property
    def _version(self) -> datetime:
        try:
            found = datetime.fromisoformat(self.version)
        except ValueError:
            # Of no page of ours: then nobody knows what was seen.
            return datetime.min.replace(tzinfo=self.schedule.modified_at.tzinfo)
        return found

    @property
    def is_paused(self) -> bool:
        """Whether it stays paused when it is changed."""
        return self.schedule.next_run_at is None and self.schedule.missed_from is not None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it is due any more, until it is changed."""
        return self.schedule.next_run_at is None and self.schedule.missed_from is None

    @property
    def error(self) -> str:
        """What is wrong and concerns no single field."""
        return self.errors.get("", "")

    @property
    def configuration(self) -> Any:
        """The configuration it has now."""
        return self.schedule.configuration
