"""Frozen dataclasses to JSON types and back, strictly."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def encode(value: Any) -> Any:
    """A dataclass becomes an object, a tuple a list; other values must be JSON types already."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], data: Any) -> T:
    """The value of dataclass `kind` that `encode` wrote; raises ValueError naming what does not fit."""
    return typing.cast("T", _value(kind, data, kind.__name__))


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _value(hint: Any, data: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if data is None and type(None) in arguments:
            return None
        (hint,) = (each for each in arguments if each is not type(None))
        return _value(hint, data, where)
    if origin is typing.Literal:
        return _fits(data in arguments and isinstance(data, str), data, where)
    if origin is tuple:
        return _items(arguments, data, where)
    if dataclasses.is_dataclass(hint):
        return _object(typing.cast("type", hint), data, where)
    if hint is float:
        # A database may give a whole number back without its point.
        return float(_fits(type(data) in (int, float), data, where))
    return _fits(type(data) is hint, data, where)


def _items(arguments: tuple[Any, ...], data: Any, where: str) -> tuple[Any, ...]:
    _fits(isinstance(data, list), data, where)
    if arguments[-1] is Ellipsis:
        return tuple(_value(arguments[0], item, where) for item in data)
    _fits(len(data) == len(arguments), data, where)
    return tuple(_value(hint, item, where) for hint, item in zip(arguments, data, strict=True))


def _object(kind: type, data: Any, where: str) -> Any:
    hints = _hints(kind)
    _fits(isinstance(data, dict) and data.keys() <= hints.keys(), data, where)
    values = {key: _value(hints[key], value, f"{where}.{key}") for key, value in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error


def _fits(right: bool, data: Any, where: str) -> Any:
    if not right:
        raise ValueError(f"{where}: {type(data).__name__} does not fit here")
    return data
