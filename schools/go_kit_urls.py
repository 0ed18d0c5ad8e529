"""Addresses of what hangs on a plan, and of go-kits."""

from django.urls import path

from schools.views import attachments, go_kits

urlpatterns = [
    path(
        "schools/<slug:code>/plan/attachments",
        attachments.plan_attachments,
        name="plan_attachments",
    ),
    path(
        "schools/<slug:code>/plan/attachments/new",
        attachments.plan_attachment_add,
        name="plan_attachment_add",
    ),
    path(
        "schools/<slug:code>/plan/rally-points/new",
        attachments.rally_point_add,
        name="rally_point_add",
    ),
    path(
        "plans/rally-points/<int:rally_point>/remove",
        attachments.rally_point_remove,
        name="rally_point_remove",
    ),
    path(
        "plans/attachments/<int:attachment>",
        attachments.plan_attachment,
        name="plan_attachment",
    ),
    path(
        "plans/attachments/<int:attachment>/remove",
        attachments.plan_attachment_remove,
        name="plan_attachment_remove",
    ),
    path(
        "plans/attachments/<int:attachment>/restrict",
        attachments.plan_attachment_restrict,
        name="plan_attachment_restrict",
    ),
    path("go-kits", go_kits.go_kits, name="go_kits"),
    path("schools/<slug:code>/go-kit", go_kits.go_kit, name="go_kit"),
    path("schools/<slug:code>/go-kit/make", go_kits.go_kit_make, name="go_kit_make"),
    path(
        "schools/<slug:code>/go-kit/restricted/<slug:form>",
        go_kits.go_kit_restricted,
        name="go_kit_restricted",
    ),
    path(
        "schools/<slug:code>/go-kit/<slug:form>",
        go_kits.go_kit_take,
        name="go_kit_take",
    ),
]
