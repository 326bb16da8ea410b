"""Rules of notification: the list, the form, the secret shown once, and what is done to a rule."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import action, editor, render, respond, viewer
from mlops.domain import notices, notification_rules
from mlops.domain.notification_rules import EMAIL, WEBHOOK, Wanted
from mlops.views import notification_form
from mlops.views.notification_form import RuleForm

INDEX = "mlops:notification_rules.index"
LOG = "mlops:notices.index"
_FORM = "mlops/notification_rules/form.html"


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Rules of the group, newest first, each with its newest notice."""
    rules = list(notification_rules.every(scope))
    newest = notices.newest(scope, rules)
    rows = [(rule, newest.get(rule.pk)) for rule in rules]
    return render(request, "mlops/notification_rules/index.html", {"rows": rows})


@editor
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """A new rule; the secret of a webhook is shown this once."""
    channel = notification_form.asked_channel(request.GET.get("channel", ""))
    schedule = request.GET.get("schedule", "")
    begun = {"about": "schedules", "schedule": schedule, "events": ["failed", "recovered"]}
    sent = request.POST if request.method == "POST" else None
    form = RuleForm(sent, scope=scope, channel=channel, initial=begun)

    def act(wanted: Wanted, *, version: object) -> Any:
        del version
        return notification_rules.create(scope, wanted)

    if made := form.sent(act):
        return _made(request, *made, done="was created")
    return _form(request, form, "Create notification rule")


@editor
def edit(request: HttpRequest, scope: Scope, rule_id: Any) -> HttpResponseBase:
    """Change a rule."""
    rule = notification_rules.get(scope, rule_id)
    channel = notification_form.asked_channel(request.GET.get("channel", ""), rule.channel)
    shown = notification_form.of(rule, notification_rules.url(scope, rule_id))
    sent = request.POST if request.method == "POST" else None
    form = RuleForm(sent, scope=scope, channel=channel, initial=shown)
    if made := form.sent(functools.partial(notification_rules.edit, scope, rule_id)):
        return _made(request, *made, done="was changed")
    return _form(request, form, f"Edit {rule.name}", verb="Save changes")


def _form(
    request: HttpRequest, form: RuleForm, heading: str, *, verb: str = "Create notification rule"
) -> HttpResponse:
    tabs = [(name, label, name == form.channel) for name, label in ((WEBHOOK, "Webhook"), (EMAIL, "E-mail"))]
    may_mail = notification_rules.mail_is_set_up()
    context = {"form": form, "heading": heading, "verb": verb, "tabs": tabs, "schedule": _schedule(form)}
    context["no_mail"] = notification_rules.NO_MAIL if form.is_mail and not may_mail else ""
    response = render(request, _FORM, context, status=422 if form.errors else 200)
    # Shows a URL that may be a password.
    response["Cache-Control"] = "no-store"
    return response


def _schedule(form: RuleForm) -> str:
    return str(form.initial.get("schedule") or "")


def _made(request: HttpRequest, rule: Any, secret: str, *, done: str) -> HttpResponseBase:
    if not secret:
        return respond(request, INDEX, toast=f"Notification rule {rule.name} {done}.")
    return _secret(request, rule, secret)


def _secret(request: HttpRequest, rule: Any, secret: str) -> HttpResponse:
    response = render(request, "mlops/notification_rules/secret.html", {"rule": rule, "secret": secret})
    response["Cache-Control"] = "no-store"
    return response


@editor
def rotate(request: HttpRequest, scope: Scope, rule_id: Any) -> HttpResponse:
    """Ask, then sign with a new secret, shown this once."""
    if request.method == "POST":
        return _secret(request, *notification_rules.rotate(scope, rule_id))
    context = {
        "rule": notification_rules.get(scope, rule_id),
        "hours": notification_rules.OLD_SECRET_HOURS,
    }
    return render(request, "mlops/notification_rules/rotate.html", context)


@editor
def delete(request: HttpRequest, scope: Scope, rule_id: Any) -> HttpResponseBase:
    """Ask, then forget a rule with its log."""
    if request.method == "POST":
        rule = notification_rules.delete(scope, rule_id)
        return respond(request, INDEX, toast=f"Notification rule {rule.name} was deleted.")
    context = {"rule": notification_rules.get(scope, rule_id)}
    return render(request, "mlops/notification_rules/delete.html", context)


@action
def pause(request: HttpRequest, scope: Scope, rule_id: Any) -> HttpResponseBase:
    """Tell nothing more."""
    rule = notification_rules.pause(scope, rule_id)
    undo = ("mlops:notification_rules.resume", {"rule_id": rule.pk})
    return respond(request, INDEX, toast=f"Notification rule {rule.name} is paused.", undo=undo)


@action
def resume(request: HttpRequest, scope: Scope, rule_id: Any) -> HttpResponseBase:
    """Tell again."""
    rule = notification_rules.resume(scope, rule_id)
    return respond(request, INDEX, toast=f"Notification rule {rule.name} is active again.")


@action
def send_test(request: HttpRequest, scope: Scope, rule_id: Any) -> HttpResponseBase:
    """Send a test; the log says what came of it."""
    rule = notification_rules.send_test(scope, rule_id)
    return respond(request, LOG, toast=f"A test of {rule.name} is on its way. Its result appears here.")
