"""Workspaces in the admin site, for staff."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from launchpad.access import system_scope
from launchpad.commands import record
from launchpad.workspaces import workspaces
from launchpad.workspaces.models import Workspace


class ForStaff:
    """Rights of a page in the admin site that all staff use; each change is an audit event."""

    noun = ""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the app is listed."""
        return request.user.is_staff

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Whether rows may be read."""
        return request.user.is_staff

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row, None for an id that no database could hold."""
        return None if "\0" in object_id else super().get_object(request, object_id, from_field)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No bulk deletion: one confirmation a place."""
        return {}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the row and write the audit event, together."""
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            scope = system_scope(obj, request.user.get_username())
            values = {name: str(form.cleaned_data[name]) for name in form.changed_data}
            record(scope, f"{self.noun}.{'edit' if change else 'create'}", obj, detail=values)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete the row and write the audit event, together."""
        with transaction.atomic():
            record(system_scope(obj, request.user.get_username()), f"{self.noun}.delete", obj)
            super().delete_model(request, obj)


@admin.register(Workspace)
class Workspaces(ForStaff, admin.ModelAdmin):
    """Workspaces; the id is the key and part of every address, so it never changes."""

    noun = "workspaces"
    list_display = ("slug", "description", "runtime", "created_at")
    search_fields = ("slug", "description")
    fields = ("slug", "description", "runtime")

    def get_readonly_fields(self, request: HttpRequest, obj: Workspace | None = None) -> tuple[str, ...]:
        """The id and the runtime, once it exists."""
        return ("slug", "runtime") if obj else ()

    def save_model(self, request: HttpRequest, obj: Workspace, form: Any, change: bool) -> None:
        """As the pages of the product do it: one set of rules, one audit trail."""
        if change:
            scope = system_scope(obj, request.user.get_username())
            workspaces.change(scope, description=obj.description)
            return
        workspaces.create(request.user, slug=obj.slug, description=obj.description, runtime=obj.runtime)
        obj.refresh_from_db()
        obj._state.adding = False
