"""Where uploaded files wait while a form is read."""

from typing import Any

from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler


class SignedInOnly(TemporaryFileUploadHandler):
    """Files go to disk at once; those of people who have not signed in are read past, so as to fill none."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file. Raises SkipFile for people unknown."""
        if not self.request.user.is_authenticated:
            raise SkipFile
        super().new_file(*args, **kwargs)
