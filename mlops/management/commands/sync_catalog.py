"""`manage.py sync_catalog PATH`: take a folder's templates into a workspace's catalog, or only check them."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from launchpad.access import system_scope
from launchpad.errors import LaunchpadError
from launchpad.workspaces.models import Workspace
from mlops.domain import catalog
from mlops.manifests import Finding
from mlops.models import Source


class Command(BaseCommand):
    """Exit code 1 when a template has an error; good templates are taken all the same."""

    help = "Sync a folder of templates into a workspace, or check it with --check."
    # Checking a folder works without a database, on a machine that only edits templates.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """PATH, --workspace and --check."""
        parser.add_argument("path", type=Path, help="folder with *.yaml files and what they need beside them")
        parser.add_argument("--workspace", default="local", help="name of the workspace (default: local)")
        parser.add_argument("--check", action="store_true", help="only check; nothing is stored")

    def handle(self, *_args: object, path: Path, workspace: str, check: bool, **_options: object) -> None:
        """Print one finding a line and a summary; raise CommandError on errors."""
        if not path.is_dir():
            raise CommandError(f"{path} is not a folder.")
        errors = self._check(path) if check else self._sync(path.resolve(), workspace)
        if errors:
            raise CommandError(
                f"{errors} {'error' if errors == 1 else 'errors'}. Correct the lines named above."
            )

    def _check(self, path: Path) -> int:
        findings = catalog.lint(path)
        errors = self._print(findings)
        self.stdout.write(f"Errors: {errors}. Notices: {len(findings) - errors}.")
        return errors

    def _sync(self, path: Path, workspace: str) -> int:
        place = Workspace.unscoped.filter(slug=workspace).first()
        if place is None:
            raise CommandError(f"There is no workspace {workspace}. Name another with --workspace.")
        try:
            report = catalog.sync(
                system_scope(place, actor="sync_catalog"), path, kind=Source.Kind.FOLDER, name=str(path)
            )
        except LaunchpadError as error:
            raise CommandError(error.message) from error
        errors = self._print(report.findings)
        for version in report.added:
            self.stdout.write(f"{version.executable.slug} {version.label}: new version {version.number}")
        self.stdout.write(
            f"New versions: {len(report.added)}. Unchanged: {len(report.unchanged)}. "
            f"Errors: {errors}. Notices: {len(report.findings) - errors}."
        )
        return errors

    def _print(self, findings: Iterable[Finding]) -> int:
        """Print the findings; return how many are errors."""
        errors = 0
        for finding in findings:
            errors += finding.severity == "error"
            line = f"{finding.file}:{finding.line}: {finding.field}: {finding.reason}"
            self.stdout.write(line if finding.severity == "error" else f"{line} (notice)")
        return errors
