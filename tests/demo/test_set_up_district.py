from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notifications.models import AlertTemplate, Sender
from schools.models import District

pytestmark = pytest.mark.django_db


def run(**options: str) -> str:
    out = StringIO()
    told = {"name": "Elm River Schools", "state": "mn", "timezone": "America/Chicago"}
    call_command("set_up_district", **(told | options), stdout=out)
    return out.getvalue()


def test_a_district_starts_with_wording_that_nobody_has_checked():
    said = run()

    district = District.objects.get()
    assert (district.name, district.state) == ("Elm River Schools", "MN")
    assert AlertTemplate.objects.filter(checked_at=None).count() == 64
    assert "Installed 64 starting texts" in said


def test_senders_come_from_the_options():
    run(
        sms_from="+17635550150",
        sms_per_second=100,
        sms_price="0.0083",
        routine_sms_from="MG" + "0a" * 16,
        email_from="Alerts@elm.example.org",
    )

    assert list(
        Sender.objects.order_by("pk").values_list(
            "channel", "stream", "identity", "per_second"
        )
    ) == [
        ("sms", "emergency", "+17635550150", 100),
        ("sms", "routine", "MG" + "0a" * 16, 1),
        ("email", "emergency", "alerts@elm.example.org", 0),
    ]


def test_missing_senders_are_named_with_the_option_that_adds_them():
    said = run(sms_from="+17635550150")

    assert "no sender of routine texts yet: --routine-sms-from" in said
    assert "no sender of emergency emails yet: --email-from" in said
    assert "no sender of emergency texts" not in said


def test_run_again_it_adds_what_was_left_out_and_changes_nothing_else():
    run(sms_from="+17635550150")
    said = run(sms_from="+17635550151", email_from="alerts@elm.example.org")

    assert "Kept the sender of emergency texts" in said
    assert Sender.objects.get(channel="sms").identity == "+17635550150"
    assert Sender.objects.get(channel="email").identity == "alerts@elm.example.org"
    assert District.objects.count() == 1
    assert AlertTemplate.objects.count() == 64


def test_a_portal_belongs_to_one_district():
    run()

    with pytest.raises(CommandError, match="belongs to Elm River Schools"):
        run(name="Oak River Schools", sms_from="+17635550150")
    assert District.objects.count() == 1
    assert not Sender.objects.exists()


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"state": "Minnesota"}, "two letters"),
        ({"timezone": "Central"}, "not a time zone"),
        ({"sms_from": "763-555-0150"}, "neither a number"),
        ({"sms_from": "MG123"}, "neither a number"),
        ({"email_from": "alerts"}, "not an email address"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_nothing_is_saved(options, refusal):
    with pytest.raises(CommandError, match=refusal):
        run(**options)

    assert not District.objects.exists()
    assert not Sender.objects.exists()
    assert not AlertTemplate.objects.exists()
