"""A web process that has settled leaves what it imported out of its garbage collections."""

import gc

import django

from launchpad import collection


def test_what_is_imported_is_not_looked_through_again():
    before = gc.get_threshold()
    watched = django.__dict__
    assert any(one is watched for one in gc.get_objects())
    collection.settle()
    try:
        assert not any(one is watched for one in gc.get_objects())
        assert gc.get_threshold()[0] > before[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
