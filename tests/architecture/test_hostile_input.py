"""Whatever stands in an address or a form, no page fails: it is ignored, said, or refused."""

import random
import re
from pathlib import Path

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client

from tests.architecture.walk import PAGES, address
from tests.samples import build

ROOT = Path(__file__).parents[2]
# What pages read of an address, and names of their fields; found here, so that new ones are tried too.
READ = re.compile(r"""(?:query|GET|POST|data|form)\.(?:get|getlist)\(\s*"([a-z_]+)\"""")
FIELD = re.compile(r"""\bname="([a-z_]+)\"""")
HOSTILE = (
    "\0",
    "'\"><script>alert(1)</script>",
    "-1",
    "9" * 40,
    "1e999",
    "NaN",
    "../../etc/passwd",
    "\ud7ff\U0001f4a9" * 60,
    "%",
    "a=b=c!=d>e<f",
    "{}[]",
    "x" * 10_000,
    "2026-13-45T99:99",
    "0001-01-01",
    "9999-12-31",
    "1.1.1.1",
    " ",
    "",
)
# What stands there usually, so that one bad value meets good ones.
USUAL = (
    *(
        "1",
        "all",
        "DEAD",
        "name",
        "accuracy > 0.5",
        "a=b",
        "step",
        "time",
        "curves",
        "2026-01-01",
        "-created",
    ),
    *("1.0.1", "executions", "models", "0.5"),
)


def names(pattern, *globs):
    """What the pattern finds in the files."""
    return sorted(
        {name for glob in globs for path in ROOT.glob(glob) for name in pattern.findall(path.read_text())}
    )


QUERIES = names(READ, "mlops/views/*.py", "launchpad/**/*.py")
FIELDS = sorted({*names(FIELD, "templates/**/*.html"), *QUERIES})


@pytest.fixture
def address_of(red, blue, green):
    """`address_of(name, route)`: an address in red."""
    samples = build(red, blue, green)
    return lambda name, route: address(name, route, samples)


def failures(browser, method, url, pairs):
    """The request's status when the server failed, None else; what it did is undone."""
    query = QueryDict(mutable=True)
    for name, value in pairs:
        query.appendlist(name, value)
    with transaction.atomic():
        response = browser.get(url, query_params=query) if method == "GET" else browser.post(url, query)
        if response.streaming:
            b"".join(response)
        transaction.set_rollback(True)
    return response.status_code if response.status_code >= 500 else None


@pytest.mark.slow
@pytest.mark.database
@pytest.mark.django_db
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_page_fails_whatever_is_asked(address_of, superuser, method):
    """A few values, some, or all that any page knows; the same in every run."""
    browser = Client(raise_request_exception=False, headers={"accept": "text/html"})
    browser.force_login(superuser)
    dice = random.Random(20)
    known = QUERIES if method == "GET" else FIELDS
    wrong = []
    for route, name, methods, _ in PAGES:
        if method not in methods:
            continue
        url = address_of(name, route)
        for count in (1, 1, 1, 2, 2, 2, 3, 3, 3, 5, 5, 12, 12, 30, len(known), len(known)):
            chosen = dice.sample(known, min(count, len(known)))
            pairs = [(one, dice.choice(HOSTILE + USUAL)) for one in chosen]
            if status := failures(browser, method, url, pairs):
                told = ", ".join(f"{one}={value[:20]!r}" for one, value in pairs)
                wrong.append(f"{method} {url} with {told}: {status}")
    assert wrong == []
