"""The OpenAPI document: what django-ninja knows of the operations, with what they all share said once."""

from __future__ import annotations

import inspect
import json
import re
from functools import lru_cache
from typing import Any

from ninja import NinjaAPI

from mlops.api.meta import CONTRACT

TITLE = "Launchpad AI API"
DESCRIPTION = """\
Everything that the pages of ML operations show and do, for programs. Clients of the AI API work unchanged:
point them at this address with a service key of this Launchpad.

**Connect.** An editor of a resource group makes a service key. Exchange its `clientid` and `clientsecret` at
`POST /oauth/token` (`grant_type=client_credentials`, in a form body or as HTTP Basic) for a token that lasts
about twelve hours, and send it as `Authorization: Bearer …`. *Authorize* on this page does just that.

**Place.** A token belongs to one workspace. The header `AI-Resource-Group` names the resource group; what
lies in another one answers 404, as if it did not exist.

**Errors.** Every refusal has the same envelope: `error.code`, `error.message`, which says what to do, and
`error.requestId`, which finds the request in the server's log.
"""
# In the order of the work they are for; the headings of the documentation page.
TAGS = {
    "Scenarios": "What can be done here: the workspace's scenarios with their versions and executables.",
    "Artifacts": "Datasets, models, result sets and others: registered versions of what lies in a store.",
    "Configurations": "An executable with its parameters and input artifacts; never changed once made.",
    "Executions": "Configurations being carried out: their status, output artifacts and log.",
    "Metrics": "Metrics, tags and custom information that executions report.",
    "Execution schedules": "Executions that are started by the clock.",
    "Deployments": "Configurations being served: their status, address, servers and log.",
    "Dataset files": "Files of a store, up and down.",
    "Resource groups": "Where a team's work lies, apart from that of others.",
    "Object stores": "The stores of a resource group that `ai://<name>/…` leads to.",
    "Docker registry secrets": "Credentials of registries.",
    "Generic secrets": "Values that runs are given and nobody reads again.",
    "Repositories": "Git repositories that hold templates.",
    "Applications": "Folders of repositories whose templates are kept in step.",
    "Meta": "What this Launchpad offers, and whether it works.",
    "KPIs": "How much there is of what.",
    "Resources": "What there is to run on, and how much of it may be used.",
}
_MERGE_PATCH = "application/merge-patch+json"
_JSON = "application/json"
# Name and meaning of the answers that operations share, by status.
_REFUSALS = {
    "400": ("Invalid", "A parameter, header or the body is not as expected; the message says which."),
    "401": ("Unauthorized", "The token is missing, expired, or its service key was revoked."),
    "403": ("Forbidden", "The service key may look but not change; the message names the role it needs."),
    "404": ("NotFound", "There is no such object, or not for this service key."),
    "412": ("PreconditionFailed", "The object's present state does not allow it."),
    "413": ("TooLarge", "The body is larger than allowed."),
    "415": ("UnsupportedMediaType", "The body is of a media type that is not read here."),
    "429": ("TooManyRequests", "This client asks too often; Retry-After says when to go on."),
    "default": ("Refused", "Any other refusal or failure."),
}
_SECURITY = [{"serviceKey": []}, {"bearer": []}]


@lru_cache(maxsize=16)
def text(api: NinjaAPI, servers: tuple[str, ...]) -> bytes:
    """The document as JSON. servers: addresses of this Launchpad, the one to use first."""
    return json.dumps(document(api, servers), ensure_ascii=False, separators=(",", ":")).encode()


def document(api: NinjaAPI, servers: tuple[str, ...]) -> dict[str, Any]:
    """The document of all operations that clients call; see `text`."""
    found = _untitled(dict(api.get_openapi_schema(path_prefix="")))
    found["info"] = {"title": TITLE, "version": CONTRACT, "description": DESCRIPTION}
    found["servers"] = [{"url": url} for url in servers]
    found["paths"] = {
        _as_called(path): {method: _operation(method, operation) for method, operation in operations.items()}
        for path, operations in found["paths"].items()
        # What runs call is theirs alone; some of it holds their token.
        if path.startswith("/v2/")
    }
    operations = [operation for methods in found["paths"].values() for operation in methods.values()]
    used = {tag for operation in operations for tag in operation.get("tags", ())}
    found["tags"] = [{"name": name, "description": about} for name, about in TAGS.items() if name in used]
    found["components"] = {
        "schemas": dict(sorted(found["components"]["schemas"].items())),
        "responses": dict(_refusal(*one) for one in _REFUSALS.items()),
        "securitySchemes": _security_schemes(servers[0]),
    }
    return found


def _untitled(node: Any) -> Any:
    """Without the titles that pydantic makes of names, such as `Createdat`."""
    if isinstance(node, list):
        return [_untitled(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _untitled(value) for key, value in node.items() if key != "title" or not isinstance(value, str)
    }


def _operation(method: str, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation as clients see it: its docstring as summary and description, their names for things."""
    written = inspect.cleandoc(operation.get("description", ""))
    first = " ".join(written.split("\n\n")[0].split())
    operation["summary"] = first.split(". ")[0].removesuffix(".").replace("`", "")
    operation["description"] = written
    own = {str(status): answer for status, answer in operation["responses"].items()}
    refs = {
        status: {"$ref": f"#/components/responses/{_REFUSALS[status][0]}"} for status in _statuses(method)
    }
    operation["responses"] = dict(sorted((own | refs).items()))
    operation["security"] = _SECURITY
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            parameter["name"] = _camel(parameter["name"])
    content = operation.get("requestBody", {}).get("content", {})
    if method == "patch" and _JSON in content:
        content[_MERGE_PATCH] = content[_JSON]
    return operation


def _statuses(method: str) -> list[str]:
    """The refusals of every operation of a method."""
    found = ["400", "401", "403", "404", "429", "default"]
    if method in ("patch", "delete"):
        found.append("412")
    if method in ("post", "put", "patch"):
        found.append("413")
    if method in ("post", "patch"):
        found.append("415")
    return found


def _as_called(path: str) -> str:
    """`/things/{thing_id}` as the contract spells it: `/things/{thingId}`."""
    return re.sub(r"{(\w+)}", lambda found: f"{{{_camel(found[1])}}}", path)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _refusal(status: str, told: tuple[str, str]) -> tuple[str, dict[str, Any]]:
    name, meaning = told
    answer: dict[str, Any] = {
        "description": meaning,
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Refusal"}}},
    }
    if status == "429":
        about = "Seconds to wait before the next request."
        answer["headers"] = {"Retry-After": {"description": about, "schema": {"type": "integer"}}}
    return name, answer


def _security_schemes(server: str) -> dict[str, Any]:
    flow = {"tokenUrl": f"{server}/oauth/token", "scopes": {}}
    return {
        "serviceKey": {
            "type": "oauth2",
            "description": "`clientid` and `clientsecret` of a service key.",
            "flows": {"clientCredentials": flow},
        },
        "bearer": {"type": "http", "scheme": "bearer", "description": "A token from `POST /oauth/token`."},
    }
