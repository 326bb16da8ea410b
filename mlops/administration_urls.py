"""Addresses of the pages of a workspace that its administrators alone find."""

from django.urls import URLPattern, URLResolver, path

from mlops.views import applications, repositories

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
]
