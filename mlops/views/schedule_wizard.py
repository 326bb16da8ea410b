"""The wizard that makes a schedule: five steps on one page, kept as a draft between them."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from launchpad.access import Scope
from launchpad.errors import Invalid
from launchpad.forms import attempt
from launchpad.places import place_url
from mlops.domain import catalog, configurations, schedule_drafts, schedules
from mlops.domain.policies import Policies
from mlops.views import api_calls, schedule_form, schedule_words
from mlops.views.configuration_choice import Choice
from mlops.views.preflight import Preflight
from mlops.views.schedule_form import ScheduleForm

STEPS = ("scenario", "executable", "configuration", "schedule", "review")
WORKFLOW = "workflow"
CHOSEN = ("scenario", "executable", "configuration")
# What is chosen anew once another one is chosen.
_LATER = {"scenario": ("executable", "configuration"), "executable": ("configuration",)}
_MISSING = {
    "scenario": "Choose what it is for.",
    "executable": "Choose what runs.",
    "configuration": "Choose a configuration, or create one here.",
}


class ScheduleWizard:
    """A schedule on its way, at one step. Raises NotFound for a draft that is not one's own.

    query: `draft` and `step`; without a draft `scenario`, `executable` or `configuration` say where to begin.
    `q` is a part of the configurations' names. post: the fields of the step, when sent.
    """

    def __init__(self, scope: Scope, query: QueryDict, post: QueryDict | None = None) -> None:
        self._scope = scope
        self._query = query
        self._post = post
        self.draft = schedule_drafts.get(scope, query["draft"]) if query.get("draft") else None
        given = self.draft.data if self.draft else {key: query.get(key, "") for key in CHOSEN}
        self.data: dict[str, Any] = dict.fromkeys((*CHOSEN, "name"), "") | given
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
        """A configuration tells its executable, an executable its scenario."""
        if self.data["configuration"]:
            bound = configurations.get(self._scope, self.data["configuration"])
            self.data |= {
                "executable": bound.executable.slug,
                "configuration": str(bound.pk),
                "name": self.data["name"] or bound.name,
            }
        if self.data["executable"]:
            one = catalog.executable(self._scope, self.data["executable"])
            if one.kind != WORKFLOW:
                raise Invalid(f"{one.slug} serves: it is deployed, and does not run to an end.")
            self.data["scenario"] = one.scenario.slug

    @property
    def _first_open(self) -> str:
        """The first step at which something is still to be chosen."""
        for step in CHOSEN:
            if not self.data[step]:
                return step
        return "review" if self.draft and (self.data.get("cron") or self.data.get("once_at")) else "schedule"

    def _take(self, post: QueryDict) -> None:
        """Put what was sent with this step into the data."""
        if self.step == "schedule":
            self.data |= {name: post[name] for name in ("name", *schedule_form.EMPTY) if name in post}
        elif self.step in CHOSEN:
            chosen = post.get(self.step, "")
            if chosen != self.data[self.step]:
                self.data |= dict.fromkeys(_LATER.get(self.step, ()), "")
            self.data[self.step] = chosen

    def submit(self, action: str) -> str | None:
        """Do what a button asked; the address to go to, None to show this page again.

        action: `next`, `back`, `save`, `fill` (the five fields from the choice above them), `look` (show the
        next runs), or `configure`, which leads to the wizard of configurations and back.
        """
        if action == "next" and self.step == "review":
            return self._create()
        if action == "fill" and self.step == "schedule":
            self.form.fill()
            self.errors = self.form.errors if "at" in self.form.errors else {}
            self.data["cron"] = self.form.values["cron"]
        elif action == "next":
            self._verify()
        if self.errors:
            return None
        self._keep()
        if action == "configure":
            return self._configure_url()
        move = {"next": 1, "back": -1}.get(action, 0)
        return self.address(STEPS[max(STEPS.index(self.step) + move, 0)])

    def _verify(self) -> None:
        """Note what is wrong with this step."""
        if self.step == "schedule":
            self.errors = self._refused
            if "configuration" in self.errors:
                # It was archived meanwhile. What was typed here waits until another one is chosen.
                self._keep()
                self.step = "configuration"
        elif not self.data[self.step]:
            self.errors[self.step] = _MISSING[self.step]
        else:
            _, self.errors = attempt(self._settle)

    @property
    def _refused(self) -> dict[str, str]:
        """A sentence for each field that cannot be kept."""
        _, refused = attempt(
            lambda: schedules.verify(
                self._scope,
                name=self.data["name"],
                configuration=self.data["configuration"],
                timing=self.form.timing,
                policy=self.form.policies,
            )
        )
        self.form.refuse(refused)
        return self.form.errors

    def _keep(self) -> None:
        self.draft = schedule_drafts.save(self._scope, self.draft and self.draft.pk, self.data)

    def _configure_url(self) -> str:
        """The wizard of configurations, which comes back to this draft."""
        url = place_url(self._scope, "mlops:configurations.create")
        asked = {"scenario": self.data["scenario"], "executable": self.data["executable"]}
        return f"{url}?{urlencode(asked | {'schedule': str(self.draft.pk)})}"

    def _create(self) -> str | None:
        self.made, self.errors = attempt(
            lambda: schedule_drafts.submit(
                self._scope,
                self.draft.pk,
                name=self.data["name"],
                configuration=self.data["configuration"],
                timing=self.form.timing,
                policy=self.form.policies,
            )
        )
        if self.made is None:
            # What has become wrong since is shown where it can be changed.
            self.form.refuse(self.errors)
            self.step = "configuration" if "configuration" in self.errors else "schedule"
            return None
        return place_url(self._scope, "mlops:schedules.detail", self.made.pk)

    def address(self, step: str, **more: str) -> str:
        """The page of a step; where there is no draft yet, the page as it was asked for."""
        query = {"draft": str(self.draft.pk), "step": step, **more} if self.draft else self._query.dict()
        return f"{place_url(self._scope, 'mlops:schedules.create')}?{urlencode(query)}"

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
        url = place_url(self._scope, "mlops:schedules.create")
        return {
            "scenario": url,
            "executable": f"{url}?{urlencode({'scenario': self.data['scenario']})}",
            "configuration": f"{url}?{urlencode({'executable': self.data['executable']})}",
        }

    @property
    def error(self) -> str:
        """What is wrong and concerns no single field."""
        return self.errors.get("", "")

    @cached_property
    def scenarios(self) -> list[tuple[Any, int]]:
        """Scenarios that have something to run, each with how much; one query."""
        found: dict[str, tuple[Any, int]] = {}
        for one in self._workflows:
            scenario, count = found.get(one.scenario.slug, (one.scenario, 0))
            found[scenario.slug] = (scenario, count + 1)
        return [found[slug] for slug in sorted(found)]

    @cached_property
    def _workflows(self) -> list[Any]:
        return [one for one in catalog.executables(self._scope) if one.kind == WORKFLOW]

    @property
    def executables(self) -> list[Any]:
        """What of the scenario can be run."""
        return [one for one in self._workflows if one.scenario.slug == self.data["scenario"]]

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

    @cached_property
    def form(self) -> ScheduleForm:
        """When it is due, and what it does about trouble."""
        return ScheduleForm(self.data)

    @cached_property
    def preflight(self) -> Preflight:
        """What would keep a run from starting now."""
        return Preflight(self._scope, self.configuration)

    @property
    def api(self) -> api_calls.ApiUse:
        """The call that makes a schedule of the same times."""
        return api_calls.new_schedule(
            self._scope,
            self.data["configuration"],
            self.data["name"],
            self.form.timing,
            has_policies=self.form.policy_words != schedule_words.policies(Policies()),
        )
