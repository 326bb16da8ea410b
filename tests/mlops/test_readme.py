"""What the README shows of the API works as printed."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mlops import factories
from tests.mlops.serving import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(web, transactional_db):
    """A server with a scenario in the workspace `local` and its resource group `tutorial`."""
    factories.catalog_version(factories.place(group="tutorial"))
    return web


def test_the_calls_work_as_printed(server, tmp_path):
    section = re.search(r"## Use the API\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    script = re.search(r"```sh\n(.*?)```", section, re.DOTALL)[1]
    assert len(script.splitlines()) == 5
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / ".venv").symlink_to(sys.prefix)
    (checkout / "manage.py").symlink_to(ROOT / "manage.py")
    done = subprocess.run(
        ["sh", "-euc", script], cwd=checkout, env=server.env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert [one["id"] for one in json.loads(done.stdout)["resources"]] == [factories.SCENARIO]
    assert Path(checkout, "key.json").stat().st_mode & 0o077 == 0
