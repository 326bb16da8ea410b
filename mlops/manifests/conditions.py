"""The small languages of `when`, `depends` and retry expressions: comparisons with and, or, not.

A text is parsed before its placeholders are filled in, each being one operand or a part of one, so that a
value can never become an operator. Nothing is evaluated but the comparisons themselves.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from mlops.manifests.nodes import shown
from mlops.manifests.placeholders import LAST_RETRY, replace
from mlops.manifests.placeholders import names as names_in

State = Literal["Succeeded", "Failed", "Errored", "Skipped", "Omitted"]
Lookup = Callable[[str], str]

MAX_LENGTH = 10_000
MAX_DEPTH = 20
RESULTS = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted", "AnySucceeded", "AllFailed")

_WENT_WELL = ("Succeeded", "Skipped")
_COMPARISONS: Mapping[str, Callable[[Decimal | str, Decimal | str], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_WORDS = {"and": "&&", "or": "||", "not": "!"}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_TASK = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_-]*)(?:\.([A-Za-z]+))?")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<sign>&&|\|\||==|!=|<=|>=|[<>!()])
      | '(?P<single>[^'\\]*)' | "(?P<double>[^"\\]*)"
      | (?P<bare>(?:\{\{(?!\{)(?:(?!\{\{|\}\}).)*\}\}|[^\s=!<>&|()'"{}\\])+)
    )""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step or task ended. items: of a loop, how each of its calls ended.

    goes_on: its failure is to be overlooked where a task is named without a result.
    """

    state: State
    items: tuple[State, ...] = ()
    goes_on: bool = False

    def has(self, result: str) -> bool:
        """Whether one of RESULTS holds; a call without a loop counts as its own only item."""
        states = self.items or (self.state,)
        if result == "AnySucceeded":
            return "Succeeded" in states
        if result == "AllFailed":
            return set(states) == {"Failed"}
        return self.state == result


@dataclass(frozen=True, slots=True)
class _Operand:
    """A text, its placeholders not filled in."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class _Comparison:
    """sign "": the left operand alone, which has to be true or false."""

    left: _Operand
    sign: str = ""
    right: _Operand = _Operand("")


@dataclass(frozen=True, slots=True)
class _Result:
    """Whether a task ended in one of these ways."""

    task: str
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Group:
    """sign: && or || of all terms, or ! of the only one."""

    sign: str
    terms: tuple[_Node, ...]


_Node = _Group | _Comparison | _Result


@dataclass(frozen=True, slots=True)
class When:
    """A parsed condition. names: its placeholders, each once, in order."""

    names: tuple[str, ...]
    _root: _Node

    def holds(self, lookup: Lookup) -> bool:
        """Whether it is true. lookup: the value of a placeholder, called only where the answer needs it.

        Numbers are compared as numbers, all else as text; so is what == or != compares with a quoted
        operand. Raises ValueError when an operand that stands alone is neither true nor false.
        """
        return _holds(self._root, lambda leaf: _compare(leaf, lookup))


@dataclass(frozen=True, slots=True)
class Depends:
    """A parsed dependency. names: the tasks it speaks of, each once, in order."""

    names: tuple[str, ...]
    _root: _Node

    def holds(self, outcomes: Mapping[str, Outcome]) -> bool:
        """Whether the task may run; decidable once every task of `names` has an outcome."""
        return _holds(self._root, lambda leaf: _ended(leaf, outcomes))

    def may_hold(self, outcomes: Mapping[str, Outcome]) -> bool:
        """Whether it can still hold when some of the tasks have no outcome yet."""
        return _answers(self._root, outcomes)[0]


def parse_when(text: str) -> When:
    """The condition of a step: operands are quoted texts or single words. Raises ValueError."""
    tokens = _tokens(text)
    return When(_names(tokens), _Parser(tokens, _comparison).parse())


def parse_expression(text: str) -> When:
    """The expression of a retryStrategy: operands are numbers, quoted texts, placeholders and the names
    of LAST_RETRY, which `names` holds too; and, or, not may be words. Raises ValueError."""
    tokens = [_expressed(token) for token in _tokens(text)]
    return When(_names(tokens), _Parser(tokens, _comparison).parse())


def parse_depends(text: str) -> Depends:
    """The dependency of a task: names of tasks, each perhaps with one of RESULTS. Raises ValueError."""
    tokens = _tokens(text)
    parser = _Parser(tokens, _task)
    root = parser.parse()
    return Depends(tuple(dict.fromkeys(parser.tasks)), root)


_Token = str | _Operand


def _tokens(text: str) -> list[_Token]:
    """Signs as they are, all else as operands."""
    if len(text) > MAX_LENGTH:
        raise ValueError(f"the condition is longer than {MAX_LENGTH:,} characters")
    found: list[_Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None:
            raise ValueError(
                f"cannot be read from {shown(text[at:end].lstrip(), 40)!r} on; known are "
                "== != < <= > >= && || ! and parentheses, texts with blanks are quoted"
            )
        at = match.end()
        quoted = match["single"] if match["single"] is not None else match["double"]
        if match["sign"]:
            found.append(match["sign"])
        else:
            found.append(_Operand(match["bare"] if quoted is None else quoted, quoted is not None))
    return found


def _expressed(token: _Token) -> _Token:
    """A token as retry expressions mean it: their bare words are names, not texts."""
    if isinstance(token, str) or token.quoted or token.text.startswith("{{"):
        return token
    if token.text in _WORDS:
        return _WORDS[token.text]
    if token.text in LAST_RETRY:
        return _Operand(f"{{{{{token.text}}}}}")
    if _NUMBER.fullmatch(token.text) or token.text in ("true", "false"):
        return token
    if token.text in ("asInt", "asFloat"):
        raise ValueError(f"leave {token.text}() out: numbers are compared as numbers without it")
    known = ", ".join(sorted(LAST_RETRY))
    raise ValueError(f"{shown(token.text, 40)!r} is unknown: there are {known}; texts are quoted")


def _names(tokens: list[_Token]) -> tuple[str, ...]:
    found = (name for token in tokens if isinstance(token, _Operand) for name in names_in(token.text))
    return tuple(dict.fromkeys(found))


class _Parser:
    """Recursive descent over tokens; leaf reads what stands between the signs of logic."""

    def __init__(self, tokens: list[_Token], leaf: Callable[[_Parser], _Node]) -> None:
        self.tokens = tokens
        self.leaf = leaf
        self.at = 0
        self.depth = 0
        self.tasks: list[str] = []

    def parse(self) -> _Node:
        if not self.tokens:
            raise ValueError("the condition is empty")
        root = self._any()
        if self.at < len(self.tokens):
            raise ValueError(f"{self.name()} is not expected here; texts with blanks are quoted")
        return root

    def take(self, *signs: str) -> str:
        """The next token if it is one of these signs, else ""."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if isinstance(token, _Operand) or token not in signs:
            return ""
        self.at += 1
        return token

    def operand(self) -> _Operand:
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if not isinstance(token, _Operand):
            raise ValueError(f"a value is missing before {self.name()}")
        self.at += 1
        return token

    def name(self) -> str:
        """What stands here, for a message."""
        if self.at >= len(self.tokens):
            return "the end"
        token = self.tokens[self.at]
        return token if isinstance(token, str) else repr(shown(token.text, 40))

    def _any(self) -> _Node:
        return self._joined("||", lambda: self._joined("&&", self._not))

    def _joined(self, sign: str, term: Callable[[], _Node]) -> _Node:
        terms = [term()]
        while self.take(sign):
            terms.append(term())
        return terms[0] if len(terms) == 1 else _Group(sign, tuple(terms))

    def _not(self) -> _Node:
        sign = self.take("!", "(")
        if not sign:
            return self.leaf(self)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")
        made = _Group("!", (self._not(),)) if sign == "!" else self._any()
        if sign == "(" and not self.take(")"):
            raise ValueError(f"a closing parenthesis is missing before {self.name()}")
        self.depth -= 1
        return made


