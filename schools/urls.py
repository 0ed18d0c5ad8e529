"""Addresses of the ground floor."""

from django.urls import path

from schools.views import audit, people, roster, schools

urlpatterns = [
    path("sign-in", people.sign_in, name="sign_in"),
    path("sign-out", people.sign_out, name="sign_out"),
    path("schools", schools.school_list, name="schools"),
    path("schools/<slug:code>", schools.school, name="school"),
    path("audit", audit.audit, name="audit"),
    path("roster", roster.roster, name="roster"),
    path("roster/example.csv", roster.roster_example, name="roster_example"),
    path("roster/<int:pk>", roster.roster_import, name="roster_import"),
    path("roster/<int:pk>/apply", roster.roster_apply, name="roster_apply"),
    path("roster/<int:pk>/retry", roster.roster_retry, name="roster_retry"),
    path("roster/<int:pk>/drop", roster.roster_drop, name="roster_drop"),
    path("roster/<int:pk>/issues.csv", roster.roster_issues, name="roster_issues"),
]
