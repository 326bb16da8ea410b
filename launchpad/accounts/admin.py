"""Users and teams in the admin site, for superusers; what they may do is on the roles page."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import models
from django.http import HttpRequest

from launchpad.accounts.models import Team

admin.site.unregister([User, Group])


class SuperusersOnly:
    """Rights of a page in the admin site that only superusers open; the rest of the staff do not see it."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app is listed."""
        return request.user.is_superuser

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether rows may be read."""
        return request.user.is_superuser

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission


@admin.register(User)
class Users(SuperusersOnly, UserAdmin):
    """People; deactivating one keeps the name in the audit trail."""

    list_display = (
        "username",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "is_superuser",
        "last_login",
    )
    filter_horizontal = ("groups",)
    # Model permissions are not asked for anywhere: a place, a role and these two flags are.
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("About", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def formfield_for_manytomany(
        self, db_field: models.Field, request: HttpRequest | None = None, **kwargs: Any
    ):
        """The field for teams, under that name."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label, field.help_text = "Teams", "The user holds the roles of each team chosen."
        return field


@admin.register(Team)
class Teams(SuperusersOnly, admin.ModelAdmin):
    """Teams; members are chosen on each user's page."""

    fields = ("name",)
    search_fields = ("name",)

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any):
        """The name, with two that most resource groups can do with."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "name":
            field.help_text = (
                "Two teams a resource group are enough for most, such as red producers with the role editor "
                "of red and red consumers with the role viewer."
            )
        return field
