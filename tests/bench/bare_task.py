"""The least that Celery does between a ring and its task, as the floor under a schedule's due time.

`celery -A tests.bench.bare_task worker`: a task that notes when it began, in a file of its own.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import Celery

QUEUE = "bare"
app = Celery("bare", broker=os.environ.get("BARE_BROKER", "memory://"), set_as_current=False)
app.conf.update(task_default_queue=QUEUE, task_ignore_result=True, broker_connection_retry_on_startup=True)


@app.task(name="bare.note")
def note(place: str) -> None:
    """Write the time, as seconds since the epoch, where nobody else writes."""
    began = time.time()
    made = Path(f"{place}.new")
    made.write_text(repr(began))
    made.rename(place)
