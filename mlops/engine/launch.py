"""The common shape of a prepared command, whichever mode it is started in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Launch:
    """prefix: words that make the sandbox (none in plain mode); argv, env and cwd as the step sees them."""

    prefix: list[str]
    argv: list[str]
    env: dict[str, str]
    cwd: str
