"""Drafts of deployments: one draft makes one deployment."""

import pytest
from django.contrib.auth.models import User

from launchpad import grants
from launchpad.access import Right, Role, open_scope
from launchpad.errors import Invalid, NotFound
from mlops.domain import deployment_drafts
from mlops.models import Deployment, DeploymentDraft
from tests.mlops import deploying, factories
from tests.mlops.racing import beside

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def bound(db):
    return deploying.configuration(factories.place())


@pytest.fixture
def scope(bound):
    ada = User.objects.create_user("ada")
    grants.grant(Role.EDITOR, ada, bound.resource_group)
    return open_scope(ada, "local", "red", Right.CHANGE)


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
