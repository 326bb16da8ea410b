"""Django's PostgreSQL backend, quicker where every request passes."""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection as Django's, checked before its next use without a round trip.

    It can have queries planned once: of the short ones that every request asks, planning takes most of the
    time. Django's own cursors write values into the text, so that no two queries are the same.
    """

    def get_connection_params(self) -> dict[str, Any]:
        """Of Django's cursors none prepares anything, whatever the threshold is.

        The server compiles no query: what a page asks takes less time than its compilation, which the server
        begins for rows that it expects, not for those that it meets.
        """
        found = super().get_connection_params()
        options = f"{found.get('options', '')} -c jit=off".strip()
        return found | {"prepare_threshold": 2, "options": options}

    def prepared_cursor(self) -> Any:
        """A cursor that gives the server query and values apart; a repeated query is planned no more."""
        if self.queries_logged:
            # Such a cursor could not tell the log what was asked.
            return self.cursor()
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(base.ServerBindingCursor(self.connection))

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
