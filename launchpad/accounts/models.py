"""Teams: Django's user groups by the name that does not collide with resource groups."""

from django.contrib.auth.models import Group


class Team(Group):
    """Users who hold roles together."""

    class Meta:
        proxy = True
        default_permissions = ()
