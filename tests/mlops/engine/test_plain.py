"""Rewriting of declared paths where there is no sandbox."""

import pytest

from mlops.engine.plain import rewrite

REAL = {"/app/data": "/r/d", "/app/data/more": "/r/m", "/app": "/r/a"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/app/data", "/r/d"),
        ("/app/data/x.csv", "/r/d/x.csv"),
        ("/app/data/more/x", "/r/m/x"),
        ("--in=/app/data --out=/app/model", "--in=/r/d --out=/r/a/model"),
        ("open('/app/data')", "open('/r/d')"),
        ("file:///app/data", "file:///r/d"),
        ("/app/data:/app/data/more", "/r/d:/r/m"),
        ("It lies in /app/data.", "It lies in /r/d."),
        ("/app/database", "/r/a/database"),
        ("/app/data.csv", "/r/a/data.csv"),
        ("/application", "/application"),
        ("/my/app/data", "/my/app/data"),
        ("${BASE}/app/data", "${BASE}/app/data"),
        ("./app/data ~/app/data", "./app/data ~/app/data"),
        ("nothing", "nothing"),
    ],
)
def test_whole_components_longest_first(text, expected):
    assert rewrite(text, REAL) == expected


def test_without_declared_paths_nothing_changes():
    assert rewrite("/app/data", {}) == "/app/data"
