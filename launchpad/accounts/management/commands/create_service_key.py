"""`manage.py create_service_key`: a service key from the command line, its JSON alone on standard output."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from launchpad.access import Role, system_scope
from launchpad.accounts import service_keys
from launchpad.errors import LaunchpadError
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace


class Command(BaseCommand):
    """For set-ups without a browser; whoever may run it has the database anyway."""

    help = "Creates a service key and prints its JSON, which holds the secret and is shown this once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The name and the place."""
        parser.add_argument("name", help="lower-case letters, digits and hyphens")
        parser.add_argument("--workspace", default="local", help="default: local")
        place = parser.add_mutually_exclusive_group(required=True)
        place.add_argument("--resource-group", help="the resource group the key works in")
        place.add_argument("--admin", action="store_true", help="an administrator's key of the workspace")
        parser.add_argument(
            "--role",
            choices=[Role.EDITOR.value, Role.VIEWER.value],
            default=Role.EDITOR.value,
            help="in the resource group; default: mloperations_editor",
        )

    def handle(self, *_args: object, **options: Any) -> None:
        """Make the key. Raises CommandError."""
        workspace = Workspace.unscoped.filter(slug=options["workspace"]).first()
        if workspace is None:
            raise CommandError(f"There is no workspace {options['workspace']}.")
        place: Workspace | ResourceGroup | None = workspace
        if not options["admin"]:
            groups = ResourceGroup.unscoped.filter(workspace=workspace, slug=options["resource_group"])
            place = groups.first()
        if place is None:
            raise CommandError(
                f"There is no resource group {options['resource_group']} in workspace {workspace.slug}."
            )
        scope = system_scope(place, actor="manage.py create_service_key")
        try:
            issued = service_keys.create(scope, name=options["name"], role=Role(options["role"]))
        except LaunchpadError as error:
            raise CommandError(error.message) from error
        self.stdout.write(json.dumps(issued.document(settings.PUBLIC_URL), indent=2))
