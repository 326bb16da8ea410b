"""Removes what a resource group that is given up has on this host, a little at a time."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from launchpad.resource_groups.models import ResourceGroup


def remove_folders(group: ResourceGroup, *, until: float) -> bool:
    """Remove the group's local stores; True when nothing is left, False when the time is over.

    until: monotonic seconds. Stores elsewhere, such as S3 buckets, are left alone. Safe in any number of
    processes. Raises OSError for what cannot be removed.
    """
    return _remove(Path(settings.LAUNCHPAD_DATA, "stores", group.workspace_id, group.slug), until)


def _remove(folder: Path | str, until: float) -> bool:
    try:
        entries = os.scandir(folder)
    except FileNotFoundError:
        return True
    with entries:
        for entry in entries:
            if time.monotonic() >= until:
                return False
            if entry.is_dir(follow_symlinks=False):
                if not _remove(entry.path, until):
                    return False
            else:
                with suppress(FileNotFoundError):
                    os.unlink(entry.path)
    with suppress(FileNotFoundError):
        os.rmdir(folder)
    return True
