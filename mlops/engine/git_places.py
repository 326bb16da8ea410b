"""What may be asked of git: addresses, revisions and folders that can mean nothing but what they say."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

URL_LIMIT = 1024
REVISION_LIMIT = 256
PATH_LIMIT = 1024
_SCP = re.compile(
    r"(?P<user>[A-Za-z0-9_][\w.-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^:]+)", re.ASCII
)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_][\w.-]*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{4,40}")
_FORMS = "an address such as https://host/team/templates.git or ssh://git@host/team/templates.git"


def check_url(url: str, *, allow_http: bool = False, allow_file: bool = False) -> str:
    """The address of a repository as it is kept: without surrounding blanks and closing slashes.

    https and ssh (also `user@host:path`) always; http to this machine or with allow_http; file with
    allow_file. Raises ValueError with a sentence for people, which never repeats the address.
    """
    url = url.strip().rstrip("/")
    if len(url) > URL_LIMIT:
        raise ValueError(f"The address may be at most {URL_LIMIT} characters long.")
    if not re.fullmatch(r"[!-~]+", url) or "%00" in url or "\\" in url or url.startswith("-"):
        raise ValueError(f"Give {_FORMS}.")
    if "://" not in url and _SCP.fullmatch(url):
        return url
    scheme = url.partition("://")[0]
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"Give {_FORMS}.") from error
    if "://" not in url or scheme not in ("https", "http", "ssh", "file"):
        raise ValueError(f"Only https and ssh are spoken here. Give {_FORMS}.")
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise ValueError("Leave out what follows “?” or “#” in the address.")
    if scheme == "file":
        if not allow_file or parts.netloc or not parts.path.startswith("/"):
            raise ValueError(
                "Repositories in folders of the server are not allowed here; give an https address."
            )
        return url
    if parts.password is not None or (parts.username is not None and scheme != "ssh"):
        raise ValueError("Leave user name and password out of the address; give them beside it.")
    if parts.username is not None and not _USER.fullmatch(parts.username):
        raise ValueError("The user name in the address may hold letters, digits, dots and hyphens.")
    if not (_HOST.fullmatch(host) or _is_address(host)) or not parts.path.strip("/"):
        raise ValueError(f"Give {_FORMS}.")
    if scheme == "http" and not allow_http and not _is_loopback(host):
        raise ValueError("Plain http would show the password to everyone on the way; give an https address.")
    return url


def scheme(url: str) -> str:
    """https, http, ssh or file, of an address that was checked."""
    return url.partition("://")[0] if "://" in url else "ssh"


def user(url: str) -> str:
    """The user that an ssh address names; empty when it names none."""
    if found := _SCP.fullmatch(url):
        return found["user"]
    return urlsplit(url).username or ""


def is_user(name: str) -> bool:
    """Whether a name can be a user's on an ssh server."""
    return bool(_USER.fullmatch(name))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def check_revision(revision: str) -> str:
    """HEAD, or the name of a branch, tag or commit, as it is kept. Raises ValueError for anything else."""
    revision = revision.strip()
    parts = revision.split("/")
    wrong = (
        not revision
        or len(revision) > REVISION_LIMIT
        or revision[0] in "-/@"
        or revision[-1] in "/."
        or ".." in revision
        or "@{" in revision
        or any(not part or part[0] == "." or part.endswith(".lock") for part in parts)
        or any(character in " ~^:?*[\\" or not character.isprintable() for character in revision)
    )
    if wrong:
        raise ValueError("Give a branch, a tag, a commit or HEAD as the revision.")
    return revision


def is_commit(revision: str) -> bool:
    """Whether a revision can be the whole or the beginning of a commit's id."""
    return bool(_COMMIT.fullmatch(revision.lower()))


def check_path(path: str) -> str:
    """A folder of a repository as it is kept: without `.` and closing slashes, empty for the whole.

    Raises ValueError for a path that is absolute, leads out or cannot be one.
    """
    if len(path) > PATH_LIMIT or not path.isprintable() or "\\" in path:
        raise ValueError(
            f"Give a folder of the repository in at most {PATH_LIMIT} plain characters as the path."
        )
    if path.startswith("/"):
        raise ValueError(
            "Give the path from the top of the repository, without a slash in front; “.” is the top."
        )
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError("The path may not lead out of the repository: leave out “..”.")
    return "/".join(parts)
