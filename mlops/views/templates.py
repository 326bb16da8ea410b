"""Check a template: what a sync would say of pasted or uploaded files, and adding them to the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from launchpad.access import Scope
from launchpad.errors import Conflict
from launchpad.forms import attempt
from launchpad.http import WRITE, administrator, inquirer, render, respond
from launchpad.shell import Shell
from mlops.domain import templates

FIRST = "template.yaml"
FINDINGS_SHOWN = 200


@dataclass(frozen=True)
class Sent:
    """What a person sent: rows of name and text for the form, and all files as the domain reads them."""

    rows: list[tuple[str, str]]
    files: list[tuple[str, bytes]]


@inquirer
def check(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """A form for templates; sent, it also shows what was found and what would come of them."""
    if request.method != "POST":
        return _page(request, scope, [(FIRST, "")])
    sent = _sent(request)
    review, refusals = attempt(partial(templates.check, scope, sent.files))
    return _page(request, scope, sent.rows, review, refusals.get("", ""))


@administrator(methods=WRITE)
def add(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Add the templates to the workspace's catalog, or show what is against it."""
    sent = _sent(request)
    try:
        report, refusals = attempt(partial(templates.add, scope, sent.files))
    except Conflict as error:
        report, refusals = None, {"": error.message}
    if report is None:
        review, _ = attempt(partial(templates.check, scope, sent.files))
        return _page(request, scope, sent.rows, review, refusals[""])
    words = ", ".join(f"{one.executable.slug} {one.label} (number {one.number})" for one in report.added[:3])
    more = f" and {len(report.added) - 3} more" if len(report.added) > 3 else ""
    toast = f"Added {words}{more}." if words else "Nothing was added: the catalog says all of this already."
    first = (*report.added, *report.unchanged)[0].executable
    if len(report.added) == 1:
        return respond(request, "mlops:executables.detail", first.slug, toast=toast)
    return respond(request, "mlops:scenarios.detail", first.scenario.slug, toast=toast)


def _page(
    request: HttpRequest,
    scope: Scope,
    rows: list[tuple[str, str]],
    review: templates.Review | None = None,
    refusal: str = "",
) -> HttpResponseBase:
    administers = Shell(request).administers
    context = {
        "rows": rows or [(FIRST, "")],
        "review": review,
        "findings": review.findings[:FINDINGS_SHOWN] if review else (),
        "refusal": refusal,
        "add_url": reverse("mlops:templates.add", args=(scope.workspace.pk,)) if administers else "",
        "kib": templates.BYTES_LIMIT // 1024,
        "files_limit": templates.FILES_LIMIT,
    }
    return render(request, "mlops/templates/check.html", context, status=422 if refusal else 200)


def _sent(request: HttpRequest) -> Sent:
    """The texts that hold anything, then the uploaded files; of each no more than would be refused."""
    pairs = zip(request.POST.getlist("name"), request.POST.getlist("text"), strict=False)
    rows = [(name.strip(), text.replace("\r\n", "\n")) for name, text in pairs if text.strip()]
    files = [(name, text.encode("utf-8", "surrogatepass")) for name, text in rows]
    for upload in request.FILES.getlist("files"):
        content = upload.read(templates.BYTES_LIMIT + 1)
        files.append((upload.name, content))
        if (text := _text(content)) is not None:
            rows.append((upload.name, text))
    return Sent(rows, files)


def _text(content: bytes) -> str | None:
    """What can be shown in the form for further work; None for what is too large or no text."""
    if len(content) > templates.BYTES_LIMIT:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
