"""What schedules do, in the words of their pages."""

from __future__ import annotations

from datetime import timedelta

from mlops.domain.policies import Policies

# Value to name and sentence.
OVERLAPS = {
    "skip": ("Skip the new run", "While an execution of it is not over, what comes due starts nothing."),
    "allow": ("Let both run", "What comes due starts, whatever still runs."),
    "replace": ("Stop the old run", "What still runs is stopped, and the new one starts."),
}
CATCH_UPS = {
    "none": ("None", "What was missed is skipped."),
    "last": ("The last one", "Of what was missed only the newest is started."),
    "all": ("All, up to a number", "What was missed is started, the newest ones up to this number."),
}
# All of what was missed is wanted, by value of what lets no two of them run.
ALONE = {
    "skip": "Of what was missed one run is started; while it is not over, the others are skipped.",
    "replace": "Of what was missed only the newest is started: it takes the place of the others.",
}
EVERY = {
    "hour": "Every hour, at the minute",
    "day": "Every day",
    "weekdays": "Monday to Friday",
    "week": "Every week",
    "month": "Every month",
}
DAYS = {
    **{"MON": "Monday", "TUE": "Tuesday", "WED": "Wednesday", "THU": "Thursday"},
    **{"FRI": "Friday", "SAT": "Saturday", "SUN": "Sunday"},
}
MONTH_DAYS = {**{str(day): f"day {day}" for day in range(1, 32)}, "L": "the last day"}
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}
_ONE = {"s": "second", "m": "minute", "h": "hour"}


def span(value: timedelta) -> str:
    """A length of time in the largest unit that is whole: `90 seconds`, `2 hours`."""
    seconds = int(value.total_seconds())
    unit, size = next((unit, size) for unit, size in (("h", 3600), ("m", 60), ("s", 1)) if not seconds % size)
    number = seconds // size
    return f"{number:,} {_ONE[unit] if number == 1 else UNITS[unit]}"


def policies(policy: Policies) -> list[str]:
    """What a schedule does when its runs overlap, are missed, fail or take long; a sentence each."""
    said = [OVERLAPS[policy.overlap][1] if policy.overlap in OVERLAPS else ""]
    if policy.catch_up == "all" and policy.overlap in ALONE:
        said.append(ALONE[policy.overlap])
    elif policy.catch_up == "all":
        said.append(f"What was missed is started, the newest {policy.catch_up_limit} at most.")
    elif policy.catch_up in CATCH_UPS:
        said.append(CATCH_UPS[policy.catch_up][1])
    if policy.retries:
        times = "once more" if policy.retries == 1 else f"up to {policy.retries} times more"
        wait = f", {span(policy.retry_pause)} after its end" if policy.retry_pause else ", at once"
        said.append(f"A failed run is tried {times}{wait}.")
    else:
        said.append("A failed run is not tried again.")
    if policy.time_limit is not None:
        said.append(f"A run is stopped after {span(policy.time_limit)}.")
    else:
        said.append("A run may take as long as it needs.")
    if policy.pause_after is not None:
        times = "1 failure" if policy.pause_after == 1 else f"{policy.pause_after} failures in a row"
        said.append(f"After {times} the schedule pauses itself.")
    else:
        said.append("However often it fails, it goes on.")
    return [sentence for sentence in said if sentence]
