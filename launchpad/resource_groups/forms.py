"""The form that grants a role: who, which role, where."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group, User

from launchpad.access import ROLE_NAMES, Role
from launchpad.resource_groups import roles

CHOICES = [
    (role.value, ROLE_NAMES[role].capitalize())
    for role in (Role.VIEWER, Role.EDITOR, Role.OPERATIONS_MANAGER)
]


class RoleForm(forms.Form):
    """Who, which role, where.

    cleaned_data: `user` or `team` (a name), `role`, `workspace` and `resource_group` (slug or None),
    `with_gate`.
    """

    who = forms.ChoiceField(label="Who")
    role = forms.ChoiceField(label="Role", choices=CHOICES)
    place = forms.ChoiceField(label="Where")
    with_gate = forms.BooleanField(
        label="Also open the workspace (operations manager)",
        help_text="Without it a viewer or editor cannot reach the resource group.",
        required=False,
        initial=True,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users = User.objects.filter(is_active=True).order_by("username").values_list("username", flat=True)
        teams = Group.objects.order_by("name").values_list("name", flat=True)
        self.fields["who"].choices = [
            ("", "Choose a user or team"),
            ("Users", [(f"user:{name}", name) for name in users]),
            ("Teams", [(f"team:{name}", name) for name in teams]),
        ]
        self.fields["place"].choices = [
            ("", "Choose a workspace or resource group"),
            *(
                (
                    one.slug,
                    [
                        (one.slug, f"{one.slug} (the workspace)"),
                        *((f"{one.slug}/{g.slug}", str(g)) for g in groups),
                    ],
                )
                for one, groups in roles.places()
            ),
        ]

    def clean(self) -> dict[str, Any]:
        """Take the choices apart and refuse a role that does not belong on such a place."""
        data = super().clean()
        kind, _, name = data.get("who", "").partition(":")
        workspace, _, group = data.get("place", "").partition("/")
        of_workspace = data.get("role") == Role.OPERATIONS_MANAGER
        if workspace and of_workspace == bool(group):
            where = "a workspace" if of_workspace else "a resource group"
            self.add_error("place", f"Choose {where} for this role.")
        holder = {kind: name} if kind in ("user", "team") else {}
        return {**data, **holder, "workspace": workspace, "resource_group": group or None}
