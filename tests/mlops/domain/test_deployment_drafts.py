"""Drafts of deployments: one draft makes one deployment."""

import pytest

from launchpad.access import Right, open_scope
from launchpad.errors import Invalid, NotFound
from mlops.domain import deployment_drafts
from mlops.models import Deployment, DeploymentDraft
from tests.mlops import deploying
from tests.mlops.racing import beside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def bound(red):
    return deploying.configuration(red)


@pytest.fixture
def scope(editor):
    return open_scope(editor, "north", "red", Right.CHANGE)


@pytest.fixture
def submit(scope, bound):
    """`submit(draft)`: make the deployment that it is a draft of."""

    def made(draft, ttl=""):
        return deployment_drafts.submit(scope, draft.pk, configuration=bound.pk, ttl=ttl)

    return made


def test_what_is_sent_twice_makes_one_deployment(scope, submit):
    draft = deployment_drafts.save(scope, None, {"lasting": "unlimited"})
    (refused,) = beside(lambda: submit(draft), lambda: submit(draft))
    assert isinstance(refused, NotFound)
    assert Deployment.unscoped.count() == 1 and not DeploymentDraft.unscoped.exists()


def test_a_draft_that_makes_none_stays(scope, submit):
    draft = deployment_drafts.save(scope, None, {"lasting": "limited"})
    with pytest.raises(Invalid):
        submit(draft, ttl="5 parsecs")
    assert deployment_drafts.get(scope, draft.pk) and not Deployment.unscoped.exists()
