"""The console on a deployment's page: a form or an editor, the answer, and the person's own last calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.errors import Invalid
from mlops.domain import model_signatures, trials
from mlops.domain.model_signatures import Signature
from mlops.domain.served_models import PREDICT, Served
from mlops.domain.trials import Answer, Call
from mlops.formats.pictures import SIZE_LIMIT
from mlops.views import api_snippets
from mlops.views.trial_answer import Shown
from mlops.views.trial_forms import TrialForm, Unfit, example

SIGNATURE = "/v1/signature"


class Console:
    """What the console shows.

    known: what its model takes, as far as is known without asking. posted, files: what was sent to it, None
    before anything was. query: `sample` asks for an example to begin with, `trial` for an own call to look
    at again, `ask` to have the server say what it takes. errors: what is wrong with what was sent, by field.
    """

    def __init__(
        self,
        scope: Scope,
        deployment: Any,
        served: Served,
        known: Signature | None,
        query: QueryDict,
        posted: QueryDict | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> None:
        self._scope = scope
        self._deployment = deployment
        self._served = served
        self._known = known
        self._query = query
        self._posted = posted
        self._files = files or {}
        self.errors: dict[str, str] = {}
        self._answer: Shown | None = None

    @cached_property
    def signature(self) -> Signature | None:
        """What the model takes: from its file, else as its server says if that is to be asked."""
        if self._known or not self.can_ask or not self._asks:
            return self._known
        answer = trials.send(self._scope, self._deployment, Call("GET", SIGNATURE, ""))
        try:
            return model_signatures.of_server(json.loads(answer.text)) if answer.status == 200 else None
        except (ValueError, RecursionError):
            return None

    @property
    def can_ask(self) -> bool:
        """Whether nothing is known of the model and Launchpad's own server can tell."""
        return bool(self._served.built_in) and self._known is None

    @property
    def _asks(self) -> bool:
        return "ask" in (self._posted if self._posted is not None else self._query)

    @property
    def has_asked(self) -> bool:
        """Whether the server was asked for this answer."""
        return self.can_ask and self._asks

    @cached_property
    def form(self) -> TrialForm:
        """The form made of it, with what was typed or the sample that was asked for."""
        files = {name: one.read(SIZE_LIMIT + 1) for name, one in self._files.items() if name == "picture"}
        if self._posted is not None:
            given = self._posted.dict()
        else:
            empty = TrialForm(self._served, self.signature)
            given = empty.sample() if "sample" in self._query else {}
        return TrialForm(self._served, self.signature, given, files)

    @cached_property
    def _again(self) -> Any:
        """The own call that the address names, None for none."""
        key = self._query.get("trial", "") if self._posted is None else ""
        return trials.get(self._scope, self._deployment, key) if key else None

    @property
    def mode(self) -> str:
        """Which of `form` and `json` is shown."""
        if not self.form.is_there or self._again is not None:
            return "json"
        chosen = self._posted.get("mode", "") if self._posted is not None else self._query.get("mode", "")
        return "json" if chosen == "json" else "form"

    @property
    def methods(self) -> list[tuple[str, bool]]:
        """Methods to choose from, and whether each is chosen."""
        return [(one, one == self.method) for one in trials.METHODS]

    @property
    def method(self) -> str:
        """The method in the editor."""
        if self._posted is not None:
            return self._posted.get("method", "POST")
        return self._again.method if self._again else "POST"

    @property
    def path(self) -> str:
        """The path in the editor: as typed, of the call looked at, of the last one, or as is known."""
        if self._posted is not None:
            return self._posted.get("path", "")
        if self._again:
            return self._again.path
        if self._served.path or not self.recent:
            return self._served.path or PREDICT
        return self.recent[0].path

    @property
    def body(self) -> str:
        """The body in the editor."""
        if self._posted is not None:
            return self._posted.get("body", "")
        if self._again:
            return self._again.request
        if not self._served.path and self.recent and "sample" not in self._query:
            return self.recent[0].request
        return api_snippets.json_text(example(self._served, self.signature))

    @cached_property
    def recent(self) -> list[Any]:
        """The person's own last calls, newest first."""
        return trials.recent(self._scope, self._deployment)

    @property
    def answer(self) -> Shown | None:
        """The answer to what was sent, else that of the call looked at, else None."""
        if self._answer is None and self._again is not None:
            row = self._again
            is_answered = row.status is not None
            self._answer = Shown(
                problem="" if is_answered else row.response,
                status=row.status,
                milliseconds=row.milliseconds,
                body=row.response if is_answered else "",
                size=len(row.response.encode()),
                was_cut=len(row.response) >= trials.KEPT_CHARACTERS,
                method=row.method,
                path=row.path,
                request=row.request,
                revision=row.revision,
            )
        return self._answer

    def send(self) -> bool:
        """Send what was posted and keep it; False when it cannot be sent, with `errors` to say why.

        The network first, then the database: nothing waits inside a transaction.
        """
        try:
            call = self._call()
            call.check()
        except Invalid as error:
            self.errors = error.fields or {"body": error.message}
            return False
        except Unfit:
            self.errors = {one.label: one.error for one in self.form.fields if one.error}
            return False
        answer = trials.send(self._scope, self._deployment, call)
        if answer.problem != trials.BUSY:
            trials.record(self._scope, self._deployment, call, answer)
        self._answer = _shown(call, answer)
        return True

    def _call(self) -> Call:
        """What was posted: an own call once more, the form, or the editor. Raises Invalid, Unfit."""
        posted = self._posted or QueryDict()
        if key := posted.get("trial", ""):
            row = trials.get(self._scope, self._deployment, key)
            return Call(row.method, row.path, row.request)
        if self.mode == "form":
            return Call("POST", self._served.path or PREDICT, json.dumps(self.form.body()))
        body = posted.get("body", "").strip()
        if body:
            try:
                json.loads(body)
            except ValueError as error:
                raise Invalid("", fields={"body": f"This is no JSON: {error}."}) from error
            except RecursionError as error:
                raise Invalid("", fields={"body": "This JSON is nested too deeply."}) from error
        return Call(posted.get("method", ""), posted.get("path", "").strip(), body)


def _shown(call: Call, answer: Answer) -> Shown:
    return Shown(
        problem=answer.problem,
        status=answer.status,
        milliseconds=answer.milliseconds,
        body=answer.text,
        size=len(answer.body),
        was_cut=answer.is_cut,
        method=call.method,
        path=call.path,
        request=call.body,
        revision=answer.revision,
    )
