"""Workers: who carries executions out, how busy they are and what waits for them; and quotas beside use."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from launchpad import queues, software
from launchpad.access import Scope
from launchpad.http import administrator, render
from mlops.domain import secrets, usage, worker_loads, workers_alive
from mlops.views.by_name import ByName


@dataclass(frozen=True)
class Quota:
    """One thing with its use. limit: None where there is none."""

    label: str
    used: int
    limit: int | None
    remark: str = ""


@administrator()
def index(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """Workers of this Launchpad, and executions of this workspace that wait for one."""
    loads, elsewhere = worker_loads.loads(scope)
    told = worker_loads.told()
    living = [one for one in told if one.state in ("alive", "late")]
    context = {
        "workers": told,
        "living": len(living),
        "slots": sum(one.worker.slots for one in living),
        "busy": sum(one.busy for one in living),
        "loads": loads,
        "waiting": sum(one.waiting for one in loads),
        "elsewhere": elsewhere,
        "queues": queues.lengths(),
        "version": software.version(),
    }
    return render(request, "mlops/workers/index.html", context, fragments=("workers",))


@administrator()
def quotas(request: HttpRequest, scope: Scope) -> HttpResponseBase:
    """What is limited and how much of it is in use; what is not, counted by resource group."""
    _, slots, busy = workers_alive.capacity()
    _, places, served = workers_alive.capacity(workers_alive.DEPLOYMENTS)
    shared = secrets.search(scope, shared=True).count()
    executables = usage.executables(scope)
    context = {
        "quotas": (
            Quota("Worker slots", busy, slots, "of all workspaces together; more workers make more"),
            Quota(
                "Server slots",
                served,
                places,
                "of all workspaces together; each server of a deployment takes one",
            ),
            Quota("Secrets for all resource groups", shared, secrets.SHARED_LIMIT),
            Quota("Resource groups", usage.resource_groups(scope), None),
            Quota("Repositories", usage.repositories(scope), None),
            Quota("Applications", usage.applications(scope), None),
            Quota("Executables", sum(executables.values()), None),
            Quota("Registry secrets", usage.registry_secrets(scope), None),
        ),
        "page": ByName(usage.by_group(scope), request.GET, name="slug"),
    }
    return render(request, "mlops/workers/quotas.html", context)
