"""The form of a rule of notification: by e-mail or as a webhook, which the address says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django import forms

from launchpad.access import Scope
from launchpad.errors import Conflict, Invalid
from mlops.domain import notification_rules, schedules
from mlops.domain.notification_rules import EMAIL, WEBHOOK, Wanted
from mlops.views.administration_forms import line

_OFFERED = 200
EVENTS = (
    ("failed", "Failed: a run ended badly, all its tries included"),
    ("recovered", "Recovered: a run went well after one that had failed"),
    ("skipped", "Skipped: a due time passed without a run (schedules only)"),
    ("late", "Late: what is due, or submitted, does not run"),
)


class RuleForm(forms.Form):
    """A rule. channel: of the address; schedule: one to begin with."""

    name = forms.CharField(error_messages={"required": "Give it a name."}, widget=line(limit=256))
    about = forms.ChoiceField(
        choices=[("schedules", "Schedules"), ("executions", "Executions, those of schedules included")],
        widget=forms.Select({"class": "input"}),
    )
    schedule = forms.ChoiceField(
        required=False,
        help_text="Of a rule about schedules; all of them, also later ones, or one",
        widget=forms.Select({"class": "input"}),
    )
    events = forms.MultipleChoiceField(
        choices=EVENTS,
        required=False,
        widget=forms.CheckboxSelectMultiple({"class": "check"}),
    )
    grace = forms.IntegerField(
        label="Late after (minutes)",
        min_value=1,
        max_value=7 * 24 * 60,
        initial=5,
        help_text="How long something may wait before it is late",
        widget=forms.NumberInput({"class": "input"}),
    )
    addresses = forms.CharField(
        label="E-mail addresses",
        error_messages={"required": "Give at least one e-mail address."},
        help_text=f"At most {notification_rules.ADDRESS_LIMIT}, one a line; each gets messages of its own",
        widget=forms.Textarea({"class": "input", "rows": "3", "autocomplete": "off", "maxlength": "3000"}),
    )
    url = forms.CharField(
        label="URL",
        error_messages={"required": "Give the URL, which begins with https:// and names a host."},
        help_text="https and a public address; only editors see more of it than its host",
        widget=line(limit=2000, mono=True),
    )
    version = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, scope: Scope, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel = channel
        self.fields["schedule"].choices = [("", "All schedules"), *_schedules(scope, self.initial)]
        del self.fields["url" if channel == EMAIL else "addresses"]

    @property
    def is_mail(self) -> bool:
        """Whether it is about e-mail."""
        return self.channel == EMAIL

    def sent(self, act: Callable[..., Any]) -> Any:
        """What `act(wanted, version=…)` makes of the values; None when form or domain refuse, said in it."""
        if not self.is_valid():
            return None
        given = self.cleaned_data
        wanted = Wanted(
            name=given["name"],
            about=given["about"],
            channel=self.channel,
            events=given["events"],
            schedule=given["schedule"],
            grace=timedelta(minutes=given["grace"]),
            addresses=given.get("addresses", "").replace(",", "\n").splitlines(),
            url=given.get("url", ""),
        )
        try:
            return act(wanted, version=_version(given["version"]))
        except (Invalid, Conflict) as error:
            refusals: Mapping[str, str] = error.fields or {"": error.message}
            for name, sentence in refusals.items():
                self.add_error(name if name in self.fields else None, sentence)
            return None


def _schedules(scope: Scope, initial: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Those that are offered, by key and name: the newest, and the one that it is about already."""
    rows = schedules.every(scope)
    found = [(str(key), name) for key, name in rows.values_list("pk", "name")[:_OFFERED]]
    chosen = str(initial.get("schedule") or "")
    if chosen and chosen not in dict(found):
        with contextlib.suppress(ValueError):
            found += [
                (str(key), name) for key, name in rows.filter(pk=UUID(chosen)).values_list("pk", "name")
            ]
    return found


def _version(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def of(rule: Any, url: str) -> dict[str, Any]:
    """What the form shows of a rule that exists."""
    return {
        "name": rule.name,
        "about": rule.about,
        "schedule": str(rule.schedule_id or ""),
        "events": rule.events,
        "grace": max(1, round(rule.grace.total_seconds() / 60)),
        "addresses": "\n".join(rule.addresses),
        "url": url,
        "version": rule.modified_at.isoformat(),
    }


def asked_channel(text: str, default: str = WEBHOOK) -> str:
    """The channel that an address names."""
    return text if text in (EMAIL, WEBHOOK) else default
