"""Migrations are in step with the models, and there is one an app until the first release."""

from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
# What makemigrations cannot say.
SEARCH = ["0001_initial", "0002_search"]


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_one_initial_migration_an_app():
    folders = [*ROOT.glob("launchpad/*/migrations"), ROOT / "mlops/migrations"]
    many = {
        str(folder.relative_to(ROOT)): names
        for folder in folders
        if (names := sorted(path.stem for path in folder.glob("0*.py"))) not in ([], ["0001_initial"], SEARCH)
    }
    assert many == {}
