"""Executables: the page of one, at any of its versions."""

from django.http import HttpRequest, HttpResponse

from launchpad.access import NOTHING_HERE, Scope
from launchpad.errors import NotFound
from launchpad.http import manager, render
from mlops.domain import catalog
from mlops.views import api_calls

VERSIONS_SHOWN = 50
_LONGEST_NUMBER = 9


def version_number(text: str) -> int | None:
    """The version asked for in an address, None for the newest. Raises NotFound for anything else."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
        raise NotFound(NOTHING_HERE)
    return int(text)


@manager
def detail(request: HttpRequest, scope: Scope, executable: str) -> HttpResponse:
    """One executable: its parameters, inputs, outputs and template, by default of the newest version."""
    version = catalog.version(scope, executable, version_number(request.GET.get("version", "")))
    versions = list(catalog.snapshots(scope, executable=version.executable)[: VERSIONS_SHOWN + 1])
    api = api_calls.executable(
        scope,
        version.executable.scenario.slug,
        version.executable.slug,
        is_newest=version.number == versions[0].number,
    )
    context = {
        "api": api,
        "version": version,
        "versions": versions[:VERSIONS_SHOWN],
        "has_more": len(versions) > VERSIONS_SHOWN,
        "newest": versions[0],
        "template": catalog.describe(version),
        "steps": catalog.outline(version),
    }
    return render(request, "mlops/executables/detail.html", context)
