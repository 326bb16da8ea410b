"""`manage.py setup`: brings the embedded stack's database, files and first accounts into being."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from importlib.metadata import version
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import BaseCommand, call_command
from django.db import transaction

from launchpad import grants
from launchpad.access import Role, system_scope
from launchpad.accounts import service_keys
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.models import Workspace
from mlops import storage
from mlops.domain import catalog
from mlops.models import Source

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TRAINING_DATA = {"data": EXAMPLES / "text-clf" / "data", "feedback": EXAMPLES / "text-clf" / "batch"}


class Command(BaseCommand):
    """Repeats are harmless: what exists is kept, what is new is added."""

    help = "Creates the embedded stack's database, static files, accounts and bundled scenarios."
    requires_system_checks: list[str] = []

    def handle(self, *_args: object, **_options: object) -> None:
        """Run every part in order and tell the accounts."""
        self._folders()
        call_command("migrate", interactive=False, verbosity=0)
        self._static()
        local = self._places()
        self._catalog(local)
        self._tell_accounts()

    def _folders(self) -> None:
        data = Path(settings.LAUNCHPAD_DATA)
        for name in ("broker/queue", "broker/control", "tmp", "stores", "work", "cache"):
            (data / name).mkdir(parents=True, exist_ok=True)
        # Steps run as another user: they pass through here to what is bound for them.
        for name in ("work", "cache"):
            (data / name).chmod(0o711)
        for left in (data / "broker" / "queue").iterdir():
            left.unlink()

    def _static(self) -> None:
        """Collect static files when they or the packages that bring them have changed."""
        found = hashlib.sha256()
        for path in sorted(Path(settings.BASE_DIR, "static").rglob("*")):
            if path.is_file():
                found.update(f"{path}{path.stat().st_mtime_ns}{path.stat().st_size}".encode())
        for package in ("django", "django-htmx", "django-ninja", "plotly", "django-guardian", "whitenoise"):
            found.update(version(package).encode())
        stamp = Path(settings.STATIC_ROOT) / ".collected"
        if stamp.exists() and stamp.read_text() == found.hexdigest():
            return
        shutil.rmtree(settings.STATIC_ROOT, ignore_errors=True)
        call_command(
            "collectstatic",
            interactive=False,
            verbosity=0,
            ignore_patterns=["widgetbundle.js", "datasets", "plotly/templates", "redoc*"],
        )
        stamp.write_text(found.hexdigest())

    @transaction.atomic
    def _places(self) -> Workspace:
        # All or nothing: a setup that was interrupted half-way would otherwise count as done.
        local, _ = Workspace.unscoped.get_or_create(
            slug="local", defaults={"description": "This machine's own workers"}
        )
        groups = {}
        for slug, description in (
            ("default", "Shared; the editor only looks"),
            ("tutorial", "Text classification walkthrough"),
        ):
            groups[slug], made = ResourceGroup.unscoped.get_or_create(
                workspace=local, slug=slug, defaults={"description": description}
            )
            if made:
                service_keys.open_to_administrators(groups[slug])
                self._training_data(groups[slug])
        if not User.objects.exists():
            self._accounts(groups)
        return local

    def _training_data(self, group: ResourceGroup) -> None:
        store = storage.open_store(group)
        for path, folder in TRAINING_DATA.items():
            if not store.exists(path):
                store.upload_tree(folder, path, within=folder)

    def _accounts(self, groups: dict[str, ResourceGroup]) -> None:
        passwords = {name: secrets.token_urlsafe(9) for name in ("admin", "editor", "viewer")}
        path = Path(settings.LAUNCHPAD_DATA) / "passwords.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(passwords, out, indent=2)
        User.objects.create_superuser("admin", password=passwords["admin"])
        editor = User.objects.create_user("editor", password=passwords["editor"])
        viewer = User.objects.create_user("viewer", password=passwords["viewer"])
        grants.grant(Role.EDITOR, editor, groups["tutorial"])
        grants.grant(Role.VIEWER, editor, groups["default"])
        grants.grant(Role.VIEWER, viewer, groups["tutorial"])

    def _catalog(self, local: Workspace) -> None:
        for folder in sorted(path for path in EXAMPLES.iterdir() if any(path.glob("*.yaml"))):
            report = catalog.sync(system_scope(local), folder, kind=Source.Kind.BUNDLED, name=folder.name)
            for finding in report.findings:
                if finding.severity == "error":
                    self.stderr.write(str(finding))

    def _tell_accounts(self) -> None:
        path = Path(settings.LAUNCHPAD_DATA) / "passwords.json"
        if not path.exists():
            return
        self.stdout.write("\nAccounts (first passwords; a changed one is not shown):")
        for name, password in json.loads(path.read_text()).items():
            self.stdout.write(f"  {name:<8} {password}")
