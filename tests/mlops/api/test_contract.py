"""Every operation of the AI API answers as the contract says, and refuses whatever else is asked of it."""

from __future__ import annotations

import json
import re
import typing

import pytest
from django.db import transaction
from pydantic import BaseModel, ValidationError

from mlops.api import api
from tests import places
from tests.aiapi import shapes
from tests.aiapi.operations import OPERATIONS, SPECIFIED
from tests.mlops.api.world import UNKNOWN, World

pytestmark = [pytest.mark.django_db, pytest.mark.database]
VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
# An address that lists what belongs to something: nothing belongs to what does not exist.
LISTING = ("/executables", "/versions", "/models")


@pytest.fixture(scope="module")
def world(module_db):
    """Made once: every request of this module is undone."""
    with module_db():
        return World(*places.three())


def tried(call, *args, **kwargs):
    """The answer, with whatever it did undone."""
    with transaction.atomic():
        answer = call(*args, **kwargs)
        answer.read_all = b"".join(answer) if answer.streaming else answer.content
        transaction.set_rollback(True)
    return answer


def faults(answer, *statuses):
    """What is wrong with a refusal that should have one of these statuses; [] when nothing is."""
    if answer.status_code not in statuses:
        return [f"{answer.status_code}, not {' or '.join(map(str, statuses))}: {answer.content[:300]!r}"]
    if answer["Content-Type"] != "application/json":
        return [f"{answer['Content-Type']} instead of JSON"]
    body = answer.json()
    found = shapes.faults("Error", body)
    if not found and body["error"]["requestId"] != answer["X-Request-ID"]:
        found.append("the request id is another than the header's")
    if not found and not 10 <= len(body["error"]["message"]) <= 2000:
        found.append(f"the message says little or far too much: {body['error']['message'][:100]!r}")
    return found


def nothing(found):
    """Fail with all that was found."""
    assert not found, "\n".join(found)


def refused(world, operations, *statuses, **changed):
    """Each operation refuses a request that is changed so, with one of these statuses."""
    found = []
    for one in operations:
        answer = tried(world.call, one, **changed)
        found += [f"{one.name}: {fault}" for fault in faults(answer, *statuses)]
    nothing(found)


@pytest.mark.parametrize("operation", OPERATIONS, ids=[one.name for one in OPERATIONS])
def test_it_answers_as_the_contract_says(operation, world):
    answer = tried(world.call, operation)
    if operation.name == "DELETE /lm/dataset/files/{file}":
        world.put_file()
    if operation.success >= 400:
        assert faults(answer, operation.success) == []
        return
    assert answer.status_code == operation.success, answer.read_all
    if operation.shape == "":
        assert answer.read_all == b""
    elif operation.shape == "bytes":
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == (
            "application/octet-stream",
            "nosniff",
        )
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer.read_all == b"a,b\n"
    elif operation.shape == "integer":
        assert answer["Content-Type"].startswith("text/plain")
        assert re.fullmatch(rb"\d+", answer.read_all)
    else:
        assert answer["Content-Type"].partition(";")[0] == "application/json"
        shapes.check(operation.shape, json.loads(answer.read_all))
    made = operation.success == 201 or (operation.success == 202 and operation.method == "POST")
    if made and operation.place in ("group", "workspace") and "refresh" not in operation.path:
        assert answer["Location"].startswith("/v2/") or "/v2/" in answer["Location"]


def test_lists_count_what_is_in_them(world):
    found = []
    for one in OPERATIONS:
        if one.method == "GET" and "resources*" in shapes.SHAPES.get(one.shape, ""):
            body = tried(world.call, one).json()
            if "count" in body and body["count"] != len(body["resources"]):
                found.append(f"{one.name}: {body}")
    nothing(found)


def test_the_document_tells_of_all_and_no_others(client):
    document = client.get("/v2/openapi.json").json()
    told = {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path.removeprefix('/v2'))}"
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith("/v2")
    }
    known = {re.sub(r"{\w+}", "{}", one.name) for one in OPERATIONS}
    assert known - told == set()
    assert told - known == set()


def test_without_a_token_it_is_401(world):
    for token in ("", "nonsense", "x" * 5000, "é"):
        refused(world, [one for one in OPERATIONS if one.place != "public"], 401, who=token)


def test_a_token_of_another_workspace_opens_nothing_here(world):
    inside = [one for one in OPERATIONS if one.place == "group"]
    refused(world, inside, 404, who="stranger")


def test_without_a_group_it_is_400(world):
    inside = [one for one in OPERATIONS if one.place == "group"]
    refused(world, inside, 400, group=None)
    refused(world, inside, 400, group="")


@pytest.mark.parametrize("group", ["blue", "green", "no-such-group", "re\0d", "x" * 3000, "röd"])
def test_in_another_group_it_is_404(world, group):
    inside = [one for one in OPERATIONS if one.place == "group"]
    refused(world, inside, 404, group=group)


def test_a_viewer_changes_nothing(world):
    writing = [one for one in OPERATIONS if one.writes and one.place in ("group", "workspace", "default")]
    refused(world, writing, 403, who="viewer")


def test_an_editor_of_a_group_changes_no_workspace(world):
    writing = [one for one in OPERATIONS if one.writes and one.place == "workspace"]
    refused(world, writing, 403, who="editor")


def test_an_object_of_others_or_of_nobody_is_404(world):
    found = []
    for one in OPERATIONS:
        for argument in one.arguments:
            for source in (UNKNOWN, world.foreign):
                if argument not in source or one.success == 404:
                    continue
                answer = tried(world.call, one, **{argument: source[argument]})
                if one.path.endswith(LISTING) and answer.status_code == 200 and answer.json()["count"] == 0:
                    continue
                told = f"{one.name} with {source[argument]}"
                found += [f"{told}: {fault}" for fault in faults(answer, 404)]
    nothing(found)


