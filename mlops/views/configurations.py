"""Configurations: the list, the page of one, and the wizard that makes one."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase

from launchpad.access import Scope
from launchpad.http import action, editor, render, respond, viewer
from launchpad.places import place_url
from mlops.domain import configurations
from mlops.views.configuration_list import ConfigurationList
from mlops.views.configuration_page import ConfigurationPage
from mlops.views.executables import version_number
from mlops.views.wizard import Wizard


@viewer
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Configurations of the group, newest first, and the person's own drafts."""
    listing = ConfigurationList(scope, request.GET)
    context = {"listing": listing}
    return render(
        request,
        "mlops/configurations/index.html",
        context,
        fragments=("configuration-list", "configuration-table"),
    )


@viewer
def detail(request: HttpRequest, scope: Scope, configuration_id: Any) -> HttpResponseBase:
    """One configuration: what it binds and where it was used."""
    page = ConfigurationPage(scope, configuration_id, request.GET.get("q", ""))
    fragments = ("configuration-bindings",)
    return render(request, "mlops/configurations/detail.html", {"page": page}, fragments=fragments)


@editor
def create(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """The wizard: each step is saved as a draft, the last one makes the configuration."""
    wizard = Wizard(scope, request.GET, request.POST if request.method == "POST" else None)
    if request.method == "POST" and (to := wizard.submit(request.POST.get("action", "next"))):
        toast = f"Configuration {wizard.made} was created." if wizard.made else None
        return respond(request, to, toast=toast)
    status = 422 if wizard.errors else 200
    fragments = ("wizard", "wizard-request")
    return render(
        request, "mlops/configurations/create.html", {"wizard": wizard}, fragments=fragments, status=status
    )


@action
def duplicate(request: HttpRequest, scope: Scope, configuration_id: Any) -> HttpResponseBase:
    """Open the wizard with a configuration's values, for its own or for another version."""
    page = ConfigurationPage(scope, configuration_id)
    data = page.copy(number=version_number(request.POST.get("version", "")))
    draft = configurations.save_draft(scope, None, data)
    return respond(request, f"{place_url(scope, 'mlops:configurations.create')}?draft={draft.pk}")


@action
def discard(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Drop one of one's own drafts."""
    if wanted := request.POST.get("draft", ""):
        configurations.discard_draft(scope, wanted)
        return respond(request, "mlops:configurations.index", toast="The draft was discarded.")
    return respond(request, "mlops:configurations.index")


@action
def archive(request: HttpRequest, scope: Scope, configuration_id: Any) -> HttpResponseBase:
    """Take a configuration out of the list."""
    found = configurations.archive(scope, configuration_id)
    toast = f"{found.name} is archived. What was made of it stays."
    undo = ("mlops:configurations.restore", {"configuration_id": found.pk})
    return respond(request, "mlops:configurations.detail", found.pk, toast=toast, undo=undo)


@action
def restore(request: HttpRequest, scope: Scope, configuration_id: Any) -> HttpResponseBase:
    """Put an archived configuration back into the list."""
    found = configurations.restore(scope, configuration_id)
    undo = ("mlops:configurations.archive", {"configuration_id": found.pk})
    toast = f"{found.name} is back in the list."
    return respond(request, "mlops:configurations.detail", found.pk, toast=toast, undo=undo)


@action
def delete(request: HttpRequest, scope: Scope, configuration_id: Any) -> HttpResponseBase:
    """Remove a configuration that nothing uses."""
    found = configurations.delete(scope, configuration_id)
    return respond(request, "mlops:configurations.index", toast=f"{found.name} was deleted.")
