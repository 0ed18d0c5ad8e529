"""A kit as a tagged PDF, and as one HTML file that needs nothing else."""

import hashlib
from base64 import b64encode
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string

from schools import documents

from .contents import Contents

STYLE = settings.BASE_DIR / "static" / "css" / "go-kit.css"


def title(contents: Contents) -> str:
    """What the kit calls itself, on its first page and in a list of files."""
    name = f"Go-kit: {contents.data['school']['name']}"
    return f"RESTRICTED — {name}" if contents.data["restricted"] else name


def as_pdf(contents: Contents, *, now: datetime) -> bytes:
    """Tagged, with every picture inside."""
    return documents.make_pdf(
        "go_kit.typ",
        contents.data,
        title=title(contents),
        now=now,
        pictures=contents.pictures,
    ).pdf


def as_html(contents: Contents) -> bytes:
    """One page with its style and pictures inside: it asks nobody for anything.

    Its own content policy allows exactly that style, pictures written into the page,
    and nothing else; it holds from a disk too, where no server can say so.
    """
    style = STYLE.read_text()
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    pictures = [
        told | {"address": _inside(contents, told["name"])}
        for told in contents.data["pictures"]
    ]
    page = render_to_string(
        "go_kits/file.html",
        {
            "kit": contents.data | {"pictures": pictures},
            "title": title(contents),
            "style": f"<style>{style}</style>",
            "policy": f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'",
        },
    )
    return page.encode()


def _inside(contents: Contents, name: str) -> str:
    if not name:
        return ""
    kind = "png" if name.endswith(".png") else "jpeg"
    return f"data:image/{kind};base64,{b64encode(contents.pictures[name]).decode()}"
