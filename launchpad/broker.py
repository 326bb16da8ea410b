"""The embedded stack's broker: kombu's folder of messages, of which nobody reads one that is half written."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """kombu makes a file and fills it then; a reader in between gets an empty message and its worker dies."""

    def _put(self, queue: str, payload: Any, **_options: Any) -> None:
        """Write beside the queue, where no reader looks, and move the whole message in."""
        name = f"{time.monotonic_ns():020}_{uuid.uuid4()}.{queue}.msg"
        draft = os.path.join(self.data_folder_out, f".{name}")
        try:
            with open(draft, "w") as file:
                file.write(dumps(payload))
            os.rename(draft, os.path.join(self.data_folder_out, name))
        except OSError as error:
            raise ChannelError(
                f"A message could not be written to {self.data_folder_out}: {error}"
            ) from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Tables of exchanges are rewritten in place: one process at a time."""
        with (self.control_folder / ".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def get_table(self, exchange: str) -> Any:
        """The queues bound to an exchange."""
        with self._alone():
            return super().get_table(exchange)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        with self._alone():
            super()._queue_bind(exchange, routing_key, pattern, queue)

    def _delete(
        self, queue: str, exchange: str, routing_key: str, pattern: str, *rest: Any, **more: Any
    ) -> None:
        with self._alone():
            super()._delete(queue, exchange, routing_key, pattern, *rest, **more)


class Transport(filesystem.Transport):
    """Named by the setting CELERY_BROKER_TRANSPORT."""

    Channel = Channel
