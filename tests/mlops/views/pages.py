"""What tests of pages ask of an answer: its text, its queries."""

from django.db import connection
from django.test.utils import CaptureQueriesContext


def body(response, status=200):
    """The text of an answer with this status."""
    assert response.status_code == status, (response.status_code, response.content[:2000])
    return response.content.decode()


def queries(browser, url):
    """How many queries the page of an address needs."""
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)
