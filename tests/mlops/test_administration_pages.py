"""Pages of administration in a real browser with long names: nothing scrolls sideways or sticks out."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from launchpad.resource_groups import access_requests, resource_groups
from mlops.lifecycle import Status
from mlops.models import Repository, Source, Worker
from tests.mlops import factories
from tests.mlops.test_reflow import MEASURE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

LONG = "w" * 50
PATHS = (
    "/workspaces/",
    *(
        f"/w/local/{path}"
        for path in (
            "repositories/",
            "repositories/create",
            f"repositories/{LONG}/delete",
            "applications/",
            f"applications/{LONG}/",
            f"applications/{LONG}/change",
            "object-stores/",
            "object-stores/create",
            f"object-stores/red/{LONG}/change",
            "secrets/",
            "secrets/create",
            "registry-secrets/",
            "registry-secrets/create",
            "resource-groups/",
            "resource-groups/red/",
            "resource-groups/red/delete",
            "resource-groups/create",
            "workers/",
            "quotas/",
            "audit-trail/",
            "access/",
            "access-requests/",
            "history/scenarios/petals-tutorial/",
        )
    ),
    "/w/local/g/nowhere/executions/",
)


@pytest.fixture
def place(transactional_db, web):
    """A server and a session of a superuser. Made before the browser runs its loop."""
    group = factories.place()
    scope = system_scope(group.workspace)
    factories.execution(factories.configuration(group), status=Status.RUNNING)
    factories.execution(factories.configuration(group), status=Status.PENDING)
    source = factories.application(factories.repository(group.workspace, name=LONG), name=LONG)
    broken = f"templates/{'w' * 80}.yaml, line 12, spec.entrypoint: names no template of this file"
    Repository.unscoped.update(
        state=Repository.State.FAILED, message="The server refused the credentials. " * 4
    )
    Source.unscoped.filter(pk=source.pk).update(
        commit="0" * 40,
        synced_at=timezone.now(),
        resources=[
            {"name": LONG, "kind": "WorkflowTemplate", "status": "SyncFailed", "message": broken},
            {"name": "serve", "kind": "ServingTemplate", "status": "Synced", "message": ""},
        ],
    )
    factories.object_store(group, name=LONG)
    factories.object_store(group, name="default")
    factories.secret(group, name=LONG)
    factories.docker_secret(group.workspace)
    labels = [{"key": f"ext.ai.sap.com/label-{n}", "value": "w" * 60} for n in range(7)]
    resource_groups.change(scope, "red", labels=labels, description="A group for trials of the north " * 5)
    now = timezone.now()
    Worker.unscoped.create(
        host=f"{LONG}.example", pid=123456, slots=4, started_at=now, seen_at=now, version="0.1+12345678"
    )
    Worker.unscoped.create(host="gone.example", pid=1, slots=4, started_at=now, seen_at=now, ended_at=now)
    person = User.objects.create_user(LONG * 2)
    grant(Role.VIEWER, person, group, with_gate=False)
    asks = User.objects.create_user("asks.for.access")
    access_requests.ask(asks, "local", "red", message="To see the audit of last week " * 8)
    user = User.objects.create_superuser("admin")
    yield web.url, web.browser(user).cookies["sessionid"]


def test_nothing_sticks_out(place, chromium):
    url, session = place
    context = chromium.new_context(base_url=url)
    context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
    page = context.new_page()
    found = {}
    for path in PATHS:
        page.goto(path)
        for width in (320, 1200):
            page.set_viewport_size({"width": width, "height": 900})
            found[path, width] = page.evaluate(MEASURE)
    context.close()
    assert {at: what for at, what in found.items() if what != [0, []]} == {}
