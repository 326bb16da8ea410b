"""The step graph of an execution in a real browser: it follows the run, and its boxes lead to logs."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from launchpad.access import Role, system_scope
from launchpad.grants import grant
from mlops.domain import enactments, executions, log_writers
from mlops.lifecycle import Status
from mlops.models import StepRun
from tests.mlops import factories
from tests.mlops.carrying import sh, text
from tests.mlops.test_live_page import aside  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

MAIN = """\
    - name: main
      dag:
        tasks:
          - {name: prepare, template: leaf}
          - {name: train, template: leaf, depends: prepare, withItems: [3, 5, 8]}
          - {name: wide, template: leaf, depends: prepare, withSequence: {count: "20"}}
          - {name: check, template: group, depends: train}
          - {name: export, template: leaf, depends: check && wide, when: "1 == 2"}
    - name: group
      steps:
        - - {name: measure, template: leaf}
          - {name: compare, template: leaf}
        - - {name: decide, template: leaf}
"""


@pytest.fixture
def row(transactional_db):
    """A running execution of a graph with a loop and a group."""
    group = factories.place()
    document = text("entrypoint: main\nonExit: leaf", MAIN, sh("leaf", "true"))
    bound = factories.configuration(group, version=factories.catalog_version(group, text=document))
    made = executions.create(system_scope(group), configuration=bound.pk)
    enactments.transition(made.pk, Status.RUNNING, actor="worker", attempt=0, next_attempt=1)
    made.refresh_from_db()
    begin(made, "prepare")
    end(made, "prepare", Status.COMPLETED)
    begin(made, "train")
    for number, item in enumerate((3, 5, 8)):
        add(made, f"train({number}:{item})", parent="train")
        begin(made, f"train({number}:{item})")
    end(made, "train(0:3)", Status.COMPLETED)
    begin(made, "wide")
    for number in range(20):
        add(made, f"wide({number}:{number})", parent="wide")
    begin(made, "wide(0:0)")
    end(made, "wide(0:0)", Status.DEAD, message="The command ended with exit code 2.")
    return made


def step(row, name):
    return StepRun.unscoped.get(execution=row, attempt=1, name=name)


def add(row, name, parent):
    count = StepRun.unscoped.filter(execution=row, attempt=1).count()
    StepRun.unscoped.create(
        execution=row,
        attempt=1,
        index=count,
        name=name,
        status=Status.UNKNOWN,
        parent=step(row, parent).index,
    )


def begin(row, name):
    key = step(row, name).pk
    enactments.move_step(key, Status.PENDING, attempt=1, tries=1)
    enactments.move_step(key, Status.RUNNING, attempt=1, started_at=timezone.now())


def end(row, name, status, **changes):
    enactments.move_step(step(row, name).pk, status, attempt=1, ended_at=timezone.now(), **changes)


@pytest.fixture
def site(row, web):
    user = User.objects.create_user("viewer")
    grant(Role.VIEWER, user, row.resource_group)
    browser = web.browser(user)
    yield web, browser.cookies["sessionid"], f"/w/local/g/red/executions/{row.pk}/"


@pytest.fixture
def open_page(site, chromium):
    """`open_page(**options)`: the execution's page in a new window."""
    server, session, address = site
    contexts = []

    def opened(tab="", **options):
        context = chromium.new_context(base_url=server.url, **options)
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": session, "url": server.url}])
        page = context.new_page()
        page.goto(address + tab)
        return page

    yield opened
    for context in contexts:
        context.close()


def test_boxes_follow_the_run_without_reload(row, open_page, aside):  # noqa: F811
    page = open_page()
    box = page.locator(f"#step-{aside(step, row, 'train(1:5)').index}")
    expect(box).to_have_attribute("data-status", "RUNNING")
    aside(end, row, "train(1:5)", Status.COMPLETED)
    expect(box).to_have_attribute("data-status", "COMPLETED")


def test_enter_on_a_box_shows_the_log_of_its_step(row, open_page, aside):  # noqa: F811
    index = aside(step, row, "train(0:3)").index
    for number, line in ((index, "of the first item"), (0, "of another step")):
        writer = log_writers.LogWriter(row.pk, 1, number)
        writer.say(line)
        aside(writer.flush, force=True)
    page = open_page()
    page.locator(f"#step-{index}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#log-panel li[data-level]")).to_have_count(1)
    expect(page.locator("#log-panel")).to_contain_text("of the first item")
    expect(page.locator(f"#step-{index}")).to_have_attribute("aria-current", "true")


def test_focus_and_scrolling_outlive_a_change(row, open_page, aside):  # noqa: F811
    page = open_page(viewport={"width": 390, "height": 844})
    index = aside(step, row, "train(2:8)").index
    page.locator(f"#step-{index}").focus()
    page.evaluate("document.getElementById('flow-picture').scrollTo(200, 0)")
    aside(end, row, "train(2:8)", Status.COMPLETED)
    expect(page.locator(f"#step-{index}")).to_have_attribute("data-status", "COMPLETED")
    assert page.evaluate("document.activeElement.id") == f"step-{index}"
    assert page.evaluate("document.getElementById('flow-picture').scrollLeft") == 200


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_scrolls_the_picture_and_not_the_page(row, open_page, theme):
    page = open_page(viewport={"width": 390, "height": 844}, color_scheme=theme)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture = page.locator("#flow-picture")
    assert picture.evaluate("(box) => box.scrollWidth > box.clientWidth")


def test_without_script_a_large_loop_is_unfolded_by_a_link_and_all_is_a_list_too(row, open_page):
    page = open_page(java_script_enabled=False)
    page.locator("svg.dag a[aria-expanded=false]").click()
    page.get_by_text("The steps as a list").click()
    items = page.locator("#flow-list li")
    expect(items.filter(has_text="(19:19)")).to_be_visible()
    expect(items.filter(has_text="exit code 2")).to_be_visible()
    page.locator("svg.dag g a[aria-expanded=true]").click()
    expect(page.locator("svg.dag a[aria-expanded=false]")).to_have_count(1)
