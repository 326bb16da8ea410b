#!/usr/bin/env python
"""Launchpad's command line; `up` supervises the embedded stack without loading Django."""

import os
import sys


def main() -> None:
    """Run `up` on the standard library alone, anything else through Django."""
    if sys.argv[1:2] == ["up"]:
        from launchpad.up import up

        raise SystemExit(up(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "launchpad.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
