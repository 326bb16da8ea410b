"""The admin site's own words, and what is not shown there."""

from django.contrib import admin
from oauth2_provider import models as tokens

admin.site.site_header = admin.site.site_title = "Launchpad administration"
admin.site.index_title = "Users, workspaces and roles"
# Credentials of API clients have pages of their own, which never show a secret twice.
admin.site.unregister(
    [tokens.AccessToken, tokens.Application, tokens.Grant, tokens.IDToken, tokens.RefreshToken]
)
