"""The wizard that makes a configuration: four steps on one page, kept as a draft between them."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.forms import attempt
from launchpad.places import place_url
from mlops.domain import catalog, configurations, deployment_drafts, schedule_drafts
from mlops.views import api_calls
from mlops.views.executables import version_number
from mlops.views.nouns import BY_KIND
from mlops.views.wizard_fields import ParameterField, SlotField

STEPS = ("basics", "parameters", "inputs", "review")
EMPTY = {
    **{"name": "", "scenario": "", "executable": "", "version": None, "parameters": {}, "artifacts": {}},
    **{"origin": None, "notes": [], "deployment": "", "schedule": ""},
}
LONGEST = 80
# More optional parameters than these are folded away until they are wanted.
UNFOLDED = 6
SEARCHED_FROM = 5


class Wizard:
    """A configuration on its way, at one step. Raises NotFound for a draft that is not one's own.

    query: `draft` and `step`; without a draft `scenario`, `executable` and `version` say where to begin,
    `registered` is an artifact that was just made for it, `find` a part of the artifacts' names.
    post: the fields of the step, when sent.
    """

    def __init__(self, scope: Scope, query: QueryDict, post: QueryDict | None = None) -> None:
        self._scope = scope
        self._query = query
        self._post = post
        self.draft = configurations.draft(scope, query["draft"]) if query.get("draft") else None
        self.data: dict[str, Any] = EMPTY | (self.draft.data if self.draft else _start(query))
        wanted = query.get("step", "")
        self.step = wanted if wanted in STEPS and self.draft and self.data["executable"] else "basics"
        self.errors: dict[str, str] = {}
        self.made: Any = None
        if post is not None:
            self._take(post)

    def _take(self, post: QueryDict) -> None:
        """Put what was sent with this step into the data."""
        if self.step == "basics":
            chosen, _, number = post.get("version", "").rpartition(":")
            executable = post.get("executable", "")
            # The versions offered were those of the executable chosen before.
            version = version_number(number) if chosen == executable else None
            if (executable, version) != (self.data["executable"], self.data["version"]):
                # They tell of the way to another version than this.
                self.data["notes"] = []
            self.data["version"] = version
            self.data |= {"name": post.get("name", ""), "executable": executable}
        elif self.step == "parameters":
            self.data["parameters"] = self.data["parameters"] | _part(post, "parameters.")
        elif self.step == "inputs":
            self.data["artifacts"] = self.data["artifacts"] | _part(post, "artifacts.")

    def submit(self, action: str) -> str | None:
        """Do what a button asked; the address to go to, None to show this page again.

        action: `next`, `back`, `save`, `keep` (save, and stay on the page), `reset` (all parameters),
        `reset:<parameter>`, `find` (artifacts by name) or `register:<kind>`.
        """
        verb, _, detail = action.partition(":")
        if verb == "reset":
            kept = self.data["parameters"].items() if detail else ()
            self.data["parameters"] = {key: value for key, value in kept if key != detail}
        if self.draft or verb != "keep":
            if verb == "next":
                self._verify()
            if self.draft or not self.errors:
                self._keep()
        if self.errors or verb == "keep":
            return None
        if verb == "find" and self.step == "inputs":
            return self.address(
                "inputs", find=self._post.get("find", "").replace("\x00", "").strip()[:LONGEST]
            )
        if verb == "register" and detail in BY_KIND:
            return self._register_url(detail)
        if verb == "next" and self.step == "review":
            return self._create()
        move = {"next": 1, "back": -1}.get(verb, 0)
        return self.address(STEPS[max(STEPS.index(self.step) + move, 0)])

    def _verify(self) -> None:
        """Note what is wrong with this step."""
        if not self.data["executable"]:
            _, self.errors = attempt(lambda: configurations.verify(self._scope, None, name=self.data["name"]))
            self.errors["executable"] = "Choose what to run."
            return
        checked = {
            "basics": {"name": self.data["name"]},
            "parameters": {"parameters": self.parameters},
            "inputs": {"artifacts": self.artifacts},
        }
        if self.step in checked:
            _, self.errors = attempt(
                lambda: configurations.verify(self._scope, self.version, **checked[self.step])
            )

    def _keep(self) -> None:
        if self.data["executable"]:
            self.data |= {"scenario": self.executable.scenario.slug, "version": self.version.number}
        self.draft = configurations.save_draft(self._scope, self.draft and self.draft.pk, self.data)

    def _create(self) -> str | None:
        self.made, self.errors = attempt(
            lambda: configurations.create(
                self._scope,
                name=self.data["name"],
                version=self.version,
                parameters=self.parameters,
                artifacts=self.artifacts,
            )
        )
        if self.made is None:
            self.step = self._step_of(next(iter(self.errors)))
            return None
        configurations.discard_draft(self._scope, self.draft.pk)
        return self._onwards

    @property
    def _onwards(self) -> str:
        """Where to go with what was made: on with what wanted it, else to its own page."""
        for noun, step, bind in (
            ("deployment", "duration", deployment_drafts.bind),
            ("schedule", "schedule", schedule_drafts.bind),
        ):
            wanted = self.data[noun]
            if wanted and (draft := bind(self._scope, wanted, configuration=self.made.pk)):
                query = urlencode({"draft": str(draft.pk), "step": step})
                return f"{place_url(self._scope, f'mlops:{noun}s.create')}?{query}"
        return place_url(self._scope, "mlops:configurations.detail", self.made.pk)

    @staticmethod
    def _step_of(field: str) -> str:
        return {"parameters": "parameters", "artifacts": "inputs"}.get(field.partition(".")[0], "basics")

    def address(self, step: str, **more: str) -> str:
        """The page of a step; where there is no draft yet, the page as it was asked for."""
        query = {"draft": str(self.draft.pk), "step": step, **more} if self.draft else self._query.dict()
        return f"{place_url(self._scope, 'mlops:configurations.create')}?{urlencode(query)}"

    def _register_url(self, kind: str) -> str:
        query = {"scenario": self.data["scenario"], "next": self.address("inputs")}
        return f"{place_url(self._scope, BY_KIND[kind].register)}?{urlencode(query)}"

    @property
    def here(self) -> str:
        """The address of this step."""
        return self.address(self.step)

    @property
    def steps(self) -> dict[str, str]:
        """Each step's state: done, current or todo."""
        current = STEPS.index(self.step)
        states = ("done", "current", "todo")
        return {step: states[(place >= current) + (place > current)] for place, step in enumerate(STEPS)}

    @property
    def addresses(self) -> dict[str, str]:
        """Each step's address."""
        return {step: self.address(step) for step in STEPS}

    @property
    def error(self) -> str:
        """What is wrong and concerns no single field."""
        return self.errors.get("", "")

    @cached_property
    def executables(self) -> list[Any]:
        """What can be configured, by scenario, the scenario one came from first."""
        found = list(catalog.executables(self._scope))
        return sorted(found, key=lambda one: (one.scenario.slug != self.data["scenario"], one.scenario.slug))

    @cached_property
    def version(self) -> Any:
        """The version chosen, by default the newest; None while no executable is chosen."""
        if not self.data["executable"]:
            return None
        return catalog.version(self._scope, self.data["executable"], self.data["version"])

    @property
    def executable(self) -> Any:
        """The executable chosen."""
        return self.version.executable

    @cached_property
    def versions(self) -> list[Any]:
        """The chosen executable's versions, newest first."""
        return list(catalog.snapshots(self._scope, executable=self.executable)) if self.version else []

    @property
    def is_newest(self) -> bool:
        """Whether the version chosen is the executable's newest."""
        return self.versions[0].number == self.version.number

    @cached_property
    def template(self) -> Any:
        """The typed template of the version chosen."""
        return catalog.describe(self.version)

    @property
    def parameters(self) -> dict[str, str]:
        """Values of the parameters that this version declares, where they are not the default."""
        given = self.data["parameters"]
        return {told.name: given[told.name] for told in self.template.parameters if told.name in given}

    @property
    def artifacts(self) -> dict[str, str]:
        """Ids of the artifacts chosen for the inputs that this version declares."""
        given = self.data["artifacts"]
        return {slot.name: given[slot.name] for slot in self.template.inputs if given.get(slot.name)}

    @cached_property
    def fields(self) -> list[ParameterField]:
        """Parameters as form fields, those that need a value first."""
        given = self.data["parameters"]
        found = [
            ParameterField(
                told, given.get(told.name), self.errors.get(f"parameters.{told.name}", ""), f"p{number}"
            )
            for number, told in enumerate(self.template.parameters, start=1)
        ]
        return sorted(found, key=lambda field: not field.is_mandatory)

    @property
    def needed_fields(self) -> list[ParameterField]:
        """What needs a value, was changed or is wrong; everything where that is not much."""
        optional = self.folded_fields
        return [field for field in self.fields if field not in optional]

    @property
    def folded_fields(self) -> list[ParameterField]:
        """Parameters at their defaults, if there are many of them."""
        quiet = [one for one in self.fields if not (one.is_mandatory or one.is_changed or one.error)]
        return quiet if len(quiet) > UNFOLDED else []

    @property
    def find(self) -> str:
        """The part of the artifacts' names that is looked for."""
        return self._query.get("find", "").replace("\x00", "")[:LONGEST]

    @property
    def is_found_in(self) -> bool:
        """Whether there is so much to choose from that one looks for something."""
        return bool(self.find) or any(len(slot.choices) > SEARCHED_FROM for slot in self.slots)

    @cached_property
    def slots(self) -> list[SlotField]:
        """Inputs with the artifacts to choose from; what was just registered for one is chosen."""
        chosen = self.artifacts
        choices = configurations.choices(self._scope, self.version, q=self.find, keep=chosen)
        registered = self._query.get("registered", "")
        return [
            SlotField(
                slot,
                choices[slot.name],
                self.data["artifacts"].get(slot.name),
                registered,
                self.errors.get(f"artifacts.{slot.name}", ""),
                is_searched=bool(self.find),
            )
            for slot in self.template.inputs
        ]

    @property
    def _shown_artifacts(self) -> dict[str, str]:
        """What is chosen on the page, where a choice is offered, else what was chosen before."""
        if self.step != "inputs":
            return self.artifacts
        return {slot.name: slot.chosen for slot in self.slots if slot.artifact}

    @property
    def request(self) -> dict[str, Any]:
        """The request that makes the same configuration over the API, as far as it is known."""
        body: dict[str, Any] = {"name": self.data["name"].strip()}
        if self.version:
            body |= {
                "scenarioId": self.executable.scenario.slug,
                "executableId": self.executable.slug,
                "versionId": self.version.label,
                "parameterBindings": [{"key": field.name, "value": field.value} for field in self.fields],
                "inputArtifactBindings": [
                    {"key": slot, "artifactId": artifact} for slot, artifact in self._shown_artifacts.items()
                ],
            }
        return body

    @property
    def api(self) -> api_calls.ApiUse | None:
        """The call that makes the same configuration, once it is known what of."""
        if not self.version:
            return None
        return api_calls.new_configuration(self._scope, self.request, is_newest=self.is_newest)


def _start(query: QueryDict) -> dict[str, Any]:
    given = {key: query.get(key, "") for key in ("scenario", "executable", "name", "deployment", "schedule")}
    return given | {"version": version_number(query.get("version", ""))}


def _part(post: QueryDict, prefix: str) -> dict[str, str]:
    """The fields whose names begin so; a text area's line ends become those of the template."""
    return {
        key.removeprefix(prefix): value.replace("\r\n", "\n")
        for key, value in post.items()
        if key.startswith(prefix)
    }