@pytest.mark.parametrize(
    "name",
    ["x", "a%00b", "%ff%fe", "%2e%2e", "a%0Ab", "r%C3%B6d", "x" * 2000, "%F0%9F%8C%BA", "a b", "$count2"],
)
def test_a_name_that_nothing_can_have_is_refused(world, name):
    found = []
    for one in OPERATIONS:
        for argument in one.arguments:
            if "file" in argument:
                continue
            answer = tried(world.call, one, **{argument: name})
            if one.path.endswith(LISTING) and answer.status_code == 200 and answer.json()["count"] == 0:
                continue
            found += [f"{one.name}: {fault}" for fault in faults(answer, 400, 404)]
    nothing(found)


def test_other_verbs_are_405(world):
    # Names of one kind are one address, whatever they are called in the table.
    offered: dict[str, set[str]] = {}
    addresses = {}
    for one in OPERATIONS:
        form = re.sub(r"{(?:new_|unused_)?(\w+)}", r"{\1}", one.path)
        for name, kind in (("waiting", "execution"), ("serving", "deployment"), ("served", "configuration")):
            form = form.replace(f"{{{name}}}", f"{{{kind}}}")
        offered.setdefault(form, set()).add(one.method)
        addresses[form] = world.path(one)
    found = []
    for form, methods in offered.items():
        for verb in set(VERBS) - methods:
            answer = tried(world.send, verb, addresses[form], who="editor")
            told = f"{verb} {form}"
            found += [f"{told}: {fault}" for fault in faults(answer, 405)]
            if answer.status_code == 405 and not methods <= set(answer["Allow"].split(", ")):
                found.append(f"{told} allows {answer['Allow']}")
    nothing(found)


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"0",
    b'"x"',
    b"\xff\xfe",
    b'{"a": "\xff"}',
    b"[" * 100_000,
    b'{"a":' * 5000,
]


@pytest.mark.parametrize("body", BODIES, ids=[repr(body[:10]) for body in BODIES])
def test_a_body_that_is_no_object_is_400(world, body):
    writing = [one for one in OPERATIONS if one.name in world.bodies]
    refused(world, writing, 400, body=body)


def _forms(annotation):
    """Every form that a type of a body is made of."""
    for part in typing.get_args(annotation):
        yield from _forms(part)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _forms(field.annotation)


def test_no_form_reads_the_keys_of_an_object_from_a_list():
    forms = {
        form
        for _, router in api._routers
        for view in router.path_operations.values()
        for operation in view.operations
        for model in operation.models
        if model.__ninja_param_source__ == "body"
        for field in model.model_fields.values()
        for form in _forms(field.annotation)
    }
    names = {form.__name__ for form in forms}
    assert {"AiConfigurationBaseData", "ArtifactArgument", "GroupChange", "SecretCreation", "Wish"} <= names
    for form in forms:
        with pytest.raises(ValidationError) as refusal:
            form.model_validate([])
        # Ninja's own would look for the keys, and find none missing where all of them are optional.
        assert [error["type"] for error in refusal.value.errors()] == ["model_type"], form


def _without_objects(body):
    """The body with one object in it, itself included, as a list each time."""
    if isinstance(body, dict):
        yield []
        for key, value in body.items():
            yield from ({**body, key: other} for other in _without_objects(value))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from ([*body[:place], other, *body[place + 1 :]] for other in _without_objects(value))


def test_a_list_is_no_object(world):
    found = []
    for one in OPERATIONS:
        for body in _without_objects(world.bodies.get(one.name)):
            found += [
                f"{one.name} {body}: {fault}" for fault in faults(tried(world.call, one, body=body), 400)
            ]
    nothing(found)


@pytest.mark.parametrize(
    "media", ["text/csv", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
def test_another_media_type_is_415(world, media):
    writing = [one for one in OPERATIONS if one.name in world.bodies]
    refused(world, writing, 415, media=media)


def _twisted(value, path=()):
    """Bodies with one value in them replaced by what no form allows, with the place of each."""
    if isinstance(value, dict):
        for key, one in value.items():
            for place, made in _twisted(one, (*path, key)):
                yield place, {**value, key: made}
    elif isinstance(value, list):
        for place, made in _twisted(value[0], (*path, 0)):
            yield place, [made, *value[1:]]
    if path:
        for bad in (None, 7, 1e308, True, [], {}, "", "a\0b", "\ud800", "x" * 6000, "../..", 10**400, [[]]):
            yield path, bad


def test_a_value_of_another_kind_never_breaks_it(world):
    found = []
    for one in OPERATIONS:
        for place, body in _twisted(world.bodies.get(one.name)):
            answer = tried(world.call, one, body=body)
            told = f"{one.name} with {'.'.join(map(str, place))} in {json.dumps(body)[:200]}"
            if answer.status_code >= 400:
                found += [f"{told}: {fault}" for fault in faults(answer, 400, 404, 409, 412, 413)]
            elif answer.status_code >= 300:
                found.append(f"{told}: {answer.status_code}")
    nothing(found)


@pytest.mark.parametrize("key", ["versionId", "somethingElse", "__proto__", "ключ"])
def test_keys_that_nobody_knows_are_taken(world, key):
    found = []
    for one in OPERATIONS:
        if one.name in world.bodies and not one.path.startswith("/admin/resources"):
            answer = tried(world.call, one, body={**world.bodies[one.name], key: {"x": 1}})
            if answer.status_code != one.success:
                found.append(f"{one.name}: {answer.status_code} {answer.content!r}")
    nothing(found)


def test_every_operation_of_the_contract_is_in_the_table():
    assert len({one.name for one in SPECIFIED}) == 89
