"""Conditions on metrics as people write them: `accuracy > 0.9`, on the last value of a series."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from launchpad.errors import Invalid
from mlops.domain.limits import NAME_LIMIT, storable
from mlops.models import MetricSeries

OPERATORS = {">=": "gte", "<=": "lte", "!=": "", ">": "gt", "<": "lt", "=": "exact"}
EXAMPLE = "Write a metric, an operator and a number, such as accuracy > 0.9."
_SIGNS = ">=|<=|!=|>|<|="
_NUMBER = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
# The name ends where an operator and a number follow: it may hold operators itself.
_WHOLE = re.compile(rf"(?P<name>\S.*?)\s*(?P<sign>{_SIGNS})\s*(?P<number>{_NUMBER})\Z", re.DOTALL)
_SIGN = re.compile(_SIGNS)


@dataclass(frozen=True)
class Threshold:
    """One condition. sign: of OPERATORS; value: a finite number."""

    name: str
    sign: str
    value: float

    def __str__(self) -> str:
        return f"{self.name} {self.sign} {self.value:.15g}"

    def narrow(self, series: QuerySet[MetricSeries]) -> QuerySet[MetricSeries]:
        """Those of the series that bear the name and whose last value meets the condition.

        A series that has reported nothing but NaN and infinities has no last value and meets none.
        """
        return series.filter(self.condition("last"), name=self.name, last__isnull=False)

    def condition(self, field: str) -> Q:
        """That a field which is not NULL meets it."""
        if self.sign == "!=":
            # Not a negation, which would ask about other series of the execution as well.
            return Q(**{f"{field}__lt": self.value}) | Q(**{f"{field}__gt": self.value})
        return Q(**{f"{field}__{OPERATORS[self.sign]}": self.value})


def parse(text: str) -> Threshold:
    """The condition that a text states. Raises Invalid, saying what is wrong."""
    text = text.strip()
    if len(text) > NAME_LIMIT + 50 or not storable(text):
        raise Invalid(f"That is no condition on a metric. {EXAMPLE}")
    match = _WHOLE.match(text)
    if match is None:
        raise Invalid(f"“{text}”: {_complaint(text)} {EXAMPLE}")
    value = float(match["number"])
    if not math.isfinite(value):
        raise Invalid(f"“{text}”: {match['number']} is larger than any number that is kept.")
    if len(match["name"]) > NAME_LIMIT:
        raise Invalid(f"“{text[:60]}…”: a metric's name has at most {NAME_LIMIT} characters.")
    return Threshold(match["name"], match["sign"], value)


def _complaint(text: str) -> str:
    sign = _SIGN.search(text)
    if sign is None:
        return f"it has none of the operators {' '.join(OPERATORS)}."
    name, number = text[: sign.start()].strip(), text[sign.end() :].strip()
    if not name:
        return "no metric is named before the operator."
    if not number:
        return f"no number follows {sign[0]}."
    return f"{number} is not a number."
