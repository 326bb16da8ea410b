"""Argument types take what lies within their limits and name everything else."""

import argparse

import pytest


@pytest.mark.parametrize(("text", "value"), [("1", 1), ("1000", 1000), (" 7 ", 7)])
def test_whole(load, text, value):
    assert load("arguments").whole(1, 1000)(text) == value


@pytest.mark.parametrize("text", ["0", "1001", "abc", "1.5", "", "1e2"])
def test_whole_refuses(load, text):
    with pytest.raises(argparse.ArgumentTypeError, match="whole number from 1 to 1000"):
        load("arguments").whole(1, 1000)(text)


@pytest.mark.parametrize(("text", "value"), [("0.5", 0.5), ("10", 10.0), ("1e-3", 0.001)])
def test_number(load, text, value):
    assert load("arguments").number(0, 10, above=True)(text) == value


@pytest.mark.parametrize("text", ["0", "-1", "10.1", "nan", "inf", "abc", ""])
def test_number_refuses(load, text):
    with pytest.raises(argparse.ArgumentTypeError, match="above 0, at most 10"):
        load("arguments").number(0, 10, above=True)(text)


def test_number_includes_its_lower_limit_unless_told(load):
    assert load("arguments").number(0.5, 1)("0.5") == 0.5
