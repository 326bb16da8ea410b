"""What the server says no with: to a request, or to a model as a whole."""


class Refused(Exception):
    """A request that is not carried out. code: the status of the answer; the text says why, for people."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class BadModel(Exception):
    """The model cannot be served; the text says why and what to do, for people."""


def shown(value: object, limit: int = 80) -> str:
    """A value as it stands in a message: quoted, never longer than `limit`."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
