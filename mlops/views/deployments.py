"""Deployments: the list, the wizard that makes one, and what editors do with one."""

from django.http import HttpRequest, HttpResponseBase
from django_htmx.http import HttpResponseClientRefresh

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.http import Undo, action, editor, render, respond, viewer
from mlops.domain import deployment_drafts, deployments
from mlops.views import duration_form
from mlops.views.deployment_list import DeploymentList
from mlops.views.deployment_page import FRAGMENTS, REST, DeploymentPage
from mlops.views.deployment_update import UpdatePage
from mlops.views.deployment_wizard import DeploymentWizard

INDEX, DETAIL = "mlops:deployments.index", "mlops:deployments.detail"
LIST_FRAGMENTS = ("deployment-list", "deployment-table")
CHOICE_FRAGMENTS = ("configuration-choices", "configuration-preview")
LONGEST_NUMBER = 9


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Deployments of the group, newest first, and the person's own drafts."""
    listing = DeploymentList(scope, request.GET)
    return render(request, "mlops/deployments/index.html", {"listing": listing}, fragments=LIST_FRAGMENTS)


@viewer
def detail(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """One deployment; `tab` chooses what of it is shown."""
    page = DeploymentPage(scope, deployment_id, request.GET, fragment=request.htmx.target)
    request.content_security = page.content_security
    response = render(request, page.template, {"page": page}, fragments=tuple(FRAGMENTS))
    return HttpResponseClientRefresh() if page.is_live and response.fragment == REST else response


@editor
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The wizard: each step is saved as a draft, the last one deploys."""
    wizard = DeploymentWizard(scope, request.GET, request.POST if request.method == "POST" else None)
    if request.method == "POST" and (to := wizard.submit(request.POST.get("action", "next"))):
        toast = f"Deployment {wizard.made.pk[:8]} was created." if wizard.made else None
        return respond(request, to, toast=toast)
    status = 422 if wizard.errors else 200
    return render(
        request,
        "mlops/deployments/create.html",
        {"wizard": wizard},
        fragments=CHOICE_FRAGMENTS,
        status=status,
    )


@action
def discard(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Drop one of one's own drafts."""
    if wanted := request.POST.get("draft", ""):
        deployment_drafts.discard(scope, wanted)
        return respond(request, INDEX, toast="The draft was discarded.")
    return respond(request, INDEX)


@editor
def update(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Choose another configuration of the same executable; it is rolled in as a new revision."""
    page = UpdatePage(scope, deployment_id, request.POST if request.method == "POST" else request.GET)
    if request.method == "POST" and page.choice.may_start:
        before = page.deployment.newest
        made = deployments.update(scope, deployment_id, configuration=page.choice.wanted, reason=page.reason)
        toast = f"Revision {made.newest} is on its way."
        return respond(request, DETAIL, deployment_id, toast=toast, undo=_back_to(deployment_id, before))
    return render(
        request,
        "mlops/deployments/update.html",
        {"page": page, "refused": request.method == "POST"},
        fragments=CHOICE_FRAGMENTS,
        status=422 if request.method == "POST" else 200,
    )


@action
def roll_back(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Serve the configuration of an earlier revision again."""
    before = deployments.detail(scope, deployment_id).newest
    made = deployments.roll_back(scope, deployment_id, revision=_number(request.POST.get("revision", "")))
    toast = f"Revision {made.newest} is on its way: that of before, again."
    return respond(request, DETAIL, deployment_id, toast=toast, undo=_back_to(deployment_id, before))


def _number(text: str) -> int:
    """The number of a revision; 0, which none has, for what is none. Raises Invalid where none is named."""
    if not text:
        raise Invalid("No revision was named.")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_NUMBER else 0


def _back_to(deployment_id: str, revision: int) -> Undo:
    values = (("revision", str(revision)),)
    return "mlops:deployments.roll_back", {"deployment_id": deployment_id}, values, "Roll back"


@action
def stop(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Stop a pending or running deployment; answers with the list or the page, whichever asked."""
    stopped = deployments.stop(scope, deployment_id)
    toast = f"Deployment {deployment_id[:8]} is {stopped.status.lower()}. Its address stays its own."
    return _answer(request, deployment_id, toast)


@action
def restart(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Start a stopped or dead deployment again."""
    deployments.restart(scope, deployment_id)
    return _answer(request, deployment_id, f"Deployment {deployment_id[:8]} starts again.")


def _answer(request: HttpRequest, deployment_id: str, toast: str) -> HttpResponseBase:
    if request.htmx.target in LIST_FRAGMENTS:
        return respond(request, INDEX, toast=toast, restart=index)
    return respond(request, DETAIL, deployment_id, toast=toast)


@editor
def extend(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Let a deployment live longer or shorter, from now on."""
    deployment = deployments.detail(scope, deployment_id)
    is_sent = request.method == "POST"
    duration = duration_form.read(request.POST.dict()) if is_sent else duration_form.of(deployment.ttl)
    error = duration.error if is_sent else ""
    if is_sent and not error:
        deployments.extend(scope, deployment_id, ttl=duration.ttl)
        until = f"{duration.words} from now" if duration.is_limited else duration.words
        toast = f"Deployment {deployment_id[:8]} runs {until}."
        return respond(request, DETAIL, deployment_id, toast=toast)
    context = {"deployment": deployment, "duration": duration, "error": error}
    return render(request, "mlops/deployments/extend.html", context, status=422 if error else 200)


@action
def delete(request: HttpRequest, scope: Scope, deployment_id: str) -> HttpResponseBase:
    """Delete a stopped or dead deployment; leads back to the list."""
    deployments.delete(scope, deployment_id)
    toast = f"Deployment {deployment_id[:8]} is being deleted. Its configurations and models stay."
    return respond(request, INDEX, toast=toast, restart=index)
