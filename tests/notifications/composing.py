"""A browser that composes: what the page posts, and what it would post back."""

import uuid

from tests import cast


def as_(client, person):
    """The same client, signed in."""
    client.force_login(person)
    return client


def choices(**changed) -> dict:
    """What the compose page posts for a lockdown at Lincoln."""
    return {
        "form_key": str(uuid.uuid4()),
        "protocol": "lockdown",
        "mode": "live",
        "audience": "staff_and_families",
        "schools": [str(cast.lincoln().pk)],
        "do": "read_back",
    } | changed


def fields_of(response) -> dict:
    """Everything a browser would post back from the page."""
    sheet = response.context["sheet"]
    fields = {
        name: value
        for name, value in sheet.values.items()
        if name not in ("do", "to_mode", "reset") and value
    }
    for words in sheet.words:
        if not words.stands_in:
            fields |= words.fields
    fields |= {"words_for": sheet.words_for}
    panel = response.context["before"]
    if panel.alert:
        fields |= {"version": panel.alert.version, "digest": sheet.digest}
    return fields


def compose(client, **changed):
    """The page read back; the answer."""
    return client.post("/alerts/new", choices(**changed))


def press(client, page, **changed):
    """The press, with everything that stands on the page."""
    alert = page.context["before"].alert
    return client.post(f"/alerts/{alert.pk}/press", fields_of(page) | changed)
