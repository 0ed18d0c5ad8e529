"""Addresses of safety plans, and of what is in order."""

from django.urls import path

from schools.views import compliance, plan_readers, plan_work, plans

urlpatterns = [
    path("plans", plans.plans, name="plans"),
    path("plans/public/<slug:code>", plans.plan_public, name="plan_public"),
    path("plans/families/<str:token>", plans.plan_family, name="plan_family"),
    path("schools/<slug:code>/plan", plans.plan, name="plan"),
    path(
        "schools/<slug:code>/plan/responders",
        plans.plan_responder,
        name="plan_responder",
    ),
    path(
        "schools/<slug:code>/plan/restricted",
        plans.plan_restricted,
        name="plan_restricted",
    ),
    path("schools/<slug:code>/plan/versions", plans.plan_history, name="plan_history"),
    path(
        "schools/<slug:code>/plan/versions/<int:version>",
        plans.plan_version,
        name="plan_version",
    ),
    path("schools/<slug:code>/plan/changes", plans.plan_changes, name="plan_changes"),
    path(
        "schools/<slug:code>/plan/exercised", plans.plan_coverage, name="plan_coverage"
    ),
    path(
        "schools/<slug:code>/plan/restrictions",
        plans.plan_determinations,
        name="plan_determinations",
    ),
    path("schools/<slug:code>/plan/work", plan_work.plan_work, name="plan_work"),
    path("schools/<slug:code>/plan/start", plan_work.plan_start, name="plan_start"),
    path(
        "schools/<slug:code>/plan/work/<str:section>",
        plan_work.plan_section,
        name="plan_section",
    ),
    path("schools/<slug:code>/plan/send", plan_work.plan_send, name="plan_send"),
    path("schools/<slug:code>/plan/return", plan_work.plan_return, name="plan_return"),
    path("schools/<slug:code>/plan/adopt", plan_work.plan_adopt, name="plan_adopt"),
    path("schools/<slug:code>/plan/board", plan_work.plan_board, name="plan_board"),
    path(
        "schools/<slug:code>/plan/groups", plan_readers.plan_groups, name="plan_groups"
    ),
    path(
        "schools/<slug:code>/plan/groups/<int:participation>/remove",
        plan_readers.plan_group_remove,
        name="plan_group_remove",
    ),
    path(
        "schools/<slug:code>/plan/texts/<int:text>",
        plan_readers.plan_text,
        name="plan_text",
    ),
    path(
        "schools/<slug:code>/plan/families",
        plan_readers.plan_family_link,
        name="plan_family_link",
    ),
    path("compliance/ground", compliance.compliance_ground, name="compliance_ground"),
]
