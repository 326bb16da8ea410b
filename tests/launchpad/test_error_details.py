"""What an error offers: trying again where that helps, and its details to copy with the reference."""

import re

import pytest

from launchpad.access import Role
from launchpad.grants import grant

pytestmark = pytest.mark.django_db
REFERENCE = {"x-request-id": "0123456789abcdef"}


@pytest.fixture
def browser(red, staff, browse):
    grant(Role.OPERATIONS_MANAGER, staff, red.workspace)
    return browse(staff)


def test_a_toast_holds_its_details_to_copy(browser, red):
    answer = browser.post(
        "/w/north/object-stores/red/none/check",
        headers={"HX-Request": "true", "HX-Target": "store-table", **REFERENCE},
    )
    copied = re.search(r'data-copy="([^"]+)" aria-label="Copy details"', answer.content.decode()).group(1)
    assert answer.status_code == 404
    assert copied.startswith("Nothing here") and copied.endswith("Reference 0123456789abcdef")


def test_a_page_holds_its_details_to_copy(browser, red):
    answer = browser.post("/w/north/resource-groups/default/delete", headers=REFERENCE)
    shown = answer.content.decode()
    assert answer.status_code == 404
    assert 'data-copy="Nothing here: ' in shown and "Reference 0123456789abcdef" in shown
    assert "Try again" not in shown
