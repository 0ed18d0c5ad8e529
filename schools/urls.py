"""Addresses of the ground floor."""

from django.urls import path

from schools.views import people

urlpatterns = [
    path("sign-in", people.sign_in, name="sign_in"),
    path("sign-out", people.sign_out, name="sign_out"),
]
