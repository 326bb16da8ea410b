"""Placeholders that stand unquoted in YAML: each becomes a word before parsing, and itself again after."""

from __future__ import annotations

import re

_PLACEHOLDER = re.compile(r"\{\{[^{}\n]*\}\}")
_SERVING = re.compile(r"""^kind:[ \t]*["']?ServingTemplate\b""", re.MULTILINE)


def is_serving(document: str) -> bool:
    """Whether a document calls itself a ServingTemplate, told before it can be parsed."""
    return _SERVING.search(document) is not None


class Mask:
    """The words that stand for the placeholders of one text; none of them occurs in it otherwise."""

    def __init__(self, text: str) -> None:
        self._found = list(dict.fromkeys(_PLACEHOLDER.findall(text)))
        stem = "placeholder"
        while stem in text:
            stem += "x"
        self._words = {placeholder: f"{stem}-{n}-" for n, placeholder in enumerate(self._found)}
        self._pattern = re.compile(rf"{stem}-([0-9]+)-")
        self.text = _PLACEHOLDER.sub(lambda match: self._words[match[0]], text)

    def lift(self, text: str) -> str:
        """A part of the parsed text with its placeholders back."""
        return self._pattern.sub(lambda match: self._found[int(match[1])], text)
