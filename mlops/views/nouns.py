"""The four kinds of artifacts as pages: their addresses, words, icons and what they are for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """One kind of artifact. plural: its name in addresses; one, many: in sentences; purpose: a sentence."""

    plural: str
    kind: str
    one: str
    many: str
    icon: str
    purpose: str

    @property
    def title(self) -> str:
        """Heading of the list."""
        return self.many.capitalize()

    @property
    def index(self) -> str:
        """Name of the list's address."""
        return f"mlops:{self.plural}.index"

    @property
    def export(self) -> str:
        """Name of the address of the list as CSV."""
        return f"mlops:{self.plural}.export"

    @property
    def detail(self) -> str:
        """Name of the address of one of them."""
        return f"mlops:{self.plural}.detail"

    @property
    def register(self) -> str:
        """Name of the address where one is registered."""
        return f"mlops:{self.plural}.register"


NOUNS = {
    noun.plural: noun
    for noun in (
        Noun(
            "datasets",
            "dataset",
            "dataset",
            "datasets",
            "dataset",
            "A dataset is what an execution reads, such as the sentences a model is trained on.",
        ),
        Noun(
            "models",
            "model",
            "model",
            "models",
            "model",
            "A model is what a training execution makes. It appears here when the execution completes.",
        ),
        Noun(
            "resultsets",
            "resultset",
            "result set",
            "result sets",
            "result",
            "A result set is what a batch execution makes, such as a file of predictions.",
        ),
        Noun(
            "others",
            "other",
            "artifact",
            "other artifacts",
            "artifact",
            "Anything else that an execution reads or makes, such as a report.",
        ),
    )
}
BY_KIND = {noun.kind: noun for noun in NOUNS.values()}
