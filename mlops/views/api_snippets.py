"""Calls of the API as text to copy: curl for a shell, Python with requests; hostile names stay data."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from textwrap import indent
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.urls import reverse

GROUP_HEADER = "AI-Resource-Group"
_GROUP_VARIABLE = "AICORE_RESOURCE_GROUP"
_WIDTH = 88
# Members of longer lists share lines: pixels one below the other are no use to anyone.
_MANY = 12
_TIMEOUT = 60


@dataclass(frozen=True)
class Call:
    """One call. title: what it does. path: from the root, percent-encoded. query: names and values.

    body: what is sent as JSON, None for nothing. file: the name of a local file that is sent instead. save:
    the name of a local file that takes the answer, which is printed without. group: the resource group; ""
    leaves it to the environment variable AICORE_RESOURCE_GROUP.
    """

    title: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: dict[str, Any] | None = None
    file: str = ""
    save: str = ""
    group: str = ""

    @property
    def url(self) -> str:
        """Its address without the query."""
        return f"{settings.PUBLIC_URL}{self.path}"

    @property
    def curl(self) -> str:
        """The call for a POSIX shell in which `curl_token` was run."""
        query = urlencode(self.query, safe="$,", quote_via=quote)
        address = shlex.quote(f"{self.url}?{query}" if query else self.url)
        verb = "" if self.method == "GET" else f" -X {self.method}"
        parts = [f"curl -sS --fail-with-body{verb} {address}", '-H "Authorization: Bearer $TOKEN"']
        if self.group:
            parts.append(f"-H {shlex.quote(f'{GROUP_HEADER}: {self.group}')}")
        else:
            parts.append(f'-H "{GROUP_HEADER}: ${_GROUP_VARIABLE}"')
        if self.body is not None:
            parts.append("-H 'Content-Type: application/json'")
            parts.append(f"--data-raw {shlex.quote(json_text(self.body))}")
        if self.file:
            parts.append("-H 'Content-Type: application/octet-stream'")
            # Behind ./ no name is taken for an option.
            parts.append(f"--upload-file {shlex.quote(f'./{self.file}')}")
        if self.save:
            parts.append(f"--output {shlex.quote(f'./{self.save}')}")
        return " \\\n  ".join(parts)

    @property
    def python(self) -> str:
        """The call for a program that begins with `python_session`."""
        arguments = [literal(self.url)]
        if self.query:
            arguments.append(f"params={literal(dict(self.query), 4)}")
        if self.body is not None:
            arguments.append(f"json={literal(self.body, 4)}")
        if self.file:
            arguments += ["data=file", 'headers={"Content-Type": "application/octet-stream"}']
        arguments.append(f"timeout={_TIMEOUT}")
        given = "".join(f"    {one},\n" for one in arguments)
        asked = f"answer = api.{self.method.lower()}(\n{given})"
        if self.file:
            asked = f'with open({literal(f"./{self.file}")}, "rb") as file:\n{indent(asked, "    ")}'
        told = "print(answer.text)"
        if self.save:
            told = f'with open({literal(f"./{self.save}")}, "wb") as file:\n    file.write(answer.content)'
        return f"{asked}\nanswer.raise_for_status()\n{told}"


def curl_token() -> str:
    """Exchange a service key for a token, which the shell keeps as TOKEN."""
    url = shlex.quote(_token_url())
    return (
        'TOKEN=$(curl -sS --fail -u "$AICORE_CLIENT_ID:$AICORE_CLIENT_SECRET" \\\n'
        f"  -d grant_type=client_credentials {url} \\\n"
        """  | sed 's/.*"access_token": *"\\([^"]*\\)".*/\\1/')"""
    )


def python_session(group: str) -> str:
    """Exchange a service key for a token, which `api` sends with every call. group: as a Call has it."""
    header = literal(group) if group else f'os.environ["{_GROUP_VARIABLE}"]'
    return (
        "import os\n\nimport requests\n\n"
        "answer = requests.post(\n"
        f"    {literal(_token_url())},\n"
        '    data={"grant_type": "client_credentials"},\n'
        '    auth=(os.environ["AICORE_CLIENT_ID"], os.environ["AICORE_CLIENT_SECRET"]),\n'
        f"    timeout={_TIMEOUT},\n"
        ")\n"
        "answer.raise_for_status()\n"
        "api = requests.Session()\n"
        'api.headers["Authorization"] = "Bearer " + answer.json()["access_token"]\n'
        f'api.headers["{GROUP_HEADER}"] = {header}'
    )


def _token_url() -> str:
    return settings.PUBLIC_URL + reverse("accounts.token")


def json_text(body: dict[str, Any]) -> str:
    """The body as JSON; characters that a screen would not show, or show elsewhere, are escaped."""

    def scalar(value: Any) -> str:
        text = json.dumps(value, ensure_ascii=False)
        return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)

    return _laid_out(body, scalar)


def literal(value: Any, margin: int = 0) -> str:
    """A text, list or object as Python writes it, with double quotes where that needs no escape."""

    def scalar(value: Any) -> str:
        written = repr(value)
        if isinstance(value, str) and written[0] == "'" and '"' not in written:
            return f'"{written[1:-1]}"'
        return written

    return _laid_out(value, scalar, margin, step=4, last=",")


def _filled(members: list[str], width: int) -> list[str]:
    """Short members of a long list, as many in a line as it holds."""
    lines: list[str] = []
    for one in members:
        if lines and len(lines[-1]) + len(one) + 2 <= width:
            lines[-1] += f", {one}"
        else:
            lines.append(one)
    return lines


def _laid_out(
    value: Any, scalar: Callable[[Any], str], margin: int = 0, *, step: int = 2, last: str = ""
) -> str:
    """A value of lists and objects in one line or, where that is too long, in a line for each member.

    scalar: writes what is neither. margin: blanks before the line it begins on. last: what follows the last
    member.
    """
    if not isinstance(value, dict | list):
        return scalar(value)
    inner = margin + step

    def laid(one: Any) -> str:
        return _laid_out(one, scalar, inner, step=step, last=last)

    if isinstance(value, dict):
        members = [f"{scalar(key)}: {laid(one)}" for key, one in value.items()]
        opening, closing = "{}"
    else:
        members = [laid(one) for one in value]
        opening, closing = "[]"
        if len(value) > _MANY and not any(isinstance(one, dict | list) for one in value):
            members = _filled(members, _WIDTH - inner)
    line = f"{opening}{', '.join(members)}{closing}"
    if "\n" not in line and margin + len(line) < _WIDTH:
        return line
    blanks = " " * inner
    lines = f",\n{blanks}".join(members)
    return f"{opening}\n{blanks}{lines}{last}\n{' ' * margin}{closing}"
