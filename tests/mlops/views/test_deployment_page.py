"""The page of one deployment: its tabs, what it warns of, what it costs."""

import pytest

from tests.mlops import deploying
from tests.mlops.views.pages import body, queries

pytestmark = [pytest.mark.django_db, pytest.mark.database]
LIST = "/w/north/g/red/deployments/"


@pytest.fixture
def deployment(red):
    """A deployment that waits for a worker."""
    return deploying.deployment(red)


@pytest.fixture
def browser(viewer, browse):
    """A viewer's."""
    return browse(viewer)


@pytest.mark.parametrize("tab", ["overview", "logs", "revisions", "servers", "lineage", "events"])
def test_every_tab_shows_itself_at_a_bounded_cost(deployment, browser, tab):
    address = f"{LIST}{deployment.pk}/?tab={tab}"
    shown = body(browser.get(address))
    assert f'?tab={tab}" aria-current="page"' in shown
    assert "petals-serve" in shown
    assert queries(browser, address) <= 15
