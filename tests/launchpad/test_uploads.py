"""Uploaded files reach the disk for people who have signed in only."""

import os

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from launchpad.uploads import SignedInOnly


def files_of(user, folder, settings):
    """What the form of this person holds, and how many files wait on disk meanwhile."""
    settings.FILE_UPLOAD_TEMP_DIR = folder
    body = {"name": "kept", "files": SimpleUploadedFile("data.csv", b"a,b\n")}
    request = RequestFactory().post("/sign-in", body)
    request.user = user
    assert request.POST["name"] == "kept"
    found = [file.read() for file in request.FILES.getlist("files")], len(os.listdir(folder))
    request.close()
    return found


@pytest.mark.django_db
def test_a_known_persons_files_wait_on_disk(editor, tmp_path, settings):
    (handler,) = settings.FILE_UPLOAD_HANDLERS
    assert handler.endswith(f"uploads.{SignedInOnly.__name__}")
    assert files_of(editor, tmp_path, settings) == ([b"a,b\n"], 1)


def test_an_unknown_persons_files_never_do(tmp_path, settings):
    assert files_of(AnonymousUser(), tmp_path, settings) == ([], 0)
