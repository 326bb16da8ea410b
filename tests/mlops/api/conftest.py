"""Who calls the AI API: keys of red, of its neighbour and of the whole workspace."""

import pytest

from launchpad.access import Role
from launchpad.accounts import bearers
from tests.mlops.api.clients import Caller, caller


@pytest.fixture(autouse=True)
def _no_remembered_tokens():
    bearers.forget_all()


@pytest.fixture
def editing(red) -> Caller:
    """A client with an editor's key of red."""
    return caller(red)


@pytest.fixture
def viewing(red) -> Caller:
    """A client with a viewer's key of red."""
    return caller(red, Role.VIEWER)


@pytest.fixture
def neighbouring(blue) -> Caller:
    """A client with an editor's key of blue."""
    return caller(blue)


@pytest.fixture
def administering(workspace) -> Caller:
    """A client with an administrator's key of the workspace."""
    return caller(workspace)
