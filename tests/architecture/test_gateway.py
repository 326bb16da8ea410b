"""The gateway is no Django route, so the walk does not meet it: everyone is tried here instead."""

import httpx
import pytest

from launchpad.access import NOTHING_HERE, Role
from mlops.gateway.application import gateway
from tests.mlops.gateway import serving

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
VIEWERS = {"viewer", "editor", "superuser"}


@pytest.fixture
def call(web):
    """`call(method, row, **headers)`: the answer."""
    with httpx.Client(base_url=web.url, timeout=120) as client:

        def called(method, row, **headers):
            client.cookies.clear()
            return client.request(method, f"{serving.PREFIX}{row.pk}/v1/predict", headers=headers)

        yield called


def refusal(answer):
    """Status and words of an answer of the gateway itself."""
    return answer.status_code, answer.json()["error"]["message"] if answer.content else ""


@pytest.mark.django_db(transaction=True)
def test_everyone_with_a_session_gets_what_the_role_says(call, cast, red):
    row = serving.deployment(red)
    wrong = []
    for who, person in cast.people.items():
        cookie = {"Cookie": f"sessionid={serving.session(person)}"} if person else {}
        for method in METHODS:
            own = call(method, row, **cookie, **{"Sec-Fetch-Site": "same-origin"}).status_code
            foreign = call(method, row, **cookie, **{"Sec-Fetch-Site": "cross-site"}).status_code
            # 503: it passed, and there is no server.
            promise = 401 if who == "anonymous" else 503 if who in VIEWERS else 404
            changes = method not in ("GET", "HEAD", "OPTIONS")
            if (own, foreign) != (promise, 403 if promise == 503 and changes else promise):
                wrong.append(f"{who} {method}: {own} and {foreign} from elsewhere, not {promise}")
    assert wrong == []


@pytest.mark.django_db(transaction=True)
def test_every_token_gets_what_its_role_and_group_say(call, red, blue, green):
    row, default = serving.deployment(red), serving.factories.place("north", "default")
    keys = {
        "viewer": (serving.token(red, Role.VIEWER), 503),
        "editor": (serving.token(red, Role.EDITOR), 503),
        "neighbour": (serving.token(blue), 404),
        "elsewhere": (serving.token(green), 404),
        "default": (serving.token(default), 404),
        "nobody": ("x" * 43, 401),
    }
    wrong = []
    for who, (token, promise) in keys.items():
        for method in METHODS:
            headers = {"Authorization": f"Bearer {token}", "AI-Resource-Group": "red"}
            found = call(method, row, **headers)
            if found.status_code != promise:
                wrong.append(f"{who} {method}: {found.status_code}, not {promise}")
            # Another group, none, and one that is not there.
            for group in ({"AI-Resource-Group": "blue"}, {}, {"AI-Resource-Group": "nowhere"}):
                found = call(method, row, Authorization=f"Bearer {token}", **group)
                if found.status_code != (401 if who == "nobody" else 404):
                    wrong.append(f"{who} {method} {group}: {found.status_code}")
    assert wrong == []
    found = call("GET", row, Authorization=f"Bearer {keys['neighbour'][0]}", **{"AI-Resource-Group": "red"})
    assert refusal(found) == (404, NOTHING_HERE)


def test_only_paths_below_a_deployment_are_the_gateways():
    def serves(path, kind="http"):
        return gateway.serves({"type": kind, "raw_path": path})

    assert serves(b"/v2/inference/deployments/d1")
    assert serves(b"/v2/inference/deployments/d1/../../../../admin/")
    for path in (
        b"/v2/inference/deployments",
        b"/v2/lm/deployments",
        b"/v2/%69nference/deployments/d1",
        b"/",
    ):
        assert not serves(path)
    assert not serves(b"/v2/inference/deployments/d1", "lifespan")
