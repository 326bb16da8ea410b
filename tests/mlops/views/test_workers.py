"""Pages of workers and quotas: who is alive, what waits where, use beside its limit."""

from datetime import timedelta

import pytest
from django.utils import timezone

from launchpad import software
from launchpad.access import Role
from launchpad.celery import app
from launchpad.grants import grant
from mlops.lifecycle import Status
from mlops.models import Execution, Worker
from tests.mlops import deployed, factories
from tests.mlops.views.pages import body, queries
from tests.servers import Redis

pytestmark = pytest.mark.django_db
PAGE, QUOTAS = "/w/north/workers/", "/w/north/quotas/"


@pytest.fixture
def administrator(workspace, staff):
    grant(Role.OPERATIONS_MANAGER, staff, workspace)
    return staff


def worker(host, *, silent=0.0, **fields):
    now = timezone.now()
    given = {"pid": 7, "slots": 4, "started_at": now - timedelta(days=2), "version": software.version()}
    return Worker.unscoped.create(host=host, seen_at=now - timedelta(seconds=silent), **(given | fields))


def row(shown, host):
    """The cells of one worker as text."""
    return next(part for part in shown.split("<tr ") if f'title="{host}"' in part)


def test_nobody_else_finds_them(red, cast):
    for who in ("editor", "viewer", "manager"):
        for url in (PAGE, QUOTAS):
            assert cast.client(who).get(url).status_code == 404


def test_without_workers_the_page_says_what_that_means(administrator, browse):
    shown = body(browse(administrator).get(PAGE))
    assert "No worker is alive" in shown and "No worker was ever started" in shown


def test_each_worker_tells_its_state_its_slots_and_its_software(administrator, browse, settings):
    settings.HEARTBEAT_SECONDS, settings.LEASE_SECONDS = 5, 30
    worker("alive.example", attempts=["e1/1", "e2/1"])
    worker("late.example", silent=20)
    worker("lost.example", silent=90, attempts=["e3/1"])
    worker("ended.example", silent=90, ended_at=timezone.now())
    worker("old<b>.example", version="0.1+00000000")
    shown = body(browse(administrator).get(PAGE))
    alive = row(shown, "alive.example")
    assert "Alive" in alive and "2 of 4" in alive and "not this page" not in alive
    assert "Late" in row(shown, "late.example")
    assert "Lost" in row(shown, "lost.example") and "0 of 4" in row(shown, "lost.example")
    assert "Signed off" in row(shown, "ended.example")
    assert "not this page" in row(shown, "old&lt;b&gt;.example")
    assert "<small> of 12</small>" in shown


def test_what_waits_is_told_by_group_and_of_other_places_as_a_number(red, green, administrator, browse):
    bound, elsewhere = factories.configuration(red), factories.configuration(green)
    for status in (Status.PENDING, Status.PENDING, Status.RUNNING, Status.COMPLETED):
        factories.execution(bound, status=status)
    factories.execution(elsewhere)
    shown = body(browse(administrator).get(PAGE))
    assert '<td><b>red</b></td><td class="num">2</td><td class="num">1</td>' in shown
    assert "green" not in shown
    assert '<span>Waiting elsewhere</span><span class="value">1</span>' in shown


def test_the_page_costs_the_same(red, administrator, browse):
    browser = browse(administrator)
    worker("one.example")
    once = queries(browser, PAGE)
    for host in ("two.example", "three.example"):
        worker(host)
    assert queries(browser, PAGE) == once <= 8


def test_quotas_are_use_beside_limits(red, blue, green, administrator, browse):
    worker("one.example")
    factories.secret(red, name="token")
    factories.execution(factories.configuration(red), status=Status.RUNNING)
    factories.execution(factories.configuration(green), status=Status.COMPLETED)
    worker("two.example", queue="deployments", slots=8)
    served = deployed.configuration(red, servers="2")
    for status in (Status.RUNNING, Status.DEAD, Status.STOPPED):
        deployed.deployment(served, status=status)
    shown = body(browse(administrator).get(QUOTAS))
    assert '<progress max="4" value="1" aria-label="Worker slots in use">' in shown
    assert '<progress max="8" value="2" aria-label="Server slots in use">' in shown
    assert '<progress max="5" value="1" aria-label="Secrets for all resource groups in use">' in shown
    line = shown.split('href="/w/north/resource-groups/red/"')[1].split("</tr>")[0]
    assert [part.split("<")[0] for part in line.split(">")[1:] if part[:1].isdigit()] == [
        *("1", "1", "1", "3"),
        *("2", "2", "0", "1"),
    ]
    assert "green" not in shown


def test_quotas_cost_the_same_for_one_and_three_groups(red, administrator, browse, workspace):
    browser = browse(administrator)
    once = queries(browser, QUOTAS)
    for slug in ("lime", "pink"):
        type(red).unscoped.create(workspace=workspace, slug=slug)
    assert queries(browser, QUOTAS) == once
    assert not Execution.unscoped.exists()


@pytest.fixture
def redis(tmp_path, settings):
    server = Redis(tmp_path)
    settings.REDIS_URL = server.url
    yield server
    server.stop()


@pytest.mark.server
def test_the_broker_tells_how_long_its_queues_are_and_when_it_is_away(administrator, browse, redis):
    browser = browse(administrator)
    with app.connection_for_write(redis.url) as connection:
        for _ in range(3):
            app.send_task("mlops.tasks.run_executions", queue="executions", connection=connection)
        app.send_task("mlops.tasks.sweep", queue="control", connection=connection)
    shown = body(browser.get(PAGE))
    assert '<td><b>executions</b></td><td class="num">3</td>' in shown
    assert '<td><b>control</b></td><td class="num">1</td>' in shown
    redis.stop()
    assert "The broker does not answer." in body(browser.get(PAGE))
    redis.start()
    assert '<td><b>executions</b></td><td class="num">0</td>' in body(browser.get(PAGE))


def test_without_a_server_as_broker_no_queue_is_shown(administrator, browse, settings):
    settings.REDIS_URL = ""
    assert "Queues of the broker" not in body(browse(administrator).get(PAGE))
