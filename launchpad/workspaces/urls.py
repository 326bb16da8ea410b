"""Addresses of workspaces."""

from django.urls import path

from launchpad.workspaces import views

urlpatterns = [
    path("", views.home, name="home"),
    path("access-requests/ask", views.ask, name="access_requests.ask"),
    path("view-as/end", views.end_viewing, name="view_as.end"),
    path("w/<str:workspace>/g/<str:resource_group>/", views.enter, name="resource_groups.enter"),
    path("healthz", views.health, name="health"),
]
