"""Live streams against a real server: complete, in order, fenced by rights, and no burden on pages."""

import contextlib
import itertools
import signal
import socket

import psutil
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from launchpad.access import Role, system_scope
from launchpad.grants import grant, revoke
from mlops import storage
from mlops.domain import log_writers, logs, metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import Artifact, Execution, Scenario
from tests.mlops import running
from tests.mlops.serving import Server
from tests.waiting import until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
PLACE = "/w/lab/g/red"


@pytest.fixture
def server(web, transactional_db):
    return web


@pytest.fixture
def own_server(transactional_db, tmp_path):
    """One that a test may hurt."""
    made = Server(tmp_path)
    yield made
    made.close()


@pytest.fixture
def group(transactional_db):
    return running.group()


@pytest.fixture
def viewer(group):
    user = User.objects.create_user("viewer")
    grant(Role.VIEWER, user, group)
    return user


@pytest.fixture
def row(group):
    return running.execution(group)


def write(row, *texts, attempt=1, step=0):
    writer = log_writers.LogWriter(row.pk, attempt, step)
    for text in texts:
        writer.say(text)
    assert writer.flush(force=True)


def end(row, status=Status.COMPLETED):
    Execution.unscoped.filter(pk=row.pk).update(status=status, completed_at=timezone.now())


def address(row):
    return f"{PLACE}/executions/{row.pk}/stream"


def test_a_stream_tells_what_was_what_comes_and_the_end(server, viewer, row):
    write(row, "before", "<b>é\u2028 \x1b[31mred</b>")
    follower = server.follow(viewer, address(row))
    until(lambda: "state" in follower.kinds)
    assert follower.texts == ["before", "<b>é\u2028 \x1b[31mred</b>"]
    write(row, "after")
    until(lambda: len(follower.texts) == 3)
    write(row, "other step", step=1)
    metrics.record(system_scope(row), row.pk, metrics=[Point("loss", 1.0)])
    until(lambda: follower.kinds.count("state") == 2)
    write(row, "last words", step=1)
    end(row)
    until(lambda: follower.is_over)
    assert follower.texts[2:] == ["after", "other step", "last words"]
    assert follower.kinds[-2:] == ["state", "end"]
    first, *_, last = [data for kind, _, data in follower.events if kind == "state"]
    assert (first["status"], first["over"], last["status"], last["over"]) == (
        "RUNNING",
        False,
        "COMPLETED",
        True,
    )
    (line,) = [line for _, _, data in follower.events[:1] for line in data][:1]
    assert line.keys() == {"key", "number", "attempt", "step", "at", "level", "text"}
    assert (line["key"], line["step"], line["level"]) == ("L1-0-1", "prepare", "INFO")


def test_coming_back_misses_and_repeats_nothing(server, viewer, row):
    expected, got, place = [], [], {}
    numbers = itertools.count()

    def more(attempt, step):
        texts = [f"line {next(numbers)}" for _ in range(3)]
        write(row, *texts, attempt=attempt, step=step)
        expected.extend(texts)

    for attempt, step in ((1, 0), (1, 1), (1, 0), (2, 0), (2, 1)):
        Execution.unscoped.filter(pk=row.pk).update(attempt=attempt)
        follower = server.follow(viewer, address(row), **place)
        more(attempt, step)
        more(attempt, step)
        until(lambda follower=follower: len(follower.texts) == 6)
        follower.stop.set()
        got += follower.texts
        place = {"Last-Event-ID": follower.last_id()}
    assert got == expected


def test_a_page_goes_on_where_its_lines_end(server, viewer, row):
    write(row, "shown")
    cursor = logs.lines(system_scope(row), row).cursor
    write(row, "new")
    follower = server.follow(viewer, f"{address(row)}?after={cursor}")
    until(lambda: follower.texts)
    assert follower.texts == ["new"]
    state_only = server.follow(viewer, f"{address(row)}?after=999999999:")
    write(row, "newer")
    until(lambda: follower.texts == ["new", "newer"])
    until(lambda: "state" in state_only.kinds)
    assert state_only.texts == []


def test_a_long_log_arrives_whole(server, viewer, row):
    writer = log_writers.LogWriter(row.pk, 1, 0)
    for number in range(60_000):
        writer.say(f"line {number}")
    assert writer.flush(force=True)
    follower = server.follow(viewer, address(row))
    end(row)
    until(lambda: follower.is_over)
    assert follower.texts == [f"line {number}" for number in range(60_000)]


def test_only_who_may_view_it_may_follow_it(server, group, row):
    stranger = User.objects.create_user("stranger")
    grant(Role.EDITOR, stranger, running.group("blue"))
    write(row, "secret")
    for user, status in ((None, 302), (stranger, 404)):
        response = server.browser(user).get(address(row), headers={"Accept": "text/html"})
        assert response.status_code == status
        assert "secret" not in response.text
    blue = server.browser(stranger).get(address(row).replace("red", "blue"))
    assert blue.status_code == 404
    response = server.browser(stranger).get(address(row), headers={"Host": "evil.example"})
    assert response.status_code == 400


def test_a_lost_role_ends_the_stream(server, viewer, group, row):
    write(row, "before")
    follower = server.follow(viewer, address(row))
    until(lambda: follower.texts)
    revoke(Role.VIEWER, viewer, group)
    until(lambda: follower.is_over)
    write(row, "after")
    assert server.follow(viewer, address(row)).status == 404
    assert "after" not in follower.texts


