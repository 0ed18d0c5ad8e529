"""Handing out a file so that no browser runs anything of it."""

from django.http import HttpResponse

POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


def handed_out(data: bytes, *, content_type: str, name: str) -> HttpResponse:
    """A download: saved and not opened here, its type not guessed, kept nowhere.

    Pages may still show a picture of ours from the same address. `name` is plain
    ASCII without quotes.
    """
    return HttpResponse(
        data,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        },
    )
