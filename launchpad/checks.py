"""System checks: no route without a policy and a name, no reading policy that writes."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.urls import URLPattern, URLResolver, get_resolver

from launchpad.http import READ, policies

READING = ("viewer", "manager", "member")


def routes(
    resolver: URLResolver | None = None, prefix: str = "", namespaces: tuple[str, ...] = ()
) -> Iterator[tuple[str, str, URLPattern]]:
    """Every route as (address pattern, qualified name, pattern); the admin site's are left out.

    Only the site's own namespace is exempt: its views check for an active superuser or staff themselves.
    """
    for entry in (resolver or get_resolver()).url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = (*namespaces, entry.namespace) if entry.namespace else namespaces
            if inner != ("admin",):
                yield from routes(entry, route, inner)
        else:
            yield route, ":".join((*namespaces, entry.name or "")), entry


def check_route(route: str, name: str, callback: Any) -> list[CheckMessage]:
    """What is wrong with one route."""
    found: list[CheckMessage] = []
    if not name or name.endswith(":"):
        found.append(Error(f"/{route} has no name.", hint="Give its path() a name.", id="launchpad.E002"))
    for methods, policy in policies(callback):
        if policy is None:
            hint = "Decorate it with one of launchpad.http's policies."
            shown = f"{' '.join(methods)} /{route}".strip()
            found.append(Error(f"{shown} has no access policy.", hint=hint, id="launchpad.E001"))
        elif policy.kind in READING and not set(methods) <= set(READ):
            hint = "Use @action, @editor or @participant."
            found.append(Error(f"/{route} reads but answers {methods}.", hint=hint, id="launchpad.E003"))
    return found


@register(Tags.urls)
def check_policies(app_configs: object, **_kwargs: object) -> list[CheckMessage]:
    """E001 missing policy, E002 missing name, E003 a reading policy with an unsafe method."""
    return [
        message for route, name, pattern in routes() for message in check_route(route, name, pattern.callback)
    ]


@register(Tags.security, deploy=True)
def check_deployment(app_configs: object, **_kwargs: object) -> list[CheckMessage]:
    """E004: what embedded mode may do and production may not."""
    if settings.EMBEDDED:
        return []
    found = []
    if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
        found.append("DATABASE_URL names SQLite: several hosts cannot share it. Use PostgreSQL.")
    if settings.CELERY_BROKER_URL.startswith(("filesystem:", "memory:")):
        found.append("REDIS_URL is not a Redis server: workers on other hosts would hear nothing.")
    if not settings.PUBLIC_URL.startswith("https://"):
        found.append("PUBLIC_URL is not https: passwords and tokens would travel in the open.")
    return [Error(text, id="launchpad.E004") for text in found]
