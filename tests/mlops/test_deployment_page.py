"""The page of a deployment in a real browser: it is tried, followed and read without script."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from playwright.sync_api import expect

from launchpad.access import Role
from launchpad.grants import grant
from mlops.domain import replicas
from mlops.models import Replica, ReplicaLogChunk
from tests.mlops import factories, trying
from tests.mlops.test_live_page import WATCH

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def aside():
    """`aside(function, …)`: call it in a thread; Playwright's own loop keeps Django's ORM out of this one."""

    def called(function, *args, **kwargs):
        def call():
            try:
                return function(*args, **kwargs)
            finally:
                connection.close()

        return pool.submit(call).result(120)

    with ThreadPoolExecutor(1) as pool:
        yield called


@pytest.fixture
def deployment(transactional_db):
    """A deployment of digits whose server answers."""
    made = trying.served(trying.configuration(factories.place()))
    with trying.answering(trying.digits) as address:
        trying.answer_at(made, address)
        yield made


@pytest.fixture
def session(deployment, web):
    """A viewer's."""
    user = User.objects.create_user("viewer")
    grant(Role.VIEWER, user, factories.place())
    return web.browser(user).cookies["sessionid"]


@pytest.fixture
def visit(deployment, web, session, chromium):
    """`visit(…)`: the viewer's page of it; its content policy refuses nothing, no script complains."""
    opened, complaints = [], []

    def visited(tab="overview", *, script=True):
        context = chromium.new_context(base_url=web.url, java_script_enabled=script)
        context.add_cookies([{"name": "sessionid", "value": session, "url": web.url}])
        page = context.new_page()
        if script:
            context.add_init_script(WATCH)
            page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"/w/local/g/red/deployments/{deployment.pk}/?tab={tab}")
        opened.append((context, page, script))
        return page

    yield visited
    for context, page, script in opened:
        if script:
            assert page.evaluate("window.refused") == []
        context.close()
    assert complaints == []


def test_a_sample_is_sent_by_keys_and_its_answer_read(visit):
    page = visit()
    page.get_by_role("link", name="Load a sample").click()
    values = page.get_by_label("The values instead, row by row")
    expect(values).to_have_value(
        "0 0 0 0 0 0 0 0 0 0 16 16 16 16 0 0 0 16 16 0 0 16 16 0 "
        "0 16 16 0 0 16 16 0 0 16 16 0 0 16 16 0 0 16 16 0 0 16 16 0 "
        "0 0 16 16 16 16 0 0 0 0 0 0 0 0 0 0"
    )
    values.press("Control+Enter")
    answer = page.locator("#trial-answer")
    expect(answer.get_by_role("progressbar", name="Score for 0")).to_have_attribute("value", "93.00")
    expect(answer).to_contain_text("answered by revision 1")
    assert "trials" not in page.url
    answer.get_by_text("Your last calls (1)").click()
    answer.get_by_role("button", name="Send again").click()
    expect(answer).to_contain_text("Your last calls (2)")
    # What was unfolded stays so.
    expect(answer.get_by_role("button", name="Send again").first).to_be_visible()


def test_the_editor_shows_what_the_server_refuses(visit):
    page = visit()
    page.get_by_text("JSON", exact=True).click()
    page.get_by_label("Body, JSON").fill('{"rows": [[1, 2]]}')
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("#trial-answer")).to_contain_text("The server says: pixels has 2 values, not 64.")
    page.get_by_label("Body, JSON").fill("{")
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("#trial-answer")).to_contain_text("This is no JSON")


def test_it_is_tried_without_script(visit):
    page = visit(script=False)
    page.get_by_role("link", name="Load a sample").click()
    page.get_by_role("button", name="Send request").click()
    expect(page.locator("#trial-answer")).to_contain_text("93.0%")
    page.get_by_role("link", name="Servers").click()
    expect(page.get_by_role("heading", name="Servers", exact=True)).to_be_visible()


def write(deployment, number, text):
    ReplicaLogChunk.unscoped.create(
        deployment=deployment,
        attempt=1,
        step=0,
        seq=number - 1,
        first_line=number,
        line_count=1,
        at=timezone.now(),
        text=text,
        offsets=[0],
    )


def test_the_log_and_the_banners_follow_by_themselves(visit, deployment, aside):
    page = visit("logs")
    expect(page.locator("#log-panel")).to_contain_text("No lines yet.")
    aside(write, deployment, 1, "INFO serving <b>digits</b>")
    lines = page.locator("#log-panel li[data-level]")
    expect(lines).to_have_count(1)
    expect(page.locator("#log-panel li.part")).to_have_text("server 1, revision 1")
    aside(write, deployment, 2, "ERROR out of ink")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text("serving <b>digits</b>")
    row = aside(Replica.unscoped.get, deployment=deployment)
    aside(replicas.tell_unready, row, 1, message="GET /v2/health/ready answers 503.")
    expect(page.locator("#deployment-banners")).to_contain_text("GET /v2/health/ready answers 503.")
    expect(page.locator("#deployment-head")).to_contain_text("No server is ready")
