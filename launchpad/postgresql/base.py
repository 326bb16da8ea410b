"""Django's PostgreSQL backend, which looks at a kept connection instead of asking the server about it."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection as Django's, checked before its next use without a round trip."""

    def is_usable(self) -> bool:
        """Whether it can be used again.

        An idle server has nothing to say. A server that ended has closed the connection or has said so, and
        there is something to read; then, and only then, it is asked.
        """
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0) or super().is_usable()
