"""What the page of one deployment shows; each query runs when a template first asks for its result."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from launchpad.access import Scope
from launchpad.places import place_url
from mlops.domain import aliases, deployment_watching, deployments, served_models
from mlops.lifecycle import (
    ACTIVE,
    DEPLOYMENT_DELETABLE,
    DEPLOYMENT_REPOINTABLE,
    DEPLOYMENT_RESTARTABLE,
    FINAL,
    STOPPABLE,
    Status,
)
from mlops.views import api_calls
from mlops.views.deployment_banners import Banner, banners
from mlops.views.deployment_calls import Snippets
from mlops.views.deployment_console import Console
from mlops.views.deployment_predictions import Predictions
from mlops.views.deployment_revisions import Revisions
from mlops.views.deployment_servers import Servers
from mlops.views.deployment_traffic import Traffic
from mlops.views.execution_charts import CONTENT_SECURITY
from mlops.views.lineage_graph import Lineage
from mlops.views.log_panel import OF_DEPLOYMENT, LogPanel
from mlops.views.trial_forms import example

TABS = (
    ("overview", "Overview"),
    ("traffic", "Traffic"),
    ("logs", "Log"),
    ("revisions", "Revisions"),
    ("servers", "Servers"),
    ("predictions", "Predictions"),
    ("lineage", "Lineage"),
    ("events", "Events"),
)
WITH_CHARTS = ("traffic", "servers")
# Fragment to the template that holds it; those of a log serve executions too.
# What a page at rest asks for now and then; it is loaded again once the deployment is started.
REST = "deployment-rest"
FRAGMENTS = {
    REST: "page",
    "deployment-head": "page",
    "deployment-banners": "page",
    "deployment-facts": "detail",
    "deployment-history": "detail",
    "deployment-traffic": "detail",
    "deployment-charts": "traffic",
    "trial-form": "console",
    "trial-answer": "console",
    "log-panel": "logs/panel",
    "log-body": "logs/lines",
    "log-found": "logs/lines",
    "deployment-revisions": "revisions",
    "deployment-servers": "servers",
    "deployment-events": "events",
}
# A worker that was not heard of for so long has lost its lease.
_STALE = timedelta(seconds=30)


class DeploymentPage:
    """One deployment in a scope. Raises NotFound when made for one of another group.

    query: `tab` names what is shown; the parts' own choices are theirs to read. fragment: the one asked for,
    if any. posted, files: what was sent to the console. url: the page's own address, which the answer to
    what was sent does not have. template: holds that fragment, or the tab. content_security: what its charts
    need.
    """

    def __init__(
        self,
        scope: Scope,
        deployment_id: str,
        query: QueryDict,
        *,
        fragment: str | None,
        posted: QueryDict | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> None:
        self._scope = scope
        self._query = query
        self._posted, self._files = posted, files
        self.url = place_url(scope, "mlops:deployments.detail", deployment_id)
        wanted = query.get("tab", "")
        self.tab = wanted if wanted in dict(TABS) else "overview"
        name = FRAGMENTS.get(fragment or "") or ("detail" if self.tab == "overview" else self.tab)
        self.content_security = CONTENT_SECURITY if self.tab in WITH_CHARTS else {}
        self.template = f"mlops/{name if '/' in name else f'deployments/{name}'}.html"
        self.deployment = deployments.detail(scope, deployment_id)
        # The newest revision's version, whichever its configuration was made for.
        self.deployment.configuration.executable_version = self.deployment.executable_version
        self.deployment.executable = self.deployment.executable_version.executable

    @property
    def version(self) -> str:
        """Marks the state that the page shows, for those who follow it from here."""
        found = deployment_watching.state_of(self.deployment, self.revisions.all, self.servers.live)
        return found.version

    @property
    def title(self) -> str:
        """What it is called: as what it carries out."""
        return self.deployment.executable_version.executable.slug

    @property
    def is_live(self) -> bool:
        """Whether the page still changes by itself; one that is being deleted only goes."""
        return self.deployment.status in ACTIVE - {Status.DELETING} or self.servers.is_any_live

    @property
    def here(self) -> str:
        """The address part of this page, for refreshing its fragments."""
        return f"{self.url}?{self._query.urlencode()}"

    @property
    def path(self) -> str:
        """The path that its server offers, "" when only its authors know."""
        return served_models.path(self.configuration.executable_version)

    @property
    def address(self) -> str:
        """Where it answers, with the path that its server offers."""
        return deployments.address(self.deployment.pk) + self.path

    @property
    def tabs(self) -> list[tuple[str, str, int | None, bool]]:
        """Key, label, count if one is told, and whether it is the one shown."""
        counts = {"revisions": len(self.revisions.all)}
        return [(key, label, counts.get(key), key == self.tab) for key, label in TABS]

    @cached_property
    def configuration(self) -> Any:
        """That of the revision that answers, else of the newest one, with the version that it serves."""
        revision = self.revisions.by_number.get(self.deployment.serving)
        if revision is None or revision.number == self.deployment.newest:
            return self.deployment.configuration
        # A revision may serve another version than its configuration was made for.
        is_same = revision.executable_version_id == self.deployment.executable_version_id
        version = self.deployment.executable_version if is_same else revision.executable_version
        revision.configuration.executable_version = version
        return revision.configuration

    @cached_property
    def served(self) -> served_models.Served:
        """What that configuration serves."""
        return served_models.of(self.configuration)

    @cached_property
    def signature(self) -> Any:
        """What its model takes, as far as is known without asking a server."""
        return served_models.signature(self._scope, self.served)

    @cached_property
    def model_aliases(self) -> list[str]:
        """The names that point to the version of the model it serves."""
        model = self.served.model
        return aliases.of(self._scope, [model]).get(model.pk, []) if model else []

    @cached_property
    def revisions(self) -> Revisions:
        """Its revisions, newest first."""
        return Revisions(self._scope, self.deployment, self._query)

    @property
    def newest(self) -> Any:
        """The revision that is wished for."""
        return self.revisions.by_number[self.deployment.newest]

    @cached_property
    def servers(self) -> Servers:
        """Its servers."""
        number = self.deployment.serving or self.deployment.newest
        return Servers(self._scope, self.deployment, self.revisions.by_number.get(number))

    @property
    def health(self) -> tuple[str, timedelta | None, bool]:
        """How it fares in words, how long ago its workers were heard of, whether that is too long ago."""
        if self.deployment.status in FINAL | {Status.DELETING}:
            return "", None, False
        ready, wanted = self.servers.ready, self.servers.wanted
        if not ready:
            return "No server is ready", None, True
        seen = [one.worker.seen_at for one in ready if one.worker]
        age = max(timezone.now() - min(seen), timedelta(0)) if seen else None
        if age is not None and age > _STALE:
            return "Its worker was not heard of", age, True
        return ("Healthy" if len(ready) >= wanted else f"{len(ready)} of {wanted} servers ready"), age, False

    @cached_property
    def banners(self) -> list[Banner]:
        """What somebody should know at once, gravest first."""
        return banners(self.deployment, self.revisions, self.servers, may_change=self._scope.may_change)

    @property
    def may(self) -> dict[str, bool]:
        """Which verbs its status lets an editor use."""
        status = self.deployment.status
        allowed = {
            "update": status in DEPLOYMENT_REPOINTABLE,
            "stop": status in STOPPABLE,
            "restart": status in DEPLOYMENT_RESTARTABLE,
            "extend": status in STOPPABLE,
            "delete": status in DEPLOYMENT_DELETABLE,
        }
        return {verb: is_allowed and self._scope.may_change for verb, is_allowed in allowed.items()}

    @cached_property
    def console(self) -> Console:
        """Where it can be tried."""
        return Console(
            self._scope,
            self.deployment,
            self.served,
            self.signature,
            self._query,
            self._posted,
            self._files,
        )

    @property
    def snippets(self) -> Snippets:
        """Calls of it as text to copy."""
        return Snippets(self.address, self._scope.group.slug, self.served, self.signature)

    @property
    def api(self) -> api_calls.ApiUse:
        """The same deployment over the API."""
        one = self.deployment
        return api_calls.deployment(
            self._scope,
            one.pk,
            configuration=one.configuration_id,
            ttl=one.ttl,
            submitted_at=one.submitted_at,
            path=self.path.removeprefix("/"),
            body=example(self.served, self.signature) if self.path else None,
        )

    @cached_property
    def traffic(self) -> Traffic:
        """What is sent to its address."""
        return Traffic(self._scope, self.deployment, self._query if self.tab == "traffic" else QueryDict())

    @cached_property
    def predictions(self) -> Predictions:
        """What of that is kept."""
        return Predictions(self._scope, self.deployment, self._query)

    @cached_property
    def history(self) -> list[Any]:
        """Every status change, and what befell its revisions, newest first."""
        return list(deployments.history(self._scope, self.deployment))[::-1]

    @cached_property
    def log(self) -> LogPanel:
        """Its log as this page shows it."""
        return LogPanel(self._scope, self.deployment, self._query, words=OF_DEPLOYMENT)

    @property
    def ancestry(self) -> Lineage:
        """What it was made from, over several hops."""
        return Lineage(self._scope, self.deployment)
