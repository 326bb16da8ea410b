"""What values may be: one rule each for form, API and import, every breach told at once."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from launchpad.errors import Invalid, Unknown
from launchpad.resource_groups import labels as group_labels
from mlops.manifests import Label

NAME_LIMIT = 256
TEXT_LIMIT = 5000
KEY_LIMIT = 256
COUNT_LIMIT = 1000
LABEL_COUNT_LIMIT = 100
LABEL_PREFIX = "ext.ai.sap.com/"
# The contract's NAME, closed by \Z: a closing $ would let a line break through.
_NAME = re.compile(r"""^[\w\s.!?,;:\[\](){}<>"'=+*/\\^&%@~$#|-]*\Z""")
_LABEL_KEY = re.compile(r"ext\.ai\.sap\.com/[\w.-]+\Z")
_SEARCH = re.compile(r"[^~]{1,80}\Z")
_SAID_AT_ONCE = 5

Labels = Mapping[str, str] | Iterable[Mapping[str, str]]


class Check:
    """Collects a sentence for each field that breaks its rule; `done` raises them together as Invalid."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.unknown: set[str] = set()

    def refuse(self, field: str, sentence: str, *, unknown: bool = False) -> None:
        """Note a breach; the first one of a field stays. unknown: it names what does not exist here."""
        if unknown and field not in self.fields:
            self.unknown.add(field)
        self.fields.setdefault(field, sentence)

    def done(self) -> None:
        """Raise Invalid when anything was refused; Unknown when nothing is wrong but what does not exist."""
        if self.fields:
            kind = Unknown if self.unknown == self.fields.keys() else Invalid
            said = list(dict.fromkeys(self.fields.values()))
            more = f" (and {len(said) - _SAID_AT_ONCE} more)" if len(said) > _SAID_AT_ONCE else ""
            raise kind(" ".join(said[:_SAID_AT_ONCE]) + more, fields=self.fields)

    def name(self, value: str, *, field: str = "name") -> str:
        """One line of 1 to 256 characters without surrounding blanks."""
        value = value.strip()
        if not value:
            self.refuse(field, "Give it a name.")
        elif len(value) > NAME_LIMIT:
            self.refuse(field, f"The name is {len(value)} characters long; at most {NAME_LIMIT} are allowed.")
        elif not _NAME.match(value) or any(unicodedata.category(letter) == "Cc" for letter in value):
            self.refuse(
                field,
                "A name is one line of letters, digits, blanks and common punctuation; "
                "other characters are not allowed.",
            )
        return value

    def text(self, field: str, value: str, *, label: str, limit: int = TEXT_LIMIT) -> str:
        """At most `limit` characters that a database can hold. label: how a sentence begins."""
        if len(value) > limit:
            self.refuse(field, f"{label} is {len(value)} characters long; at most {limit} are allowed.")
        elif not storable(value):
            self.refuse(field, f"{label} contains a NUL character or broken text; remove it.")
        return value

    def labels(self, value: Labels) -> tuple[Label, ...]:
        """Labels by key; given as a mapping or as {key, value} objects."""
        return self._labels(
            value,
            _LABEL_KEY,
            f"A label's key is ext.ai.sap.com/ and letters, digits, dots, hyphens and underscores, "
            f"at most {KEY_LIMIT} characters.",
        )

    def group_labels(self, value: Labels) -> tuple[Label, ...]:
        """Labels of resource groups and secrets by key, which are shorter; given as `labels` takes them."""
        return self._labels(
            value,
            group_labels.KEY,
            group_labels.KEY_RULE,
        )

    def _labels(self, value: Labels, keys: re.Pattern[str], rule: str) -> tuple[Label, ...]:
        pairs = (
            value.items() if isinstance(value, Mapping) else [(item["key"], item["value"]) for item in value]
        )
        found: dict[str, str] = {}
        for key, text in pairs:
            if not keys.match(key) or len(key) > KEY_LIMIT:
                self.refuse("labels", rule)
            elif key in found:
                self.refuse("labels", f"The label {key} is given twice.")
            found[key] = self.text("labels", text, label="A label's value")
        if len(found) > LABEL_COUNT_LIMIT:
            self.refuse("labels", f"{len(found)} labels are given; at most {LABEL_COUNT_LIMIT} are allowed.")
        return tuple(Label(key, found[key]) for key in sorted(found))


def storable(value: str) -> bool:
    """Whether every database can hold the text: no NUL, no half surrogate pair."""
    return not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value)


def search_words(value: str) -> str:
    """The words searched for; raises Invalid beyond 80 characters or with `~`."""
    if value and not (_SEARCH.match(value) and storable(value)):
        raise Invalid(
            "Search for 1 to 80 characters, without ~.", fields={"q": "Use 1 to 80 characters, no ~."}
        )
    return value
