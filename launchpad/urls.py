"""Every address of Launchpad; the place is part of it."""

from django.contrib import admin
from django.urls import include, path

from launchpad import styleguide
from mlops.urls import api_patterns, member_patterns, resource_group_patterns, workspace_patterns

handler400 = "launchpad.pages.bad_request"
handler403 = "launchpad.pages.permission_denied"
handler404 = "launchpad.pages.not_found"
handler500 = "launchpad.pages.server_error"

# One namespace for both levels, so that a name means the page in the group where there is one.
mlops_patterns = [*workspace_patterns, path("g/<str:resource_group>/", include(resource_group_patterns))]

urlpatterns = [
    # First, as what is asked most often.
    path("", include(api_patterns)),
    path("", include("launchpad.accounts.urls")),
    path("", include(member_patterns)),
    path("", include("launchpad.workspaces.urls")),
    path("w/<str:workspace>/", include((mlops_patterns, "mlops"))),
    path("styleguide", styleguide.show, name="styleguide"),
    path("admin/", admin.site.urls),
]
