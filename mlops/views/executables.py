"""Executables: the page of one, at any of its versions, and what two of its versions differ in."""

from django.http import HttpRequest, HttpResponse

from launchpad.access import NOTHING_HERE, Scope
from launchpad.errors import NotFound
from launchpad.http import manager, render
from mlops.domain import catalog, catalog_uses
from mlops.views import api_calls
from mlops.views.text_diff import diff

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
    uses = catalog_uses.of_executables(scope, [version.executable])
    context = {
        "api": api,
        "uses": uses.get(version.executable_id, catalog_uses.NONE),
        "version_uses": catalog_uses.of_versions(scope, [version]).get(version.pk, catalog_uses.NONE),
        "version": version,
        "versions": versions[:VERSIONS_SHOWN],
        "has_more": len(versions) > VERSIONS_SHOWN,
        "newest": versions[0],
        "template": catalog.describe(version),
        "steps": catalog.outline(version),
    }
    return render(request, "mlops/executables/detail.html", context)


@manager
def differences(request: HttpRequest, scope: Scope, executable: str) -> HttpResponse:
    """Two versions of a template side by side: by default the newest and the one before it."""
    after = catalog.version(scope, executable, version_number(request.GET.get("to", "")))
    asked = version_number(request.GET.get("from", ""))
    before = catalog.version(scope, executable, max(after.number - 1, 1) if asked is None else asked)
    versions = list(catalog.snapshots(scope, executable=after.executable)[:VERSIONS_SHOWN])
    context = {
        "before": before,
        "after": after,
        "diff": diff(before.template, after.template),
        "versions": versions + [one for one in (after, before) if one not in versions],
        "choices": [("from", "From", before.number), ("to", "to", after.number)],
        "is_code_same": before.source_tree_id == after.source_tree_id,
    }
    return render(request, "mlops/executables/differences.html", context)
