"""What people text back: STOP, START and HELP, in the words they know.

FCC 16-88 names the words of revocation; a person may use their own language. A STOP
holds for the sender it was said to, and only for that one.
"""

from datetime import datetime

from notifications.models import Channel, Sender, Suppression
from notifications.refusals import STOPPED

STOP_WORDS = frozenset(
    "stop stopall quit end revoke optout cancel unsubscribe"  # English (FCC)
    " alto parar cancelar baja"  # Spanish
    " tsum nres"  # Hmong
    " jooji dhaaf"  # Somali
    " dừng huỷ hủy"  # Vietnamese
    " стоп отмена"  # Russian
    " توقف إلغاء الغاء"  # Arabic
    " dhaabi haqi".split()  # Oromo
)
START_WORDS = frozenset(
    "start unstop yes si sí bilow bắtđầu старт ابدأ jalqabi".split()
)
HELP_WORDS = frozenset("help info ayuda caawimaad помощь مساعدة gargaarsa".split())

HELP = (
    "School district emergency alerts. In danger call 911. "
    "Reply STOP to end these texts, START to get them again."
)
UNREAD = (
    "Nobody reads replies to this number. In danger call 911. "
    "For anything else call your school."
)


def take(*, sender: str, address: str, text: str, kind: str, now: datetime) -> str:
    """Act on one reply; the text to answer with, or "" where the carrier answers.

    `kind` is Twilio's OptOutType where its own opt-out handling has understood.
    """
    word = "".join(c for c in text.casefold() if c.isalpha())
    stream = (
        Sender.objects.filter(channel=Channel.SMS, identity=sender)
        .values_list("stream", flat=True)
        .first()
    )
    if kind == "STOP" or word in STOP_WORDS:
        if stream:
            Suppression.objects.bulk_create(
                [
                    Suppression(
                        channel=Channel.SMS,
                        stream=stream,
                        address=address,
                        reason=STOPPED,
                        since=now,
                    )
                ],
                ignore_conflicts=True,
            )
        return ""
    if kind == "START" or word in START_WORDS:
        Suppression.objects.filter(
            channel=Channel.SMS, stream=stream or "", address=address, reason=STOPPED
        ).delete()
        return ""
    if kind == "HELP" or word in HELP_WORDS:
        return "" if kind else HELP
    return UNREAD
