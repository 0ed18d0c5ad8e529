"""The table of who may sign in to the demo."""

from django.conf import settings

from schools.models import User

HEADINGS = ("Name", "Role", "Email", "Password")
ANOTHER = "(not DEMO_PASSWORD: it was another when the demo was made)"


def sign_in_table() -> str:
    """The demo accounts found in the database, one line each under a heading.

    A password is shown only where it opens the account.
    """
    found = User.objects.filter(email__in=settings.DEMO_ACCOUNTS, is_active=True)
    order = {email: n for n, email in enumerate(settings.DEMO_ACCOUNTS)}
    people = sorted(found, key=lambda user: order[user.email])
    # The accounts share a hash until somebody changes theirs, so this checks once.
    opens = {
        user.password: user.check_password(settings.DEMO_PASSWORD)
        for user in {user.password: user for user in people}.values()
    }
    rows = [HEADINGS] + [
        (
            user.name,
            user.title,
            user.email,
            settings.DEMO_PASSWORD if opens[user.password] else ANOTHER,
        )
        for user in people
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADINGS))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(
            f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )
