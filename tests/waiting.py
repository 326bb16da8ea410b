"""Waiting for something to come true, with a deadline."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def until(condition: Callable[[], Value], seconds: float = 120, pause: float = 0.05) -> Value:
    """Call `condition` until it returns something true and return that; AssertionError at the deadline.

    The deadline only ends what hangs. It is far off, as a slow machine with much to do may take its time.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Not true within {seconds} s: {condition}")
        threading.Event().wait(pause)
    return value
