"""Resource groups in the admin site, for staff, and the roles page, for superusers."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from launchpad.access import ROLE_NAMES, Role, open_scope, system_scope
from launchpad.resource_groups import resource_groups, roles
from launchpad.resource_groups.forms import CHOICES, RoleForm
from launchpad.resource_groups.models import ResourceGroup
from launchpad.workspaces.admin import ForStaff


@admin.register(ResourceGroup)
class ResourceGroups(ForStaff, admin.ModelAdmin):
    """Resource groups; workspace and id are part of every address, so they never change."""

    noun = "resource_groups"
    list_display = ("slug", "workspace", "description", "created_at", "deleting_at")
    list_filter = ("workspace",)
    search_fields = ("slug", "description")
    fields = ("workspace", "slug", "description")

    def get_readonly_fields(self, request: HttpRequest, obj: ResourceGroup | None = None) -> tuple[str, ...]:
        """The address, once it exists."""
        return ("workspace", "slug") if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: ResourceGroup | None = None) -> bool:
        """Not of one that is being deleted."""
        return request.user.is_staff and not (obj and obj.deleting_at)

    def has_delete_permission(self, request: HttpRequest, obj: ResourceGroup | None = None) -> bool:
        """Not of `default`, which always exists, nor twice."""
        return self.has_change_permission(request, obj) and not (obj and obj.slug == resource_groups.DEFAULT)

    def save_model(self, request: HttpRequest, obj: ResourceGroup, form: Any, change: bool) -> None:
        """A new one is made as over the API."""
        if change:
            super().save_model(request, obj, form, change)
            return
        scope = system_scope(obj.workspace, request.user.get_username())
        made = resource_groups.create(scope, slug=obj.slug, description=obj.description)
        obj.pk, obj.created_at = made.pk, made.created_at
        obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: ResourceGroup) -> None:
        """Begin to remove it with everything in it."""
        resource_groups.delete(system_scope(obj.workspace, request.user.get_username()), obj.slug)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What the confirmation says goes: counting a group's rows could take minutes."""
        return [f"{one}, with everything in it: it is stopped and removed" for one in objs], {}, set(), []

    def get_urls(self) -> list[URLPattern]:
        """The roles pages before the resource groups' own."""
        wrap = self.admin_site.admin_view
        return [
            path("roles/", wrap(self.roles), name="roles"),
            path("roles/remove/", wrap(self.remove), name="roles_remove"),
            *super().get_urls(),
        ]

    def roles(self, request: HttpRequest) -> HttpResponse:
        """Every role held, with filters, and the form that grants one."""
        _superusers(request)
        form = RoleForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            scope = open_scope(request.user, data["workspace"], data["resource_group"])
            who = {key: data[key] for key in ("user", "team") if key in data}
            roles.grant(scope, role=Role(data["role"]), with_gate=data["with_gate"], **who)
            messages.success(
                request, f"{next(iter(who.values()))} is now {ROLE_NAMES[data['role']]} in {data['place']}."
            )
            return HttpResponseRedirect(reverse("admin:roles"))
        asked = {name: request.GET.get(name, "").strip() for name in ("who", "place", "role")}
        context = {
            "form": form,
            "grants": roles.grants(**asked),
            "asked": asked,
            "choices": CHOICES,
            "workspaces": [workspace.pk for workspace, _ in roles.places()],
            "title": "Roles",
        }
        return self._page(request, "admin/roles.html", context, 422 if form.errors else 200)

    def remove(self, request: HttpRequest) -> HttpResponse:
        """Ask once, then take the role away."""
        _superusers(request)
        asked = request.POST if request.method == "POST" else request.GET
        found = [one for one in roles.grants() if _key(one) == tuple(asked.get(name, "") for name in KEYS)]
        if not found:
            messages.error(request, "That role is not held any more; nothing was changed.")
            return HttpResponseRedirect(reverse("admin:roles"))
        one = found[0]
        if request.method == "POST":
            scope = open_scope(request.user, one.workspace, one.resource_group or None)
            roles.revoke(scope, role=one.role, **{one.kind: one.who})
            messages.success(request, f"{one.who} is no longer {one.role_name} in {one.place}.")
            return HttpResponseRedirect(reverse("admin:roles"))
        return self._page(
            request, "admin/roles_remove.html", {"grant": one, "title": "Remove this role?"}, 200
        )

    def _page(self, request: HttpRequest, template: str, context: dict, status: int) -> HttpResponse:
        everything = {**self.admin_site.each_context(request), **context}
        return TemplateResponse(request, template, everything, status=status)


KEYS = ("kind", "who", "role", "workspace", "resource_group")


def _key(grant: roles.Grant) -> tuple[str, ...]:
    return tuple(str(getattr(grant, name)) for name in KEYS)


def _superusers(request: HttpRequest) -> None:
    if not request.user.is_superuser:
        raise PermissionDenied
