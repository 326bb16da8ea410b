"""What pages show under “Use the API”, done: the shown text is run as it is and finds what is on screen."""

import contextlib
import html
import io
import json
import os
import re
import subprocess
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from launchpad.access import Right, Role, open_scope, system_scope
from launchpad.accounts import service_keys
from launchpad.grants import grant
from mlops.domain import deployment_drafts, log_writers, metrics
from mlops.domain.metric_limits import Point
from mlops.lifecycle import Status
from mlops.models import LogChunk, ReplicaLogChunk
from mlops.views import api_calls
from tests.mlops import deployed, factories

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

GROUP = "/w/local/g/red/"
# Every character that a shell, Python or an address could take for its own and a name may hold.
NAME = """it's "all" $(of) ${it} \\ & #1; 50% <b> {x} [y] ñ"""
_CODE = re.compile(r'<code id="api-(curl|python)-(\w+)">(.*?)</code>', re.DOTALL)
_TITLE = re.compile(r'<code id="api-curl-|aria-label="Copy: (.*?)"')


class Place:
    """A server, a person's browser there, and the credentials of a service key."""

    def __init__(self, home, server):
        self.home = home
        self.group = factories.place()
        self.data = factories.artifact(self.group, name=NAME)
        factories.artifact(self.group, name="another")
        self.bound = factories.configuration(self.group, name=NAME, inputs={"petals": self.data})
        self.runs = [factories.execution(self.bound) for _ in range(2)]
        began_at = timezone.now() - timedelta(days=3)
        self.running = factories.execution(self.bound, status=Status.RUNNING, created_at=began_at)
        metrics.record(system_scope(self.group), self.runs[0].pk, metrics=[Point("loss", 0.5)])
        writer = log_writers.LogWriter(self.running.pk, 1, 0)
        writer.say("what it said")
        assert writer.flush(force=True)
        # Longer ago than the log is told of without a beginning.
        LogChunk.unscoped.update(at=began_at)
        self.user = User.objects.create_user("editor")
        grant(Role.EDITOR, self.user, self.group)
        issued = service_keys.create(open_scope(self.user, "local", "red", Right.CHANGE), name="script")
        self.server = server
        self.browser = self.server.browser(self.user)
        self.env = {
            "AICORE_CLIENT_ID": issued.client_id,
            "AICORE_CLIENT_SECRET": issued.client_secret,
            "AICORE_RESOURCE_GROUP": "red",
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
        }

    def shown(self, path, language):
        """Title to text of each call on a page, the one for the token under ""."""
        page = self.browser.get(path)
        assert page.status_code == 200, page.text
        codes = {key: html.unescape(text) for one, key, text in _CODE.findall(page.text) if one == language}
        titles = list(dict.fromkeys(html.unescape(one) for one in re.findall('Copy: (.*?)"', page.text)))
        assert set(codes) == {"token", *(str(number + 1) for number in range(len(titles) - 1))}
        return {"": codes["token"]} | {title: codes[str(n)] for n, title in enumerate(titles[1:], start=1)}

    def answers(self, path, language):
        """Title to answer of each call on a page, in the order shown."""
        token, *calls = self.shown(path, language).items()
        return {title: _read(self.run(language, token[1], text)) for title, text in calls}

    def run(self, language, token, text):
        """What the two texts together print."""
        if language == "curl":
            done = subprocess.run(
                ["sh", "-euc", f"{token}\n{text}"],
                capture_output=True,
                env=self.env,
                text=True,
                cwd=self.home,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout
        said = io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
            for name, value in self.env.items():
                patch.setenv(name, value)
            patch.chdir(self.home)
            program = {}
            exec(compile(f"{token}\n{text}", "snippet", "exec"), program)
            program["api"].close()
        return said.getvalue()


def _read(text):
    return json.loads(text) if text.strip() else None


def ids(answer):
    """The ids of a list."""
    return {one["id"] for one in answer["resources"]}


@pytest.fixture
def place(web, transactional_db, tmp_path):
    """See Place."""
    return Place(tmp_path, web)


@pytest.mark.parametrize("language", ["curl", "python"])
def test_every_call_shown_does_what_its_title_says(place, language):
    run, bound, data = place.runs[0], place.bound, place.data
    runs = {one.pk for one in (*place.runs, place.running)}
    found = place.answers(f"{GROUP}scenarios/", language)
    assert ids(found.pop("List the scenarios")) == {factories.SCENARIO}
    assert found == {}

    # In a workspace the resource group comes from the environment.
    for home in (GROUP, "/w/local/"):
        found = place.answers(f"{home}scenarios/{factories.SCENARIO}/", language)
        assert found.pop("Get this scenario")["name"] == "Petals"
        assert ids(found.pop("List its executables")) == {factories.EXECUTABLE}
        assert ids(found.pop("List its versions")) == {"1.0.0"}
        assert found == {}

    found = place.answers(f"{GROUP}executables/{factories.EXECUTABLE}/", language)
    assert found.pop("Get this executable")["versionId"] == "1.0.0"
    assert found == {}

    found = place.answers(f"{GROUP}executions/", language)
    assert ids(found.pop("List the newest executions")) == runs
    assert found.pop("Count all of them") == 3
    assert found == {}
    found = place.answers(f"{GROUP}executions/?status=PENDING&status=DEAD", language)
    assert ids(found.pop("List those that are pending")) == {one.pk for one in place.runs}
    assert ids(found.pop("List those that are dead")) == set()
    assert (found.pop("Count those that are pending"), found.pop("Count those that are dead")) == (2, 0)
    assert found == {}

    found = place.answers(f"{GROUP}configurations/?q=ALL&scenario={factories.SCENARIO}", language)
    assert ids(found.pop("List these configurations")) == {str(bound.pk)}
    assert found.pop("Count them") == 1
    assert found == {}

    found = place.answers(f"{GROUP}datasets/?q=ALL", language)
    assert ids(found.pop("List these artifacts")) == {str(data.pk)}
    assert found.pop("Count them") == 1
    assert found == {}

    found = place.answers(f"{GROUP}datasets/{data.pk}/", language)
    assert found.pop("Get this version")["name"] == NAME
    assert ids(found.pop("List all versions of the name")) == {str(data.pk)}
    assert found.pop("Download data.csv") is None
    assert (place.home / "data.csv").read_bytes() == b"length,kind\n1,a\n"
    assert found == {}

    found = place.answers(f"{GROUP}executions/{run.pk}/", language)
    assert found.pop("Get this execution")["configurationName"] == NAME
    assert found.pop("Read its log") == {"data": {"result": []}}
    (reported,) = found.pop("Read its metrics")["resources"]
    assert [one["name"] for one in reported["metrics"]] == ["loss"]
    assert found.pop("Stop it while it is pending or running")["id"] == run.pk
    assert found.pop("Delete it once it has ended")["id"] == run.pk
    assert found.pop("Run its configuration again")["status"] == "UNKNOWN"
    assert found == {}

    found = place.answers(f"{GROUP}configurations/{bound.pk}/", language)
    assert found.pop("Get this configuration")["inputArtifactBindings"][0]["artifactId"] == str(data.pk)
    assert runs <= ids(found.pop("List its executions"))
    assert found.pop("Run it")["targetStatus"] == "COMPLETED"
    assert found == {}

    found = place.answers(f"{GROUP}executions/create?configuration={bound.pk}", language)
    assert found.pop(f"Run {NAME}")["message"]
    assert found == {}

    address = data.url
    found = place.answers(
        f"{GROUP}datasets/register?name=new&url={address}&scenario={factories.SCENARIO}", language
    )
    assert found.pop("Register new")["url"] == address
    assert found == {}


@pytest.mark.parametrize("language", ["curl", "python"])
def test_calls_of_deployments_do_what_their_titles_say(place, language, settings):
    settings.PUBLIC_URL = place.server.url
    scope = open_scope(place.user, "local", "red", Right.CHANGE)
    bound = deployed.configuration(place.group, name=NAME)
    began_at = timezone.now() - timedelta(days=3)
    running, stopped = (
        deployed.deployment(bound, status=status, created_at=began_at, ttl="5d")
        for status in (Status.RUNNING, Status.STOPPED)
    )
    said = {
        "text": "what it said",
        "offsets": [0],
        "at": began_at,
        "seq": 0,
        "first_line": 1,
        "line_count": 1,
    }
    ReplicaLogChunk.unscoped.create(deployment=running, attempt=1, step=0, stderr=[], **said)

    delete = "Delete it once it is stopped or dead"

    def answers(use, *, but=()):
        """Title to answer of each call but some, and those of the server itself, which nobody started."""
        token = use.curl_token if language == "curl" else use.python_session
        return {
            one.title: _read(place.run(language, token, getattr(one, language)))
            for one in use.calls
            if not one.path.startswith("/v2/inference") and one.title not in but
        }

    found = answers(api_calls.deployments(scope, statuses=()))
    assert ids(found.pop("List the newest deployments")) == {running.pk, stopped.pk}
    assert found.pop("Count all of them") == 2
    assert found == {}
    found = answers(api_calls.deployments(scope, statuses=[Status.STOPPED]))
    assert ids(found.pop("List those that are stopped")) == {stopped.pk}
    assert found.pop("Count those that are stopped") == 1
    assert found == {}
    assert "look through" in api_calls.deployments(scope, statuses=(), is_filtered=True).remark

    found = answers(api_calls.new_deployment(scope, bound.pk, NAME, ttl="2d"))
    made = found.pop(f"Deploy {NAME}")
    assert (made["ttl"], made["deploymentUrl"]) == ("2d", "")
    assert found == {}

    found = place.answers(f"{GROUP}deployments/?status=STOPPED&status=DEAD", language)
    assert ids(found.pop("List those that are stopped")) == {stopped.pk}
    assert ids(found.pop("List those that are dead")) == set()
    assert (found.pop("Count those that are stopped"), found.pop("Count those that are dead")) == (1, 0)
    assert found == {}
    draft = deployment_drafts.save(scope, None, {"configuration": str(bound.pk), "lasting": "for ever"})
    page = f"{GROUP}deployments/create?draft={draft.pk}&step=review"
    assert place.answers(page, language).pop(f"Deploy {NAME}")["message"] == "Deployment scheduled."

    told = {"configuration": bound.pk, "ttl": "5d", "submitted_at": began_at}
    use = api_calls.deployment(scope, running.pk, **told, path="v1/models/m%20n:predict", body={"x": NAME})
    (call,) = [one for one in use.calls if one.path.startswith("/v2/inference")]
    address = f"{place.server.url}/v2/inference/deployments/{running.pk}/v1/models/m%20n:predict"
    assert (call.method, call.url, call.body) == ("POST", address, {"x": NAME})
    found = answers(use, but=[delete])
    assert found.pop("Get this deployment")["configurationName"] == NAME
    (line,) = found.pop("Read its log")["data"]["result"]
    assert (line["msg"], line["container"]) == ("what it said", "server 1")
    assert found.pop("Stop it while it is pending or running")["id"] == running.pk
    assert found.pop("Deploy its configuration again")["ttl"] == "5d"
    assert found == {}
    others = [one.title for one in use.calls if one.title != delete]
    found = answers(api_calls.deployment(scope, stopped.pk, **told), but=others)
    assert found.pop(delete)["targetStatus"] == "DELETED"

    found = place.answers(f"{GROUP}configurations/{bound.pk}/", language)
    assert found.pop("Get this configuration")["name"] == NAME
    assert {running.pk, made["id"]} <= ids(found.pop("List its deployments"))
    assert found.pop("Deploy it")["status"] == "UNKNOWN"
    assert found == {}


def test_a_call_of_a_server_without_a_body_asks(red):
    scope = system_scope(red)
    told = {"configuration": "c", "ttl": "", "submitted_at": timezone.now()}
    use = api_calls.deployment(scope, "d0123456789abcde", **told)
    call = use.calls[1]
    assert (call.method, call.path) == ("GET", "/v2/inference/deployments/d0123456789abcde")
    (again,) = [one for one in use.calls if one.title == "Deploy its configuration again"]
    assert again.body == {"configurationId": "c"}


@pytest.mark.parametrize(("language", "kind"), [("curl", "dataset"), ("python", "model")])
def test_where_nothing_is_stored_yet_a_file_is_uploaded_first(place, language, kind, settings):
    settings.PUBLIC_URL = place.server.url
    scope = open_scope(place.user, "local", "red", Right.CHANGE)
    form = {"name": "", "scenario": factories.SCENARIO, "url": "", "description": "Petals"}
    shown = api_calls.new_artifact(scope, kind=kind, **form)
    token = shown.curl_token if language == "curl" else shown.python_session
    (place.home / "data.csv").write_bytes(b"length,kind\n2,b\n")
    told = {one.title: _read(place.run(language, token, getattr(one, language))) for one in shown.calls}
    assert told["Upload data.csv"]["url"] == f"ai://default/new-{kind}/data.csv"
    assert told[f"Register new-{kind}"]["url"] == f"ai://default/new-{kind}"


@pytest.mark.parametrize("language", ["curl", "python"])
def test_a_log_is_read_from_its_beginning(place, language):
    shown = place.shown(f"{GROUP}executions/{place.running.pk}/", language)
    (line,) = _read(place.run(language, shown[""], shown["Read its log"]))["data"]["result"]
    assert line["msg"] == "what it said"


@pytest.mark.parametrize("language", ["curl", "python"])
def test_the_wizards_call_makes_what_the_wizard_would(place, language):
    copied = place.browser.get(f"{GROUP}configurations/{place.bound.pk}/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', copied)[1]
    answer = place.browser.post(
        f"{GROUP}configurations/{place.bound.pk}/duplicate",
        data={"csrfmiddlewaretoken": token},
        follow_redirects=False,
    )
    found = place.answers(f"{answer.headers['location']}&step=review", language)
    made = found.pop("Create this configuration")["id"]
    shown = place.answers(f"{GROUP}configurations/{made}/", language)["Get this configuration"]
    assert shown["name"] == NAME
    assert {one["key"]: one["value"] for one in shown["parameterBindings"]}["OWNER"] == "Ada"
    assert found == {}


@pytest.fixture
def opened(place, chromium):
    """`opened(path, **context)`: a page of the group in a browser, with its panel."""
    contexts = []

    def visit(path, **wanted):
        context = chromium.new_context(base_url=place.server.url, **wanted)
        contexts.append(context)
        session = place.browser.cookies["sessionid"]
        context.add_cookies([{"name": "sessionid", "value": session, "url": place.server.url}])
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        assert page.goto(GROUP + path).status == 200
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.browser
class TestInABrowser:
    def test_it_opens_and_changes_language_without_script(self, opened):
        page = opened("scenarios/", java_script_enabled=False)
        expect(page.locator("#api-curl-1")).to_be_hidden()
        page.get_by_role("heading", name="Use the API").click()
        expect(page.locator("#api-curl-1")).to_be_visible()
        page.get_by_text("Python", exact=True).click()
        expect(page.locator("#api-python-1")).to_be_visible()
        expect(page.locator("#api-curl-1")).to_be_hidden()

    def test_the_keyboard_does_it_all(self, opened):
        page = opened("scenarios/")
        page.locator("#use-the-api > summary").focus()
        page.keyboard.press("Enter")
        expect(page.locator("#api-curl-1")).to_be_visible()
        page.locator("#api-curl").focus()
        page.keyboard.press("ArrowDown")
        expect(page.locator("#api-python-1")).to_be_visible()

    def test_what_is_copied_is_what_is_shown(self, opened):
        page = opened("scenarios/")
        page.get_by_role("heading", name="Use the API").click()
        page.get_by_role("button", name="Copy: List the scenarios").click()
        expect(page.locator(".toast").first).to_contain_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator("#api-curl-1").text_content()

    def test_it_stays_open_and_follows_the_filter(self, opened):
        page = opened("configurations/")
        page.get_by_role("heading", name="Use the API").click()
        page.get_by_text("Python", exact=True).click()
        page.get_by_label("Filter by name").fill("all")
        expect(page.locator("#api-python-1")).to_contain_text('"$search": "all"')
        expect(page.locator("#api-python-1")).to_be_visible()

    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_it_fits_a_phone(self, opened, theme):
        page = opened(
            "configurations/",
            color_scheme=theme,
            viewport={"width": 390, "height": 844},
            reduced_motion="reduce",
        )
        page.get_by_role("heading", name="Use the API").click()
        for language in ("curl", "Python"):
            page.get_by_text(language, exact=True).click()
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wider) == 0
            code, ground = page.locator(f"#api-{language.lower()}-1").evaluate(
                "(one) => [one, one.closest('.code')].map((at, n) => "
                "getComputedStyle(at)[n ? 'backgroundColor' : 'color'])"
            )
            assert code != ground
