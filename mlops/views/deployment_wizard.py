"""The wizard that makes a deployment: five steps on one page, kept as a draft between them."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.forms import attempt
from launchpad.places import place_url
from mlops.domain import (
    artifacts,
    catalog,
    configurations,
    deployment_drafts,
    deployments,
    model_servers,
    servings,
)
from mlops.views import api_calls, duration_form
from mlops.views.configuration_choice import Choice
from mlops.views.duration_form import Duration
from mlops.views.preflight import Preflight

STEPS = ("scenario", "executable", "configuration", "duration", "review")
SERVING = "serving"
EMPTY = {
    **{"scenario": "", "executable": "", "configuration": "", "model": ""},
    **{"lasting": duration_form.FOR_EVER, "number": "", "unit": "h"},
}
# The step that each of them is chosen at, and what is chosen anew once it changes.
_LATER = {"scenario": ("executable", "configuration"), "executable": ("configuration",)}


class DeploymentWizard:
    """A deployment on its way, at one step. Raises NotFound for a draft that is not one's own.

    query: `draft` and `step`; without a draft `scenario`, `executable`, `configuration` or `model` (the id of
    an artifact to be served) say where to begin. `q` is a part of the configurations' names. post:
    the fields of the step, when sent.
    """

    def __init__(self, scope: Scope, query: QueryDict, post: QueryDict | None = None) -> None:
        self._scope = scope
        self._query = query
        self._post = post
        self.draft = deployment_drafts.get(scope, query["draft"]) if query.get("draft") else None
        given = self.draft.data if self.draft else _start(query)
        self.data: dict[str, Any] = EMPTY | given
        self.errors: dict[str, str] = {}
        self.made: Any = None
        self._settle()
        wanted = query.get("step", "")
        place = STEPS.index(wanted) if wanted in STEPS and self.draft else len(STEPS)
        # Nobody comes to a step before what it stands on is chosen.
        self.step = STEPS[min(place, STEPS.index(self._first_open))]
        if post is not None:
            self._take(post)

    def _settle(self) -> None:
        """A configuration tells its executable, an executable its scenario; what does not fit is left."""
        if self.data["configuration"]:
            bound = configurations.get(self._scope, self.data["configuration"])
            servings.of(catalog.describe(bound.executable_version))
            self.data |= {"executable": bound.executable.slug, "configuration": str(bound.pk)}
        if self.data["executable"] and not self.data["model"]:
            one = catalog.executable(self._scope, self.data["executable"])
            if one.kind != SERVING:
                raise Invalid(f"{one.slug} runs to an end: it is executed, not deployed.")
            self.data["scenario"] = one.scenario.slug

    @property
    def _first_open(self) -> str:
        """The first step at which something is still to be chosen."""
        if self.data["model"] and not self.data["configuration"]:
            return "executable"
        for step in ("scenario", "executable", "configuration"):
            if not self.data[step]:
                return step
        return "review" if self.draft else "duration"

    def _take(self, post: QueryDict) -> None:
        """Put what was sent with this step into the data."""
        if self.step == "duration":
            self.data |= {name: post.get(name, "") for name in duration_form.FIELDS}
            return
        if self.step == "review":
            return
        chosen = post.get(self.step, "")
        if chosen != self.data[self.step]:
            self.data |= dict.fromkeys(_LATER.get(self.step, ()), "")
        self.data[self.step] = chosen

    def submit(self, action: str) -> str | None:
        """Do what a button asked; the address to go to, None to show this page again.

        action: `next`, `back`, `save`, or `configure`, which leads to the wizard of configurations and back.
        """
        if action == "next" and self.step == "review":
            return self._create()
        if action == "next":
            self._verify()
        if self.errors:
            return None
        if action == "next" and self.step == "executable" and self.data["model"]:
            return self._serve_model()
        self._keep()
        if action == "configure":
            return self._configure_url()
        move = {"next": 1, "back": -1}.get(action, 0)
        return self.address(STEPS[max(STEPS.index(self.step) + move, 0)])

    def _verify(self) -> None:
        """Note what is wrong with this step."""
        missing = {
            "scenario": "Choose what it is for.",
            "executable": "Choose what serves.",
            "configuration": "Choose a configuration, or create one here.",
        }
        if self.step in missing and not self.data[self.step]:
            self.errors[self.step] = missing[self.step]
        elif self.step == "executable" and self.data["model"]:
            if self._chosen_server is None:
                self.errors["executable"] = missing["executable"]
        elif self.step in missing:
            _, self.errors = attempt(self._settle)
        elif self.step == "duration" and self.duration.error:
            self.errors["ttl"] = self.duration.error

    def _keep(self) -> None:
        self.draft = deployment_drafts.save(self._scope, self.draft and self.draft.pk, self.data)

    def _serve_model(self) -> str:
        """Bind the model to the server chosen; where that needs more values, they are asked for."""
        server = self._chosen_server
        assert server is not None
        self.data["executable"] = server.version.executable.slug
        if server.needs:
            self._keep()
            return self._configure_url(model_servers.draft(server, self.model, deployment=str(self.draft.pk)))
        bound = model_servers.configuration(self._scope, server, self.model)
        self.data |= {"configuration": str(bound.pk), "model": ""}
        self._settle()
        self._keep()
        return self.address("review")

    def _configure_url(self, data: dict[str, Any] | None = None) -> str:
        """The wizard of configurations, which comes back to this draft."""
        url = place_url(self._scope, "mlops:configurations.create")
        if data is not None:
            draft = configurations.save_draft(self._scope, None, data)
            return f"{url}?{urlencode({'draft': str(draft.pk), 'step': 'parameters'})}"
        asked = {"scenario": self.data["scenario"], "executable": self.data["executable"]}
        return f"{url}?{urlencode(asked | {'deployment': str(self.draft.pk)})}"

    def _create(self) -> str | None:
        if self.preflight.is_bad and not (self._post and self._post.get("anyway")):
            self.errors[""] = "Nothing was deployed: a check fails. See what to do, or start it anyway."
            return None
        self.made, self.errors = attempt(
            lambda: deployment_drafts.submit(
                self._scope,
                self.draft.pk,
                configuration=self.data["configuration"],
                ttl=self.duration.ttl,
            )
        )
        if self.made is None:
            return None
        return place_url(self._scope, "mlops:deployments.detail", self.made.pk)

    def address(self, step: str, **more: str) -> str:
        """The page of a step; where there is no draft yet, the page as it was asked for."""
        query = {"draft": str(self.draft.pk), "step": step, **more} if self.draft else self._query.dict()
        return f"{place_url(self._scope, 'mlops:deployments.create')}?{urlencode(query)}"

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
        """Each step's address; without a draft, one that begins anew with what is chosen before it."""
        if self.draft:
            return {step: self.address(step) for step in STEPS}
        url = place_url(self._scope, "mlops:deployments.create")
        asked = {step: self.data[step] for step in ("scenario", "executable") if self.data[step]}
        return {
            "scenario": url,
            "executable": f"{url}?{urlencode({'scenario': asked.get('scenario', '')})}",
            "configuration": f"{url}?{urlencode({'executable': asked.get('executable', '')})}",
        }

    @property
    def error(self) -> str:
        """What is wrong and concerns no single field."""
        return self.errors.get("", "")

    @cached_property
    def scenarios(self) -> list[tuple[Any, int]]:
        """Scenarios that have something to deploy, each with how much; one query."""
        found: dict[str, tuple[Any, int]] = {}
        for one in self._servers_of_all:
            scenario, count = found.get(one.scenario.slug, (one.scenario, 0))
            found[scenario.slug] = (scenario, count + 1)
        return [found[slug] for slug in sorted(found)]

    @cached_property
    def _servers_of_all(self) -> list[Any]:
        return [one for one in catalog.executables(self._scope) if one.kind == SERVING]

    @property
    def executables(self) -> list[Any]:
        """What of the scenario can be deployed."""
        return [one for one in self._servers_of_all if one.scenario.slug == self.data["scenario"]]

    @cached_property
    def model(self) -> Any:
        """The artifact to be served, None for none. Raises NotFound."""
        return artifacts.get(self._scope, self.data["model"]) if self.data["model"] else None

    @cached_property
    def servers(self) -> list[tuple[model_servers.ModelServer, bool]]:
        """What takes the model as its input, each with whether it is chosen: the first one by itself."""
        found = model_servers.of(self._scope, self.model)
        chosen = self.data["executable"] or (found[0].key if found else "")
        return [(one, chosen == one.key) for one in found]

    @property
    def _chosen_server(self) -> model_servers.ModelServer | None:
        return next((one for one, _ in self.servers if one.key == self.data["executable"]), None)

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form that looks for a configuration keeps of the address."""
        if self.draft:
            return [("draft", str(self.draft.pk)), ("step", self.step)]
        return [("executable", self.data["executable"])]

    @cached_property
    def choice(self) -> Choice:
        """The configurations to choose from."""
        given = self._post if self._post is not None else self._query
        return Choice(
            self._scope,
            given,
            executable=self.data["executable"],
            wanted=self.data["configuration"],
            address=f"?{urlencode(self.kept)}&",
        )

    @cached_property
    def configuration(self) -> Any:
        """The one chosen, None while none is."""
        key = self.data["configuration"]
        return configurations.get(self._scope, key) if key else None

    @cached_property
    def bindings(self) -> configurations.Bindings:
        """What it binds."""
        return configurations.bindings(self.configuration)

    @property
    def duration(self) -> Duration:
        """How long it lives."""
        return duration_form.read(self.data)

    @cached_property
    def plan(self) -> servings.Plan:
        """What the configuration makes of its template: how many servers, with which plan."""
        values = {told.name: value for told, value in self.bindings.parameters}
        return servings.plan(catalog.describe(self.configuration.executable_version), values)

    @cached_property
    def preflight(self) -> Preflight:
        """What is looked at before it starts."""
        return Preflight(self._scope, self.configuration, serves=True)

    @property
    def api(self) -> api_calls.ApiUse:
        """The call that deploys the same."""
        one = self.configuration
        return api_calls.new_deployment(self._scope, one.pk, one.name, ttl=self.duration.ttl)

    @property
    def example_address(self) -> str:
        """What its address will look like."""
        return deployments.address("d…")


def _start(query: QueryDict) -> dict[str, Any]:
    return {key: query.get(key, "") for key in ("scenario", "executable", "configuration", "model")}
