"""The documentation of the API: a valid document of every operation, and the page that shows it."""

import json
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from openapi_spec_validator import OpenAPIV31SpecValidator

from launchpad.checks import routes
from launchpad.http import policies
from mlops.api import api, errors, openapi, queries
from mlops.api.operations import GROUP_HEADER, Place
from mlops.domain import dataset_files, metric_limits
from tests.mlops.api.clients import refused

DOCUMENT = openapi.document(api, ("https://launchpad.example",))
OPERATIONS = {
    operation["operationId"]: (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def schema(answer):
    """What an answer holds as JSON."""
    return answer["content"]["application/json"]["schema"]


def looked_up(reference):
    """What a reference within the document leads to."""
    found = DOCUMENT
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_it_is_a_valid_openapi_document():
    assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert json.loads(openapi.text(api, ("https://launchpad.example",))) == DOCUMENT


def called(route):
    """An address pattern as the document spells it."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: "{" + camel(found[1]) + "}", route)


def camel(name):
    return re.sub(r"_(\w)", lambda found: found[1].upper(), name)


def test_every_operation_that_clients_call_is_in_it_and_no_other():
    mounted = {
        (called(route), method.lower())
        for route, name, pattern in routes()
        if name.startswith("api:") and route.startswith("v2/")
        for methods, _policy in policies(pattern.callback)
        for method in methods
    }
    assert {(path, method) for path, method, _told in OPERATIONS.values()} == mounted
    assert len(OPERATIONS) == len(mounted)


@pytest.mark.parametrize("name", OPERATIONS)
class TestEveryOperation:
    def test_says_what_it_does_and_where_it_belongs(self, name):
        _path, _method, told = OPERATIONS[name]
        assert told["summary"] and not told["summary"].endswith(".")
        assert " ".join(told["description"].replace("`", "").split()).startswith(told["summary"])
        (tag,) = told["tags"]
        assert tag in {one["name"] for one in DOCUMENT["tags"]}

    def test_says_how_it_answers_and_how_it_refuses(self, name):
        _path, method, told = OPERATIONS[name]
        answers = told["responses"]
        successes = {status for status in answers if status.startswith("2")}
        refusals = {status: answer for status, answer in answers.items() if status not in successes}
        assert successes <= {"200", "201", "202", "204"}
        assert successes
        assert {"400", "401", "403", "404", "429", "default"} <= set(refusals)
        assert ("413" in refusals) == (method in ("post", "put", "patch"))
        assert ("415" in refusals) == (method in ("post", "patch"))
        for answer in refusals.values():
            told = looked_up(answer["$ref"]) if "$ref" in answer else answer
            assert schema(told) == {"$ref": "#/components/schemas/Refusal"}

    def test_says_who_may_call_it_and_names_its_parameters_as_clients_do(self, name):
        path, _method, told = OPERATIONS[name]
        assert told["security"] == [{"serviceKey": []}, {"bearer": []}]
        in_path = [one["name"] for one in told["parameters"] if one["in"] == "path"]
        assert [f"{{{one}}}" in path for one in in_path] == [True] * len(in_path)
        assert path.count("{") == len(in_path)
        assert "_" not in "".join(in_path)
        named = [(one["in"], one["name"]) for one in told["parameters"]]
        assert len(named) == len(set(named))


def test_operations_of_a_group_name_the_header_that_chooses_it():
    places = {
        operation.operation_id: place
        for router in api._get_bound_routers()
        for view in router.path_operations.values()
        for operation in view.operations
        for place in operation.auth_callbacks
        if isinstance(place, Place) and operation.operation_id in OPERATIONS
    }
    told = {
        name: one["required"]
        for name in places
        for one in OPERATIONS[name][2]["parameters"]
        if one["in"] == "header" and one["name"] == GROUP_HEADER
    }
    assert set(told) == {name for name, place in places.items() if place.needs_group}
    plain = {name: place for name, place in places.items() if type(place) is Place}
    assert [name for name, place in plain.items() if name in told and told[name] == bool(place.default)] == []


def test_service_keys_authorize_at_the_token_endpoint():
    schemes = DOCUMENT["components"]["securitySchemes"]
    flow = schemes["serviceKey"]["flows"]["clientCredentials"]
    assert flow["tokenUrl"] == "https://launchpad.example" + reverse("accounts.token")
    assert schemes["bearer"]["scheme"] == "bearer"


def test_the_headings_are_in_the_order_of_the_work():
    names = [one["name"] for one in DOCUMENT["tags"]]
    assert names == [name for name in openapi.TAGS if name in names]
    assert names[0] == "Scenarios"


class TestDocument:
    def test_anyone_may_read_it_and_it_is_of_where_it_was_asked(self):
        response = Client().get("/v2/openapi.json", headers={"host": "localhost"})
        assert response["Content-Type"] == "application/json"
        servers = [one["url"] for one in response.json()["servers"]]
        assert servers == ["http://localhost", settings.PUBLIC_URL]

    def test_at_the_public_name_the_public_address_is_believed(self, settings):
        settings.PUBLIC_URL = "https://localhost"
        found = Client().get("/v2/openapi.json", headers={"host": "localhost"}).json()
        assert [one["url"] for one in found["servers"]] == ["https://localhost"]
        flow = found["components"]["securitySchemes"]["serviceKey"]["flows"]["clientCredentials"]
        assert flow["tokenUrl"] == "https://localhost/oauth/token"

    def test_it_is_only_read(self):
        refused(Client().post("/v2/openapi.json"), 405, "GET, HEAD")


class TestPage:
    def test_who_is_unknown_is_asked_to_sign_in(self):
        response = Client(headers={"accept": "text/html"}).get("/v2/docs")
        assert response.headers["Location"] == "/sign-in?next=/v2/docs"

    def test_it_needs_no_more_than_other_pages_do(self, outsider, browse):
        response = browse(outsider).get("/v2/docs")
        shown = response.content.decode()
        assert "<h1>API</h1>" in shown
        assert '"url": "/v2/openapi.json"' in shown
        assert "unsafe" not in response["Content-Security-Policy"]
        assert "http" not in shown.replace("http-equiv", "").replace("http://www.w3.org", "")

    def test_it_leads_back(self, outsider, browse):
        assert 'href="/workspaces/"' in browse(outsider).get("/v2/docs").content.decode()


class TestGuide:
    """`docs/api.md` says what holds."""

    GUIDE = (settings.BASE_DIR / "docs" / "api.md").read_text()

    def test_it_names_the_limits_there_are(self):
        said = [
            f"{settings.OAUTH2_PROVIDER['ACCESS_TOKEN_EXPIRE_SECONDS']:,} s",
            f"| body of a request | {errors.BODY_BYTES >> 20} MiB |",
            f"| dataset file | {dataset_files.BYTES_LIMIT >> 20} MiB |",
            f"{errors.QUERY_BYTES >> 10} KiB, {errors.HEADER_BYTES >> 10} KiB",
            f"| {queries.TOP_LIMIT:,}, by default {queries.TOP:,} |",
            f"| ids in one parameter | {queries.LIST_LIMIT} |",
            f"{metric_limits.METRICS} metrics with {metric_limits.LABELS} labels each",
            f"{metric_limits.TAGS} tags, {metric_limits.CUSTOM_INFO} custom infos",
            f"{metric_limits.CUSTOM_INFO_BYTES >> 20} MiB of custom info",
        ]
        assert [one for one in said if one not in self.GUIDE] == []

    def test_the_settings_and_addresses_it_names_exist(self):
        for name in re.findall(r"`([A-Z]+_[A-Z_]+)`", self.GUIDE):
            assert name.startswith("AICORE_") or hasattr(settings, name)
        known = set(DOCUMENT["paths"]) | {"/v2/docs", "/v2/openapi.json", "/v2/lm", "/oauth/token"}
        known |= {"/v2/lm/metrics", "/v2/lm/dataset", "/v2/lm/meta"}
        for path in re.findall(r"`(?:[A-Z]+ )?(/(?:v2|oauth)[^`]*)`", self.GUIDE):
            assert path in known or path.replace("{id}", "{configurationId}") in known
