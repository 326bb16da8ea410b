"""`manage.py rotate_field_keys`: seals every stored secret anew under the first of FIELD_KEYS."""

from django.core.management import BaseCommand, CommandError

from launchpad import rotation


class Command(BaseCommand):
    """Exit code 1 when no key reads one of the secrets; the others are sealed anew all the same."""

    help = "Seals every stored secret anew under the first of FIELD_KEYS; then the others can be removed."

    def handle(self, *_args: object, **_options: object) -> None:
        """Tell how many secrets there were, and name those that cannot be read."""
        done = rotation.rotate()
        self.stdout.write(f"Secrets sealed anew: {done.resealed}.")
        if done.unreadable:
            raise CommandError(
                "\n".join(done.unreadable)
                + "\nThese cannot be read with any of FIELD_KEYS. Add the key they were made with, or give "
                "their values again."
            )
        self.stdout.write("Keys behind the first one can be removed from FIELD_KEYS.")
