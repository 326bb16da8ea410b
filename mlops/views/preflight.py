"""What pages show of the checks before a start."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from launchpad.access import Scope
from mlops.domain import preflights


class Preflight:
    """The checks for a configuration, asked when a template first wants them.

    inputs: artifact ids by input that take the place of the configuration's. count: how many start. serves:
    whether it is to be deployed instead of run.
    """

    def __init__(
        self,
        scope: Scope,
        configuration: Any,
        *,
        inputs: Mapping[str, str] | None = None,
        count: int = 1,
        serves: bool = False,
    ) -> None:
        self._scope = scope
        self._configuration = configuration
        self._inputs = inputs
        self._count = count
        self._serves = serves

    @cached_property
    def findings(self) -> list[preflights.Finding]:
        """Everything that was looked at."""
        if self._serves:
            return preflights.serve(self._scope, self._configuration)
        return preflights.run(self._scope, self._configuration, inputs=self._inputs, count=self._count)

    @property
    def is_bad(self) -> bool:
        """Whether something would make the run fail."""
        return any(one.state == "bad" for one in self.findings)

    @property
    def title(self) -> str:
        """The outcome in a few words."""
        bad = sum(one.state == "bad" for one in self.findings)
        warned = sum(one.state == "warn" for one in self.findings)
        if bad:
            return f"{bad} {'check fails' if bad == 1 else 'checks fail'}"
        return f"{warned} to know" if warned else "Ready to start"
