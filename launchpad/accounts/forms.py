"""Forms of signing in and of making a service key."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from launchpad.access import Role


class SignInForm(AuthenticationForm):
    """Username and password, and whether the session outlives the browser."""

    error_messages = {
        "invalid_login": "That username and password do not match. Check both and try again.",
        "inactive": "That username and password do not match. Check both and try again.",
    }
    remember = forms.BooleanField(required=False)


class ServiceKeyForm(forms.Form):
    """A new key: its name and, in a resource group, its role."""

    name = forms.CharField(
        help_text="1 to 64 lower-case letters, digits and hyphens, such as nightly-training",
        error_messages={"required": "Give it a name."},
        widget=forms.TextInput(
            {"class": "input", "maxlength": "64", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    role = forms.TypedChoiceField(
        coerce=Role,
        choices=[
            (Role.EDITOR, "Editor: sees and changes everything in this resource group"),
            (Role.VIEWER, "Viewer: sees everything, changes nothing"),
        ],
        initial=Role.EDITOR,
        error_messages={"required": "Choose a role.", "invalid_choice": "Choose one of the roles."},
        widget=forms.Select({"class": "input"}),
    )

    def __init__(self, *args: object, in_group: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        if not in_group:
            del self.fields["role"]
