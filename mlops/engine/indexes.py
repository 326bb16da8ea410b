"""The operator's package index settings, wherever pip and uv look for them, as uv understands them."""

import configparser
import re
from collections.abc import Mapping
from pathlib import Path

# Nothing else of the server's environment reaches the installer.
_PASSED = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|OFFLINE|NATIVE_TLS|SYSTEM_CERTS|CACHE_DIR|"
    r"INSECURE_HOST|HTTP_TIMEOUT|CONFIG_FILE|KEYRING_PROVIDER|INDEX_STRATEGY|INDEX_\w+_(USERNAME|PASSWORD))|"
    r"SSL_CERT_(FILE|DIR)|(HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|NETRC|HOME|XDG_CONFIG_HOME|XDG_CONFIG_DIRS"
)
_PIP = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_EXTRA_INDEX_URL", "cert": "SSL_CERT_FILE"}


def installer_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Environment for uv on a host whose own is environ.

    What uv itself is told wins over pip's variables, and these over pip's files; so a host that is set up
    for pip needs nothing more. Unreadable files count as absent.
    """
    found: dict[str, str] = {}
    for path in _files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, PermissionError, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= _translated(dict(parser.items(section)))
    told = {name[4:].lower().replace("_", "-"): environ[name] for name in environ if name.startswith("PIP_")}
    found |= _translated(told)
    if "UV_INDEX_URL" in environ:
        found.pop("UV_DEFAULT_INDEX", None)
    return found | {name: value for name, value in environ.items() if _PASSED.fullmatch(name)}


def _files(environ: Mapping[str, str]) -> list[Path]:
    """pip's configuration files, the weakest first."""
    home = Path(environ.get("HOME") or "/")
    own = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), home / ".pip" / "pip.conf"]
    files.append(own / "pip" / "pip.conf")
    return [*files, Path(environ["PIP_CONFIG_FILE"])] if environ.get("PIP_CONFIG_FILE") else files


def _translated(options: Mapping[str, str]) -> dict[str, str]:
    found = {ours: " ".join(options[theirs].split()) for theirs, ours in _PIP.items() if options.get(theirs)}
    if options.get("find-links"):
        found["UV_FIND_LINKS"] = ",".join(options["find-links"].split())
    return found
