"""Addresses of the first floor."""

from django.urls import path

from notifications import webhooks
from notifications.views import (
    alerts,
    compose,
    progress,
    public,
    reach,
    reports,
    restoring,
    senders,
    wordings,
)

urlpatterns = [
    path("alerts", alerts.alerts, name="alerts"),
    path("alerts/new", compose.alert_new, name="alert_new"),
    path("alerts/dispatcher", progress.alert_dispatcher, name="alert_dispatcher"),
    path("alerts/<int:pk>", alerts.alert, name="alert"),
    path("alerts/<int:pk>/edit", compose.alert_edit, name="alert_edit"),
    path("alerts/<int:pk>/press", compose.alert_press, name="alert_press"),
    path("alerts/<int:pk>/cancel", alerts.alert_cancel, name="alert_cancel"),
    path("alerts/<int:pk>/approve", alerts.alert_approve, name="alert_approve"),
    path("alerts/<int:pk>/progress", progress.alert_progress, name="alert_progress"),
    path(
        "alerts/<int:pk>/follow-up/<str:kind>",
        compose.alert_follow_up,
        name="alert_follow_up",
    ),
    path("alerts/<int:pk>/who.csv", reports.alert_csv, name="alert_csv"),
    path("alerts/<int:pk>/by-hand", reports.alert_by_hand, name="alert_by_hand"),
    path("senders", senders.senders, name="senders"),
    path("senders/<str:channel>/<str:stream>", senders.sender, name="sender"),
    path(
        "senders/<str:channel>/<str:stream>/pause",
        senders.sender_pause,
        name="sender_pause",
    ),
    path(
        "senders/<str:channel>/<str:stream>/resume",
        senders.sender_resume,
        name="sender_resume",
    ),
    path("restored", restoring.restored, name="restored"),
    path("restored/done", restoring.restored_done, name="restored_done"),
    path("restored/<int:pk>/resume", restoring.restored_resume, name="restored_resume"),
    path("restored/<int:pk>/end", restoring.restored_end, name="restored_end"),
    path("wording", wordings.wordings, name="wording"),
    path(
        "wording/<str:key>/<str:language>", wordings.wording_edit, name="wording_edit"
    ),
    path(
        "wording/<str:key>/<str:language>/check",
        wordings.wording_check,
        name="wording_check",
    ),
    path("reach", reach.reach, name="reach"),
    path("reach.csv", reach.reach_csv, name="reach_csv"),
    path("reach/schools/<slug:code>", reach.reach_school, name="reach_school"),
    path(
        "reach/schools/<slug:code>.csv", reach.reach_school_csv, name="reach_school_csv"
    ),
    path("reach/to-correct", reach.reach_office, name="reach_office"),
    path("reach/to-correct.csv", reach.reach_office_csv, name="reach_office_csv"),
    path("reach/stops.csv", reach.reach_stops_csv, name="reach_stops_csv"),
    path(
        "reach/to-correct/<int:point>/usable", reach.reach_usable, name="reach_usable"
    ),
    path("a/<str:public_id>", public.alert_public, name="alert_public"),
    path("a/<str:public_id>/<str:language>", public.alert_public, name="alert_public"),
    path("hooks/sms/status/<str:receipt>", webhooks.sms_status, name="sms_status"),
    path("hooks/sms/reply", webhooks.sms_reply, name="sms_reply"),
    path("hooks/email/bounce", webhooks.email_bounce, name="email_bounce"),
]
