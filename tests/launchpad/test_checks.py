"""A route without a policy does not start."""

import pytest
from django.core.management import call_command
from django.http import HttpResponse
from django.test import override_settings
from ninja import NinjaAPI

from launchpad import checks, http


def bare(request):
    """A view without a policy."""
    return HttpResponse()


def stamped(kind, methods):
    """A view with such a stamp."""

    def view(request):
        return HttpResponse()

    view.access_policy = http.Policy(kind, methods)
    return view


@pytest.mark.parametrize(
    ("name", "view", "found"),
    [
        ("page", http.member(bare), []),
        ("page", bare, ["launchpad.E001"]),
        ("", http.member(bare), ["launchpad.E002"]),
        ("mlops:", http.member(bare), ["launchpad.E002"]),
        ("page", stamped("viewer", ("GET", "POST")), ["launchpad.E003"]),
        ("page", stamped("action", ("POST",)), []),
    ],
)
def test_each_route_is_checked(name, view, found):
    assert [message.id for message in checks.check_route("page", name, view)] == found


def test_an_unstamped_operation_is_named_with_its_method():
    api = NinjaAPI(urls_namespace="checks", docs_url=None, openapi_url=None)

    @api.patch("/metrics")
    def write(request):
        """Not stamped."""

    route = next(one for one in api.urls[0] if str(one.pattern) == "metrics")
    (message,) = checks.check_route("metrics", "metrics", route.callback)
    assert message.msg == "PATCH /metrics has no access policy."


def test_the_project_has_nothing_to_complain_of():
    call_command("check", fail_level="WARNING")


def test_every_route_is_walked_and_only_the_admin_site_is_left_out():
    names = {name for _route, name, _pattern in checks.routes()}
    assert {"accounts.sign_in", "workspaces.index", "health", "styleguide"} <= names
    assert not any(name.startswith("admin:") for name in names)


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"EMBEDDED": True, "CELERY_BROKER_URL": "filesystem://", "PUBLIC_URL": "http://here"}, 0),
        ({"EMBEDDED": False, "CELERY_BROKER_URL": "filesystem://", "PUBLIC_URL": "https://here"}, 1),
        ({"EMBEDDED": False, "CELERY_BROKER_URL": "redis://there", "PUBLIC_URL": "http://here"}, 1),
    ],
)
def test_production_is_told_what_it_must_not_be(settings, count):
    with override_settings(**settings):
        found = [one for one in checks.check_deployment(None) if "SQLite" not in one.msg]
    assert len(found) == count
