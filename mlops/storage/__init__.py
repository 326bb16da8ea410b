"""Storage: the only package that joins paths of object stores."""

from mlops.storage.addresses import URL_LIMIT, Location, check_path, parse_url, url
from mlops.storage.openings import DEFAULT, open_source_trees, open_store
from mlops.storage.removal import remove_folders
from mlops.storage.s3 import endpoint as check_endpoint
from mlops.storage.stores import Content, Inspection, Store, StoredFile, StoredRanges

__all__ = [
    "DEFAULT",
    "URL_LIMIT",
    "Content",
    "Inspection",
    "Location",
    "Store",
    "StoredFile",
    "StoredRanges",
    "check_endpoint",
    "check_path",
    "open_source_trees",
    "open_store",
    "parse_url",
    "remove_folders",
    "url",
]
