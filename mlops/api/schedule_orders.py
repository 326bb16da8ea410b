"""Orders of execution schedules: what is to recur when, and what is to be different about it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from mlops.api.metric_reports import Time
from mlops.domain.timings import CRON_LIMIT, FIRST_YEAR, LAST_YEAR


def _second(at: datetime | None) -> datetime | None:
    """The whole second: nothing is due between two of them."""
    if at is None:
        return None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"must be a time within the years {FIRST_YEAR} to {LAST_YEAR}")
    return at.replace(microsecond=0)


Second = Annotated[Time, AfterValidator(_second)]
Cron = Annotated[
    str,
    Field(
        max_length=CRON_LIMIT,
        description="Minute, hour, day of month, month and day of week, in UTC.",
        examples=["0 3 * * *"],
    ),
]


class AiExecutionScheduleCreationData(BaseModel):
    """What to run when. start: now when not given; fractions of a second are dropped."""

    name: str = Field(max_length=256)
    configurationId: str = Field(max_length=64)
    cron: Cron
    start: Second = None
    end: Second = None


class AiExecutionScheduleModificationRequest(BaseModel):
    """What is to be different; what is not given stays. name: for clients that send it along, as it is."""

    cron: Cron | None = None
    start: Second = None
    end: Second = None
    configurationId: str | None = Field(None, max_length=64)
    status: Literal["ACTIVE", "INACTIVE"] | None = None
    name: str | None = Field(None, max_length=256)

    @model_validator(mode="after")
    def something(self) -> Self:
        """A change of nothing is a mistake."""
        if all(one is None for one in (self.cron, self.start, self.end, self.configurationId, self.status)):
            raise ValueError("give cron, start, end, configurationId or status")
        return self
