"""Addresses of the pages of a workspace that its administrators alone find."""

from django.urls import URLPattern, URLResolver, path

from mlops.views import (
    access_review,
    applications,
    audit_events,
    docker_secrets,
    object_stores,
    repositories,
    resource_groups,
    secrets,
    templates,
    workers,
)

administration_patterns: list[URLPattern | URLResolver] = [
    path("repositories/", repositories.index, name="repositories.index"),
    path("repositories/create", repositories.create, name="repositories.create"),
    path("repositories/<str:repository>/credentials", repositories.change, name="repositories.change"),
    path("repositories/<str:repository>/delete", repositories.delete, name="repositories.delete"),
    path("applications/", applications.index, name="applications.index"),
    path("applications/create", applications.create, name="applications.create"),
    path("applications/<str:application>/", applications.detail, name="applications.detail"),
    path("applications/<str:application>/change", applications.change, name="applications.change"),
    path("applications/<str:application>/refresh", applications.refresh, name="applications.refresh"),
    path("applications/<str:application>/delete", applications.delete, name="applications.delete"),
    path("scenarios/add-templates", templates.add, name="templates.add"),
    path("object-stores/", object_stores.index, name="object_stores.index"),
    path("object-stores/create", object_stores.create, name="object_stores.create"),
    path("secrets/", secrets.index, name="secrets.index"),
    path("secrets/create", secrets.create, name="secrets.create"),
    path("registry-secrets/", docker_secrets.index, name="docker_secrets.index"),
    path("registry-secrets/create", docker_secrets.create, name="docker_secrets.create"),
    path("resource-groups/", resource_groups.index, name="resource_groups.index"),
    path("resource-groups/create", resource_groups.create, name="resource_groups.create"),
    path("resource-groups/<str:group>/", resource_groups.detail, name="resource_groups.detail"),
    path("access/", access_review.index, name="access_review.index"),
    path("access/export", access_review.export, name="access_review.export"),
    path("access/view-as", access_review.view, name="access_review.view"),
    path("access-requests/", access_review.requests, name="access_requests.index"),
    path("access-requests/<uuid:request_id>/decline", access_review.decline, name="access_requests.decline"),
    path("workers/", workers.index, name="workers.index"),
    path("quotas/", workers.quotas, name="workers.quotas"),
    path("audit-trail/", audit_events.index, name="audit_events.index"),
    path("audit-trail/export", audit_events.export, name="audit_events.export"),
]
_store, _docker = "object-stores/<str:group>/<str:store>", "registry-secrets/<str:docker_secret>"
_in_group, _common = "secrets/of/<str:group>/<str:secret>", "secrets/<str:place>/<str:secret>"
for _verb in ("change", "check", "delete"):
    administration_patterns += [
        path(f"{_store}/{_verb}", getattr(object_stores, _verb), name=f"object_stores.{_verb}")
    ]
for _verb in ("change", "delete"):
    administration_patterns += [
        path(f"{_in_group}/{_verb}", getattr(secrets, _verb), name=f"secrets.{_verb}"),
        path(f"{_common}/{_verb}", getattr(secrets, _verb), name=f"secrets.{_verb}"),
        path(f"{_docker}/{_verb}", getattr(docker_secrets, _verb), name=f"docker_secrets.{_verb}"),
        path(
            f"resource-groups/<str:group>/{_verb}",
            getattr(resource_groups, _verb),
            name=f"resource_groups.{_verb}",
        ),
    ]
