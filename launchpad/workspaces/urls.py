"""Addresses of workspaces."""

from django.urls import path

from launchpad.workspaces import views

urlpatterns = [
    path("workspaces/", views.index, name="workspaces.index"),
    path("workspaces/<str:workspace>/", views.detail, name="workspaces.detail"),
    path("w/<str:workspace>/g/<str:resource_group>/", views.enter, name="resource_groups.enter"),
    path("healthz", views.health, name="health"),
]
