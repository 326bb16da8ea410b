"""sync_catalog: findings one a line, exit code by errors, and checking needs no database."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from mlops.models import ExecutableVersion
from tests.mlops import factories

ROOT = Path(__file__).parents[4]
BROKEN = factories.template().replace("entrypoint: train", "entrypoint: absent")


@pytest.fixture
def folder(tmp_path):
    """A folder with one good template."""
    (tmp_path / "train.yaml").write_text(factories.template())
    return tmp_path


def run(*arguments) -> tuple[str, bool]:
    """Output of `sync_catalog` and whether it ended well."""
    out = StringIO()
    try:
        call_command("sync_catalog", *arguments, stdout=out)
    except CommandError:
        return out.getvalue(), False
    return out.getvalue(), True


@pytest.mark.django_db
def test_it_syncs_and_says_so(workspace, folder):
    out, well = run(folder, "--workspace", "north")
    assert well
    assert f"{factories.EXECUTABLE} 1.0.0: new version 1" in out
    assert "New versions: 1. Unchanged: 0. Errors: 0." in out
    assert ExecutableVersion.unscoped.count() == 1


@pytest.mark.django_db
def test_it_fails_on_errors_names_the_line_and_takes_the_good(workspace, folder):
    (folder / "broken.yaml").write_text(BROKEN)
    out, well = run(folder, "--workspace", "north")
    assert not well
    assert "broken.yaml:17: spec.entrypoint: " in out
    assert ExecutableVersion.unscoped.count() == 1


@pytest.mark.django_db
def test_a_missing_folder_or_workspace_is_named(workspace, folder):
    with pytest.raises(CommandError, match="not a folder"):
        call_command("sync_catalog", folder / "absent")
    with pytest.raises(CommandError, match="no workspace elsewhere"):
        call_command("sync_catalog", folder, "--workspace", "elsewhere")


@pytest.mark.parametrize(("text", "code"), [(factories.template(), 0), (BROKEN, 1)])
def test_checking_needs_no_database(tmp_path, text, code):
    (tmp_path / "train.yaml").write_text(text)
    nowhere = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "for tests only",
        "FIELD_KEYS": "A" * 43 + "=",
        "ALLOWED_HOSTS": "localhost",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/absent",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "LAUNCHPAD_DATA": str(tmp_path / "data"),
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "sync_catalog", str(tmp_path), "--check"],
        cwd=ROOT,
        env=nowhere,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert ("train.yaml:17: spec.entrypoint: " in done.stdout) is bool(code)
    assert "Traceback" not in done.stderr
