"""Writes of a supervisor, which outlast outages of the database and hold no connection in between."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection

from mlops.domain.log_writers import Writer
from mlops.domain.orders import Abandoned, Orders

log = logging.getLogger(__name__)
T = TypeVar("T")


def persist(orders: Orders, write: Callable[[], T]) -> T:
    """Do a database write, waiting out any outage; the connection is given back afterwards.

    Raises Abandoned when the attempt stops being ours while it waits.
    """
    pause = 0.1
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError) as error:
            log.warning("Waiting for the database: %s", error)
        finally:
            if not connection.in_atomic_block:
                connection.close()
        if orders.abandoned:
            raise Abandoned
        threading.Event().wait(pause)
        pause = min(pause * 2, 5.0)


def flush(writer: Writer[Any]) -> None:
    """Write the log lines that are due; a database that is away is tried again with the next ones."""
    try:
        writer.flush()
    except (OperationalError, InterfaceError) as error:
        log.warning("Log lines wait for the database: %s", error)
    finally:
        if not connection.in_atomic_block:
            connection.close()
