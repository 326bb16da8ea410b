"""The admin site's own words."""

from django.contrib import admin

admin.site.site_header = admin.site.site_title = "Launchpad administration"
admin.site.index_title = "Users, workspaces and roles"
