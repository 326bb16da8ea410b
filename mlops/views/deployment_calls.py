"""Calls of a deployment as text to copy: curl, Python and JavaScript, with the token left to the reader."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mlops.domain.model_signatures import Signature
from mlops.domain.served_models import Served
from mlops.views import api_snippets
from mlops.views.trial_forms import example

GROUP_HEADER = api_snippets.GROUP_HEADER
TOKEN = "LAUNCHPAD_TOKEN"
_ANY_PATH = "/v1/predict"


@dataclass(frozen=True)
class Snippet:
    """One call. key: for the radio that shows it; label: the language."""

    key: str
    label: str
    text: str


class Snippets:
    """The calls for one address. The token comes from the environment variable LAUNCHPAD_TOKEN."""

    def __init__(self, address: str, group: str, served: Served, signature: Signature | None) -> None:
        self._address = address if served.path else address + _ANY_PATH
        self._group = group
        self._served = served
        self._signature = signature

    @property
    def note(self) -> str:
        """That the path is only an example, "" where it is known."""
        return "" if self._served.path else "Your server's code chooses the path and what it takes."

    @cached_property
    def body(self) -> Any:
        """What is sent: the smallest request that fits."""
        return example(self._served, self._signature)

    @property
    def all(self) -> list[Snippet]:
        """Each language."""
        return [
            Snippet("curl", "curl", self._curl()),
            Snippet("python", "Python", self._python()),
            Snippet("javascript", "JavaScript", self._javascript()),
        ]

    def _json(self) -> str:
        """The body, moved in as the lines around it are."""
        return api_snippets.json_text(self.body).replace("\n", "\n  ")

    def _curl(self) -> str:
        return " \\\n  ".join(
            (
                f"curl {shlex.quote(self._address)}",
                f'-H "Authorization: Bearer ${TOKEN}"',
                f"-H {shlex.quote(f'{GROUP_HEADER}: {self._group}')}",
                "-H 'Content-Type: application/json'",
                f"-d {shlex.quote(self._json())}",
            )
        )

    def _python(self) -> str:
        return (
            "import os\n\nimport requests\n\n"
            "answer = requests.post(\n"
            f"    {api_snippets.literal(self._address)},\n"
            "    headers={\n"
            f'        "Authorization": f"Bearer {{os.environ[\'{TOKEN}\']}}",\n'
            f'        "{GROUP_HEADER}": {api_snippets.literal(self._group)},\n'
            "    },\n"
            f"    json={api_snippets.literal(self.body, 4)},\n"
            "    timeout=60,\n"
            ")\n"
            "answer.raise_for_status()\n"
            "print(answer.json())"
        )

    def _javascript(self) -> str:
        return (
            f"const answer = await fetch({json.dumps(self._address)}, {{\n"
            '  method: "POST",\n'
            "  headers: {\n"
            f"    Authorization: `Bearer ${{process.env.{TOKEN}}}`,\n"
            f'    "{GROUP_HEADER}": {json.dumps(self._group)},\n'
            '    "Content-Type": "application/json",\n'
            "  },\n"
            f"  body: JSON.stringify({self._json()}),\n"
            "});\n"
            "if (!answer.ok) throw new Error(await answer.text());\n"
            "console.log(await answer.json());"
        )