def clients(process, port):
    """Connections that the server holds open to browsers."""
    return [one for one in process.net_connections("tcp") if one.laddr.port == port and one.raddr]


def test_fifty_streams_opened_and_dropped_burden_nobody(own_server, viewer, row):
    server = own_server
    browser = server.browser(viewer)
    cookie = f"Cookie: sessionid={browser.cookies['sessionid']}\r\n"
    request = f"GET {address(row)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{cookie}\r\n".encode()
    assert browser.get("/healthz").status_code == 200
    process = psutil.Process(server.process.pid)
    before = process.num_threads()
    for _round in range(2):
        with contextlib.ExitStack() as lines:
            for _ in range(50):
                line = lines.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=120))
                line.sendall(request)
                assert b"200 OK" in line.recv(4096)
            # All 16 threads for pages would be gone by now if a stream held one.
            assert browser.get("/workspaces/").status_code == 200
        until(lambda: len(clients(process, server.port)) <= 1)
        assert browser.get("/workspaces/").status_code == 200
    # Those for pages come as they are needed, and one machine's libraries have more than another's.
    assert process.num_threads() < before + 50


@pytest.fixture
def deaf():
    with socket.socket() as made:
        yield made


def test_a_client_that_does_not_read_holds_nobody_up(server, viewer, row, deaf):
    browser = server.browser(viewer)
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", server.port))
    cookie = f"Cookie: sessionid={browser.cookies['sessionid']}\r\n"
    deaf.sendall(f"GET {address(row)} HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}\r\n".encode())
    follower = server.follow(viewer, address(row))
    until(lambda: "state" in follower.kinds)
    writer = log_writers.LogWriter(row.pk, 1, 0)
    for number in range(400):
        writer.say(f"{number} " + "x" * 60_000)
        assert writer.flush(force=True)
    end(row)
    until(lambda: follower.is_over)
    assert [text.split()[0] for text in follower.texts] == [str(number) for number in range(400)]


def test_the_server_ends_at_once_with_streams_open(own_server, viewer, row):
    server = own_server
    follower = server.follow(viewer, address(row))
    until(lambda: "state" in follower.kinds)
    server.process.send_signal(signal.SIGTERM)
    until(lambda: server.process.poll() is not None)
    assert follower.is_over
    assert "Traceback" not in server.output()


def test_a_broken_database_connection_is_survived(own_server, viewer, row):
    server = own_server
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no connection that could break")
    follower = server.follow(viewer, address(row))
    until(lambda: "state" in follower.kinds)
    for round_ in range(3):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        write(row, f"round {round_}")
        until(lambda round_=round_: f"round {round_}" in follower.texts)
    assert follower.texts == ["round 0", "round 1", "round 2"]


def test_no_token_gets_into_the_access_log(server, row):
    response = server.browser().get("/runs/very-secret/api/v1/metrics")
    assert response.status_code == 401
    server.browser().get("/v2/marker")
    until(lambda: "/v2/marker" in server.output())
    assert "very-secret" not in server.output()


def test_without_native_streams_a_stream_is_an_answer_that_ends(viewer, row, client):
    client.force_login(viewer)
    write(row, "one")
    response = client.get(address(row))
    assert response["Content-Type"] == "text/event-stream"
    body = response.content.decode()
    assert '"text":"one"' in body and "id: 1:0.1" in body and "event: state" in body
    end(row)
    body = client.get(address(row), headers={"Last-Event-ID": "1:0.1"}).content.decode()
    assert "event: log" not in body and body.endswith("event: end\ndata: {}\n\n")


@pytest.fixture
def artifact(group):
    store = storage.open_store(group)
    files = [("ü #1 %20.bin", [bytes(range(256)) * 8192]), ("page.html", [b"<script>alert(1)</script>"])]
    inspection = store.write_tree("uploads/test", files)
    return Artifact.unscoped.create(
        resource_group=group,
        kind="other",
        name="things",
        version=1,
        url="ai://default/uploads/test",
        scenario=Scenario.unscoped.create(workspace=group.workspace, slug="things", name="Things"),
        size_bytes=inspection.size_bytes,
        file_count=2,
        digest=inspection.digest,
    )


def test_a_download_is_the_stored_bytes_as_a_file(server, viewer, artifact):
    browser = server.browser(viewer)
    base = f"{PLACE}/artifacts/{artifact.pk}/files/"
    response = browser.get(base + "%C3%BC%20%231%20%2520.bin")
    assert response.content == bytes(range(256)) * 8192
    assert response.headers["content-length"] == str(256 * 8192)
    page = browser.get(base + "page.html")
    assert page.headers["content-type"] == "application/octet-stream"
    assert page.headers["content-disposition"] == 'attachment; filename="page.html"'
    assert page.headers["x-content-type-options"] == "nosniff"
    head = browser.head(base + "page.html")
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "25")
    for missing in ("none.txt", "../secret", "%2e%2e/%2e%2e/secret", "page.html/"):
        assert browser.get(base + missing).status_code == 404
    stranger = User.objects.create_user("stranger")
    assert server.browser(stranger).get(base + "page.html").status_code == 404
