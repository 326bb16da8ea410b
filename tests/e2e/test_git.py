"""Git in the embedded stack: a push becomes a version, and no server that hangs holds anything up."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.test_embedded import ROOT, Up, alive
from tests.git_server import PASSWORD, USERNAME, GitServer, Project
from tests.mlops import factories
from tests.waiting import until

pytestmark = pytest.mark.embedded
ADD = """
from launchpad.access import system_scope
from launchpad.workspaces.models import Workspace
from mlops.domain import applications, repositories
scope = system_scope(Workspace.unscoped.get(slug="local"))
repositories.create(scope, name={name!r}, url={url!r}, username={username!r}, password={password!r})
applications.create(scope, name={name!r}, repository={name!r}, revision="HEAD", path=".")
"""
REFRESH = """
from launchpad.access import system_scope
from launchpad.workspaces.models import Workspace
from mlops.domain import applications
applications.refresh(system_scope(Workspace.unscoped.get(slug="local")), {name!r})
"""
TELL = """
from mlops.models import ExecutableVersion
rows = ExecutableVersion.unscoped.filter(source__name={name!r})
print(sorted(rows.values_list("number", "commit")))
"""


def shell(up: Up, text: str, **values: str) -> str:
    """What a few lines print in the stack's own place."""
    env = {"PATH": os.environ["PATH"], "LAUNCHPAD_DATA": str(up.data)}
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", text.format(**values)]
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def with_git(up: Up) -> list[psutil.Process]:
    """Its processes when git is among them, else none."""
    family = up.family()
    with contextlib.suppress(psutil.NoSuchProcess):
        if any("git" in one.name() for one in family):
            return family
    return []


def test_a_push_becomes_a_version_while_another_server_hangs(tmp_path: Path) -> None:
    project = Project(tmp_path / "served")
    first = project.push({"petals.yaml": factories.template()})
    server, slow = GitServer(project.bare.parent), GitServer(project.bare.parent)
    slow.hang = True
    up = Up(tmp_path / "data").ready()
    try:
        shell(up, ADD, name="slow", url=slow.url(project), username="", password="")
        until(lambda: slow.requests)
        shell(up, ADD, name="petals", url=server.url(project), username=USERNAME, password=PASSWORD)
        until(lambda: shell(up, TELL, name="petals") == str([(1, first)]))
        second = project.push({"train.py": "print('better')\n"})
        shell(up, REFRESH, name="petals")
        until(lambda: shell(up, TELL, name="petals") == str([(1, first), (2, second)]))
        # Its git is given up in time, and begun again.
        family = until(lambda: with_git(up))
        # As a power cut would: whoever waits for the slow server must not wait on.
        up.process.kill()
        up.process.wait(120)
        until(lambda: not alive(family))
        assert PASSWORD not in up.log.read_text()
        kept = [path for path in up.data.rglob("*") if path.is_file()]
        assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]
    finally:
        if up.process.poll() is None:
            up.end()
        slow.close()
        server.close()


def test_a_stack_that_ends_waits_for_no_git_server(tmp_path: Path) -> None:
    project = Project(tmp_path / "served")
    slow = GitServer(project.bare.parent)
    slow.hang = True
    up = Up(tmp_path / "data").ready()
    try:
        shell(up, ADD, name="slow", url=slow.url(project), username="", password="")
        until(lambda: slow.requests)
        family = up.family()
        assert up.end() == 0
        assert alive(family) == []
    finally:
        slow.close()
