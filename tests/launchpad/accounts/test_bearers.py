"""Who a bearer token stands for, what that costs, and how soon a revoked key is refused."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import AccessToken

from launchpad.access import system_scope
from launchpad.accounts import bearers, service_keys
from launchpad.accounts.models import ServiceKey

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def key(red):
    bearers.forget_all()
    return service_keys.create(system_scope(red), name="pipeline").key


@pytest.fixture
def token(key):
    """A token of a key that was used just now."""
    ServiceKey.unscoped.filter(pk=key.pk).update(last_used_at=timezone.now())
    return bearers.issue(key).token


def used_at(key):
    return ServiceKey.unscoped.get(pk=key.pk).last_used_at


def test_a_token_leads_to_its_account_and_workspace(key, token):
    found = bearers.client(token)
    assert (found.account, found.workspace, found.key) == (key.account, "north", key.pk)


@pytest.mark.parametrize("text", ["", "x", "\0", "\ud800", "é" * 5000])
def test_what_is_no_token_is_nobody(key, text):
    assert bearers.client(text) is None


def test_a_check_costs_one_query_and_none_when_remembered(token, django_assert_num_queries):
    with django_assert_num_queries(1):
        bearers.client(token, now=100)
    with django_assert_num_queries(0):
        bearers.client(token, now=100 + settings.TOKEN_CACHE_SECONDS - 0.01)
    with django_assert_num_queries(1):
        bearers.client(token, now=100 + settings.TOKEN_CACHE_SECONDS)


def test_an_unknown_token_is_not_remembered(key, django_assert_num_queries):
    for _ in range(2):
        with django_assert_num_queries(1):
            assert bearers.client("unknown") is None


def test_a_revoked_key_is_refused_within_five_seconds(key, token, red):
    assert bearers.client(token, now=100) is not None
    service_keys.revoke(system_scope(red), key.pk)
    assert settings.TOKEN_CACHE_SECONDS < 5
    # Another web process may have looked it up a moment before.
    assert bearers.client(token, now=104.4) is not None
    assert bearers.client(token, now=105) is None
    assert bearers.client(token, now=105.1) is None


def test_revoking_takes_the_tokens_and_the_account_along(key, token, red):
    service_keys.revoke(system_scope(red), key.pk)
    key.account.refresh_from_db()
    assert not key.account.is_active
    assert not AccessToken.objects.exists()


def test_an_account_that_was_switched_off_is_nobody(key, token):
    key.account.is_active = False
    key.account.save()
    assert bearers.client(token) is None


def test_a_token_is_not_remembered_beyond_its_end(token, settings):
    settings.TOKEN_CACHE_SECONDS = 3600
    AccessToken.objects.update(expires=timezone.now() + timedelta(seconds=600))
    assert bearers.client(token, now=100) is not None
    AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert bearers.client(token, now=101) is not None
    assert bearers.client(token, now=701) is None


def test_the_last_use_is_noted_once_a_minute(key, token, django_assert_num_queries):
    ServiceKey.unscoped.filter(pk=key.pk).update(last_used_at=None)
    with django_assert_num_queries(2):
        bearers.client(token, now=100)
    first = used_at(key)
    assert first is not None
    bearers.client(token, now=110)
    assert used_at(key) == first
    ServiceKey.unscoped.filter(pk=key.pk).update(last_used_at=first - timedelta(seconds=61))
    bearers.client(token, now=120)
    assert used_at(key) >= first


def test_old_tokens_are_purged_oldest_first_and_living_ones_kept(key, token):
    old = [bearers.issue(key).token for _ in range(3)]
    AccessToken.objects.exclude(token_checksum=bearers._checksum(token)).update(
        expires=timezone.now() - timedelta(seconds=1)
    )
    assert bearers.purge_expired() == 3
    assert bearers.purge_expired() == 0
    assert [bearers.client(one) for one in old] == [None] * 3
    assert bearers.client(token) is not None
