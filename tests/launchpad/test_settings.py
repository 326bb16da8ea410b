"""Settings fail closed, and let in by its internal name what runs call."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "SECRET_KEY": "k" * 30 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "FIELD_KEYS": "A" * 43 + "=",
    "ALLOWED_HOSTS": "launchpad.example",
    "PUBLIC_URL": "https://launchpad.example",
    "INTERNAL_URL": "http://web:8000",
    "DATABASE_URL": "postgres://postgres@127.0.0.1:5432/nothing",
    "REDIS_URL": "redis://127.0.0.1:6379/15",
}
ASK = """
import django; django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
for path in ("/runs/x/api/v1/metrics", "/oauth/token", "/v2/nothing", "/sign-in"):
    print(client.get(path, headers={"host": "web:8000"}).status_code)
"""


def load(tmp_path, code="import launchpad.settings", **changes):
    """Import the settings in a process of their own; what it printed."""
    wanted = {key: value for key, value in (PRODUCTION | changes).items() if value}
    known = {"PATH": os.environ["PATH"], "LAUNCHPAD_DATA": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=known | {"DJANGO_SETTINGS_MODULE": "launchpad.settings"} | wanted,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS", "ALLOWED_HOSTS", "DATABASE_URL", "REDIS_URL"])
def test_production_refuses_to_start_without(tmp_path, name):
    refused = load(tmp_path, **{name: ""})
    assert refused.returncode == 1
    assert f"Set {name}" in refused.stderr


def test_a_wrong_word_is_named(tmp_path):
    assert "SANDBOX is 'perhaps'; use auto, sandbox, plain." in load(tmp_path, SANDBOX="perhaps").stderr


def test_runs_reach_the_server_by_its_internal_name_without_tls(tmp_path):
    answered = load(tmp_path, ASK)
    assert answered.stdout.split() == ["401", "405", "404", "301"], answered.stderr
