"""What the compose page says in one language, and whether somebody changed it."""

import hashlib
from dataclasses import dataclass, field, replace

from notifications import wording
from notifications.drafting import Said
from notifications.forms import PARTS
from notifications.segments import SegmentCount, segments


@dataclass
class Words:
    """What the page says in one language.

    `stands_in`: nobody has checked this language, so English is used.
    """

    language: wording.Language
    said: Said
    start: str
    stands_in: bool = False
    is_edited: bool = False
    errors: list[str] = field(default_factory=list)
    link: str = ""

    @property
    def opens_the_email(self) -> bool:
        """True where the text message was changed and the email was not.

        Who reads the email must hear what was added to the text.
        """
        marks = self.start.split(".")
        return (
            not self.stands_in
            and len(marks) == len(PARTS)
            and bool(self.said.sms.strip())
            and fingerprint(self.said.sms) != marks[0]
            and fingerprint(self.said.body) == marks[-1]
        )

    @property
    def sent(self) -> Said:
        """The words as they will leave."""
        if not self.opens_the_email:
            return self.said
        text = self.said.sms.replace(self.link, "").strip() if self.link else ""
        body = f"{text or self.said.sms.strip()}\n\n{self.said.body}"
        return replace(self.said, body=body)

    @property
    def count(self) -> SegmentCount:
        return segments(self.said.sms)

    @property
    def limit(self) -> int:
        """Characters that fit in the segments it takes."""
        return self.count.characters + self.count.left

    @property
    def is_long(self) -> bool:
        """True where it costs more than one segment."""
        return self.count.segments > 1

    @property
    def why(self) -> str:
        """Why so few characters fit, where that is a surprise."""
        dear = self.count.encoding == "UCS-2"
        return "its letters take more room than plain ones" if dear else ""

    @property
    def direction(self) -> str:
        return "rtl" if self.language.rtl else "ltr"

    @property
    def fields(self) -> dict[str, str]:
        """Names and values of its fields on the page."""
        code = self.language.code
        values = {f"{part}_{code}": getattr(self.said, part) for part in PARTS}
        return values | {f"start_{code}": self.start}


def fingerprint(*said: str) -> str:
    """A short name for some words, the same after a browser's journey."""
    text = "\x1f".join("\n".join(part.strip().splitlines()) for part in said)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def mark_of(said: Said) -> str:
    """The fingerprints of a text's parts, to tell later what was changed."""
    return ".".join(fingerprint(getattr(said, part)) for part in PARTS)
