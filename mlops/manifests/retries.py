"""`retryStrategy`: how often, when and after which wait a template is tried again."""

from __future__ import annotations

import re

from mlops.manifests.conditions import parse_expression
from mlops.manifests.durations import read_duration
from mlops.manifests.fields import Section
from mlops.manifests.nodes import shown
from mlops.manifests.spec import Backoff, Retry

MAX_RETRIES = 20
MAX_FACTOR = 100
POLICIES = ("OnFailure", "OnError", "OnTransientError", "Always")
_FACTOR = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")


def read_retry(section: Section) -> Retry | None:
    """The retries of a template, of its defaults or of `spec`; None when it says nothing of them."""
    retry = section.section("retryStrategy", "retryStrategy")
    if not retry.present:
        return None
    backoff = _backoff(retry.section("backoff", "backoff"))
    expression = _expression(retry)
    endless = expression is None and (backoff is None or backoff.max_seconds is None)
    if not retry.has("limit") and endless:
        retry.error("limit", f"is missing; give a number of retries from 0 to {MAX_RETRIES}")
    policy = retry.text("retryPolicy") or ("OnFailure" if expression is None else "Always")
    if policy not in POLICIES:
        retry.error("retryPolicy", f"{shown(policy)} is none of {', '.join(POLICIES)}")
    return Retry(retry.number("limit", least=0, most=MAX_RETRIES), policy, backoff, expression)


def _expression(retry: Section) -> str | None:
    text = retry.text("expression", limit=10_000)
    if text is None:
        return None
    try:
        parse_expression(text)
    except ValueError as error:
        retry.error("expression", str(error))
    return text


def _backoff(section: Section) -> Backoff | None:
    if not section.present:
        return None
    factor = section.text("factor")
    if factor is not None and not (_FACTOR.fullmatch(factor) and 1 <= float(factor) <= MAX_FACTOR):
        section.error("factor", f"{shown(factor)!r} must be a number from 1 to {MAX_FACTOR}")
        factor = None
    return Backoff(
        duration_seconds=read_duration(section, "duration") or 0.0,
        factor=None if factor is None else float(factor),
        cap_seconds=read_duration(section, "cap"),
        max_seconds=read_duration(section, "maxDuration"),
    )
