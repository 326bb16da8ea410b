"""Waiting for something to come true, with a deadline."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(condition: Callable[[], Value], seconds: float = 10, pause: float = 0.05) -> Value:
    """Call `condition` until it returns something true and return that; AssertionError at the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Not true within {seconds} s: {condition}")
        threading.Event().wait(pause)
    return value
