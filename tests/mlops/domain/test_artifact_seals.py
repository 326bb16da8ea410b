"""Seals of artifacts: whose they are, what they notice, and what a change of keys does to them."""

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from launchpad.access import open_scope
from mlops.domain import artifact_facts, artifact_seals, artifacts
from mlops.models import Artifact, ArtifactFacts
from tests.mlops import factories

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def here(red, editor):
    return open_scope(editor, "north", "red")


@pytest.fixture
def made(red, here):
    scenario = factories.catalog_version(red).executable.scenario.slug
    files = [("ü.csv", [b"a,b"]), ("b.csv", [b"1,2"])]
    return artifacts.upload(here, kind="dataset", name="petals", files=files, scenario=scenario)


def look(here, artifact):
    again = artifacts.get(here, artifact.pk)
    return artifact_seals.look(again, artifact_facts.of(here, again))


def test_who_registers_signs_and_what_may_be_edited_is_not_signed(here, made):
    seal = look(here, made)
    assert (seal.state, seal.by) == ("valid", "editor")
    assert seal.at is not None
    artifacts.describe(
        here, made.pk, description="Petals", release_note="", labels=(), seen_at=made.modified_at
    )
    assert look(here, made).is_true


@pytest.mark.parametrize(
    "change", [{"digest": "0" * 64}, {"version": 7}, {"name": "others"}, {"url": "ai://default/other"}]
)
def test_a_changed_record_is_told(here, made, change):
    Artifact.unscoped.filter(pk=made.pk).update(**change)
    assert look(here, made).state == "changed"


@pytest.mark.parametrize("change", [{"files": []}, {"sealed_by": "neighbour"}, {"sealed_at": timezone.now()}])
def test_changed_facts_are_told(here, made, change):
    ArtifactFacts.unscoped.filter(pk=made.pk).update(**change)
    assert look(here, made).state == "changed"


def test_an_older_key_verifies_and_a_key_that_is_gone_is_said(here, made, settings):
    first, second = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_KEYS = [second, first]
    assert look(here, made).state == "older"
    Artifact.unscoped.filter(pk=made.pk).update(size_bytes=1)
    assert look(here, made).state == "changed"
    settings.FIELD_KEYS = [second]
    assert look(here, made).state == "unknown"
    ArtifactFacts.unscoped.filter(pk=made.pk).update(seal="")
    assert look(here, made).state == "none"


def test_the_page_says_by_whom_and_when_it_was_changed(here, made, viewer, browse):
    address = f"/w/north/g/red/datasets/{made.pk}/"
    assert "The record is what editor signed" in browse(viewer).get(address).content.decode()
    Artifact.unscoped.filter(pk=made.pk).update(digest="0" * 64)
    assert "is not what was signed" in browse(viewer).get(address).content.decode()
