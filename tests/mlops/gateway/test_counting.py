"""Every request that is passed on is counted once, by its revision and how it ended."""

import threading

import httpx
import pytest

from launchpad.access import system_scope
from mlops.domain import deployments, traffic
from mlops.models import Deployment, TrafficBucket
from tests.mlops.gateway import serving
from tests.mlops.serving import Server
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
NAMES = ("requests", "ok", "redirected", "refused", "failed")


def sums(row, **narrow):
    rows = list(TrafficBucket.unscoped.filter(deployment=row, **narrow))
    return tuple(sum(getattr(one, name) for one in rows) for name in NAMES)


def test_each_request_is_counted_by_the_class_of_its_status(ask, red, model):
    row = serving.deployment(red, model.address)
    headers = serving.bearer(red)
    for status in (200, 200, 201, 302, 404, 422, 500):
        assert ask("GET", row, f"/echo?status={status}", headers=headers).status_code == status
    until(lambda: sums(row) == (7, 3, 1, 2, 1))
    rows = TrafficBucket.unscoped.filter(deployment=row)
    assert sum(sum(one.latency.values()) for one in rows) == 7
    assert all(one.seconds > 0 and one.busy >= 1 for one in rows)


def test_what_the_gateway_refuses_is_no_traffic_of_the_deployment(ask, red, model):
    row = serving.deployment(red, model.address)
    for headers in ({}, serving.bearer(red) | {"AI-Resource-Group": "blue"}):
        assert ask("GET", row, headers=headers).status_code in (401, 404)
    assert ask("GET", row, headers=serving.bearer(red)).status_code == 200
    until(lambda: sums(row) == (1, 1, 0, 0, 0))


def test_a_thousand_requests_of_many_clients_are_a_thousand_by_revision(web, red, model):
    row = serving.deployment(red, model.address)
    headers = serving.bearer(red)

    def crowd(count):
        def work():
            with httpx.Client(base_url=web.url, headers=headers, timeout=120) as client:
                for _ in range(count):
                    assert client.get(f"{serving.PREFIX}{row.pk}/text").status_code == 200

        threads = [threading.Thread(target=work) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)

    crowd(120)
    bound = serving.configuration(red, word="new")
    deployments.update(system_scope(red), row.pk, configuration=bound.pk)
    serving.get_ready(row, model.address)
    with httpx.Client(base_url=web.url, headers=headers, timeout=120) as client:

        def number():
            return client.get(f"{serving.PREFIX}{row.pk}/text").headers["x-launchpad-revision"]

        asked = []
        until(lambda: asked.append(number()) or asked[-1] == "2")
    crowd(80)
    until(lambda: sums(row)[0] == 600 + len(asked) + 400)
    old = asked.count("1")
    assert sums(row, revision=1) == (600 + old, 600 + old, 0, 0, 0)
    assert sums(row, revision=2) == (400 + len(asked) - old, 400 + len(asked) - old, 0, 0, 0)
    found = traffic.series(system_scope(red), row, seconds=600)
    assert found.whole.requests == 1000 + len(asked)
    assert list(found.by_revision) == [2, 1]


def test_a_long_request_keeps_its_revision_busy_in_every_span(connect, red, model):
    row = serving.deployment(red, model.address)
    client = connect()
    client.head("GET", f"{serving.PREFIX}{row.pk}/hold?word={row.pk}", serving.bearer(red), length=0)
    client.until(b"first\n")
    until(lambda: TrafficBucket.unscoped.filter(deployment=row, busy=1, requests=0).count() >= 2)
    model.open(row.pk)
    client.until(b"last\n")


def test_what_is_counted_when_the_web_server_ends_is_not_lost(transactional_db, tmp_path, red, model):
    row = serving.deployment(red, model.address)
    server = Server(tmp_path)
    try:
        with httpx.Client(base_url=server.url, headers=serving.bearer(red), timeout=120) as client:
            codes = [client.get(f"{serving.PREFIX}{row.pk}/text").status_code for _ in range(25)]
    finally:
        server.close()
    assert codes == [200] * 25
    assert sums(row) == (25, 25, 0, 0, 0)


def test_a_request_under_way_ends_with_the_web_server_after_its_grace(
    transactional_db, tmp_path, red, model, monkeypatch
):
    monkeypatch.setenv("GRACE_SECONDS", "0.3")
    row = serving.deployment(red, model.address)
    server = Server(tmp_path)
    try:
        with (
            httpx.Client(base_url=server.url, headers=serving.bearer(red), timeout=120) as client,
            client.stream("GET", f"{serving.PREFIX}{row.pk}/hold?word={row.pk}") as answer,
        ):
            parts = answer.iter_bytes()
            assert next(parts) == b"first\n"
            server.process.terminate()
            with pytest.raises(httpx.RemoteProtocolError):
                list(parts)
        server.process.wait(120)
    finally:
        server.close()
    # Nobody has got the whole answer.
    assert sums(row) == (1, 0, 0, 0, 1)


def test_counts_of_a_deployment_that_is_gone_are_passed_over(red):
    row = serving.deployment(red)
    at = serving.timezone.now().replace(microsecond=0)
    counts = [
        traffic.Count(key, 1, at, 1, 1, 0, 0, 0, 1, 0.1, {"3": 1}) for key in (row.pk, "d000000000000000")
    ]
    traffic.flush("process", counts)
    assert sums(row) == (1, 1, 0, 0, 0)
    assert Deployment.unscoped.count() == 1
