"""What can go wrong in the domain; the edge turns these into pages, toasts and JSON."""

from collections.abc import Mapping


class LaunchpadError(Exception):
    """A refusal with a sentence for people.

    message: what happened, why if known, what to do. fields: form field name to sentence, for Invalid.
    """

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})


class NotFound(LaunchpadError):
    """The thing does not exist, or the user may not know that it does."""


class Forbidden(LaunchpadError):
    """The user may view but lacks the role to change."""


class Invalid(LaunchpadError):
    """The values given cannot be accepted."""


class Stale(Invalid):
    """A value that was good for a while only."""


class Unknown(Invalid):
    """A value names something that does not exist here."""


class Conflict(LaunchpadError):
    """The state of the object does not allow it now."""


class Taken(Conflict):
    """Something of this name or address is there already."""


class TooMany(LaunchpadError):
    """More requests than one client may send. seconds: when to try again."""

    def __init__(self, message: str, *, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds
