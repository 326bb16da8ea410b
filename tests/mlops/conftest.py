"""A real browser for pages of ML operations."""

import shutil

import pytest
from playwright.sync_api import sync_playwright


@pytest.fixture
def chromium():
    """Chromium without a window; the test is skipped by name where there is none."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
