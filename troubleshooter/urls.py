"""All routes, grouped by path. The route table reads as the site map."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