def _comparison(parser: _Parser) -> _Comparison:
    left = parser.operand()
    sign = parser.take(*_COMPARISONS)
    if sign:
        return _Comparison(left, sign, parser.operand())
    alone = set(names_in(left.text))
    if alone <= LAST_RETRY and left.text not in ("true", "false"):
        raise ValueError(f"{shown(left.text, 40)!r} is compared with nothing; alone it must be true or false")
    return _Comparison(left)


def _task(parser: _Parser) -> _Result:
    given = parser.operand()
    match = _TASK.fullmatch(given.text)
    if given.quoted or match is None:
        raise ValueError(f"{shown(given.text, 40)!r} is no task, nor a task with .Succeeded or the like")
    task, result = match.groups()
    if result is not None and result not in RESULTS:
        raise ValueError(f"{shown(result, 40)} of a task is not read; known are {', '.join(RESULTS)}")
    parser.tasks.append(task)
    return _Result(task, (result,) if result else _WENT_WELL)


def _holds(node: _Node, leaf: Callable[[_Comparison | _Result], bool]) -> bool:
    if not isinstance(node, _Group):
        return leaf(node)
    answers = (_holds(term, leaf) for term in node.terms)
    if node.sign == "&&":
        return all(answers)
    return any(answers) if node.sign == "||" else not any(answers)


def _answers(node: _Node, outcomes: Mapping[str, Outcome]) -> tuple[bool, bool]:
    """Whether a condition can become true, and whether it can become false."""
    if isinstance(node, _Group):
        terms = [_answers(term, outcomes) for term in node.terms]
        yes, no = [term[0] for term in terms], [term[1] for term in terms]
        if node.sign == "&&":
            return all(yes), any(no)
        return (any(yes), all(no)) if node.sign == "||" else (any(no), any(yes))
    assert isinstance(node, _Result)
    if node.task not in outcomes:
        return True, True
    answer = _ended(node, outcomes)
    return answer, not answer


def _compare(leaf: _Comparison | _Result, lookup: Lookup) -> bool:
    assert isinstance(leaf, _Comparison)
    left = replace(leaf.left.text, lookup)
    if not leaf.sign:
        if left.strip() not in ("true", "false"):
            raise ValueError(f"A condition needs true or false, not {shown(left, 40)!r}.")
        return left.strip() == "true"
    right = replace(leaf.right.text, lookup)
    as_text = leaf.sign in ("==", "!=") and (leaf.left.quoted or leaf.right.quoted)
    numbers = None if as_text else _numbers(left, right)
    return _COMPARISONS[leaf.sign](*(numbers or (left, right)))


def _numbers(left: str, right: str) -> tuple[Decimal, Decimal] | None:
    if not (_NUMBER.fullmatch(left.strip()) and _NUMBER.fullmatch(right.strip())):
        return None
    return Decimal(left.strip()), Decimal(right.strip())


def _ended(leaf: _Comparison | _Result, outcomes: Mapping[str, Outcome]) -> bool:
    assert isinstance(leaf, _Result)
    outcome = outcomes[leaf.task]
    if outcome.goes_on and leaf.results == _WENT_WELL:
        return True
    return any(outcome.has(result) for result in leaf.results)
