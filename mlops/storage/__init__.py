"""Storage: the only package that joins paths of object stores."""

from mlops.storage.addresses import Location, check_path, parse_url, url
from mlops.storage.removal import remove_folders
from mlops.storage.stores import (
    DEFAULT,
    Content,
    Inspection,
    Store,
    StoredFile,
    open_source_trees,
    open_store,
)

__all__ = [
    "DEFAULT",
    "Content",
    "Inspection",
    "Location",
    "Store",
    "StoredFile",
    "check_path",
    "open_source_trees",
    "open_store",
    "parse_url",
    "remove_folders",
    "url",
]
