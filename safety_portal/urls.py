"""Every address of the portal. Each leads to a view with an access rule."""

from django.urls import include, path

from safety_portal import views

urlpatterns = [
    path("", views.home, name="home"),
    path("healthz", views.healthz, name="healthz"),
    path("", include("schools.urls")),
    path("", include("notifications.urls")),
]
