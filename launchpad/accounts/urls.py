"""Addresses of signing in and out, and of personal preferences."""

from django.urls import path

from launchpad.accounts import tokens, views

urlpatterns = [
    path("sign-in", views.sign_in, name="accounts.sign_in"),
    path("admin/login/", views.admin_sign_in, name="accounts.admin_sign_in"),
    path("oauth/token", tokens.issue, name="accounts.token"),
    path("sign-out", views.sign_out, name="accounts.sign_out"),
    path("preferences/theme", views.theme, name="accounts.theme"),
]
