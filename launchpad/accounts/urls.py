"""Addresses of signing in and out, of tokens and service keys, and of personal preferences."""

from django.urls import path

from launchpad.accounts import key_pages, tokens, views

urlpatterns = [
    path("sign-in", views.sign_in, name="accounts.sign_in"),
    path("admin/login/", views.admin_sign_in, name="accounts.admin_sign_in"),
    path("oauth/token", tokens.issue, name="accounts.token"),
    path("sign-out", views.sign_out, name="accounts.sign_out"),
    path("preferences/theme", views.theme, name="accounts.theme"),
    path("preferences/shortcuts", views.shortcuts, name="accounts.shortcuts"),
]
_workspace, _group = (
    "w/<str:workspace>/service-keys/",
    "w/<str:workspace>/g/<str:resource_group>/service-keys/",
)
# The same names in both places, so that each page leads to those of its own place.
urlpatterns += [
    path(_workspace, key_pages.administrators, name="service_keys.index"),
    path(f"{_workspace}create", key_pages.create, name="service_keys.create"),
    path(
        f"{_workspace}<uuid:administrators_key_id>/revoke",
        key_pages.revoke_administrators,
        name="service_keys.revoke",
    ),
    path(_group, key_pages.index, name="service_keys.index"),
    path(f"{_group}create", key_pages.create, name="service_keys.create"),
    path(f"{_group}<uuid:key_id>/revoke", key_pages.revoke, name="service_keys.revoke"),
]
