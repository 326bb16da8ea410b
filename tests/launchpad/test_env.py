"""Reading the environment, and refusing to start on what cannot be used."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from launchpad import env

ROOT = Path(__file__).resolve().parents[2]


def test_values_are_read_and_blanks_count_as_absent(monkeypatch, tmp_path):
    for name, value in {"A": "  x ", "B": "", "C": "Yes", "D": "7", "E": "0.5", "F": "a, ,b"}.items():
        monkeypatch.setenv(name, value)
    assert (env.text("A"), env.text("B", "default")) == ("x", "default")
    assert (env.flag("C"), env.flag("B", True), env.flag("B")) == (True, True, False)
    assert (env.integer("D", 1), env.integer("B", 1)) == (7, 1)
    assert (env.seconds("E", 1), env.words("F")) == (0.5, ["a", "b"])
    assert env.folder("B", tmp_path) == tmp_path.resolve()
    assert env.keys("B", tmp_path / "absent") == env.keys("B") == []
    (tmp_path / "keys").write_text("A" * 43 + "=\n")
    assert env.keys("B", tmp_path / "keys") == ["A" * 43 + "="]


@pytest.mark.parametrize(
    ("read", "value", "names"),
    [
        (lambda: env.flag("X"), "perhaps", "X is 'perhaps'"),
        (lambda: env.integer("X", 1), "many", "X is 'many'"),
        (lambda: env.integer("X", 1, minimum=2), "1", "X is 1"),
        (lambda: env.seconds("X", 1), "-1", "X is -1"),
        (lambda: env.seconds("X", 1), "soon", "X is 'soon'"),
        (lambda: env.seconds("X", 1), "nan", "X is nan"),
        (lambda: env.keys("X"), "A" * 43 + "=,short", "Key 2 of X is no 32 bytes"),
        (lambda: env.keys("X"), "A" * 40 + "é===", "Key 1 of X is no 32 bytes"),
    ],
)
def test_what_cannot_be_used_is_named(read, value, names, monkeypatch):
    monkeypatch.setenv("X", value)
    with pytest.raises(env.BadEnvironment, match=names):
        read()


GOOD = {
    "SECRET_KEY": "x" * 60,
    "FIELD_KEYS": "A" * 43 + "=",
    "ALLOWED_HOSTS": "launchpad.example",
    "DATABASE_URL": "postgres://127.0.0.1/launchpad",
    "REDIS_URL": "redis://127.0.0.1/0",
    "PUBLIC_URL": "https://launchpad.example",
}


def start(folder, **variables):
    """Load the settings in a process of their own and print a few."""
    code = (
        "from launchpad import settings as s; "
        "print(s.DEBUG, s.EMBEDDED, s.SESSION_COOKIE_SECURE, s.DATABASES['default']['ENGINE'].split('.')[-1])"
    )
    clean = {"PATH": os.environ["PATH"], "LAUNCHPAD_DATA": str(folder), **variables}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=clean, capture_output=True, text=True)


def test_production_starts_with_all_it_needs_and_is_closed(tmp_path):
    assert start(tmp_path, **GOOD).stdout.split() == ["False", "False", "True", "postgresql"]


@pytest.mark.parametrize(
    "missing", ["SECRET_KEY", "FIELD_KEYS", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"]
)
def test_production_refuses_to_start_without(missing, tmp_path):
    result = start(tmp_path, **{name: value for name, value in GOOD.items() if name != missing})
    assert result.returncode == 1
    assert f"Set {missing} to" in result.stderr


def test_a_folder_set_up_for_embedded_mode_stays_so(tmp_path):
    (tmp_path / "secret_key").write_text("k" * 50)
    (tmp_path / "field_key").write_text("A" * 43 + "=")
    assert start(tmp_path).stdout.split() == ["False", "True", "False", "sqlite3"]
