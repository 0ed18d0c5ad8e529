"""What carriers and mail servers tell us, each with a proven signature.

The signature covers the URL the carrier was given, so it is checked against the
configured public address, never against what a request claims to have come to.
Source: https://www.twilio.com/docs/usage/security#validating-requests
"""

import hashlib
import hmac

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from notifications import bounces, outbox, replies
from notifications.channels.receipts import read_receipt
from notifications.models import ProviderEvent
from schools.access import public

BOUNCE_SIGNATURE = "X-Portal-Signature"
"""Header with the hexadecimal HMAC-SHA256 of the body, under EMAIL_WEBHOOK_SECRET."""

INTAKE = outbox.Intake()
WHY = "The carrier calls without an account; its signature is checked."


@csrf_exempt
@public(because=WHY)
@require_http_methods(["POST"])
def sms_status(request: HttpRequest, receipt: str) -> HttpResponse:
    """A delivery report: append it and answer at once; a sweep applies it."""
    if not _is_signed(request):
        return HttpResponse(status=403)
    named = read_receipt(receipt)
    if named is None:
        raise Http404
    INTAKE.append(
        ProviderEvent(
            delivery_id=named[0],
            provider_sid=_field(request, "MessageSid", 64),
            status=_field(request, "MessageStatus", 16),
            code=_field(request, "ErrorCode", 40),
            received_at=timezone.now(),
        )
    )
    return HttpResponse(status=204)


@csrf_exempt
@public(because=WHY)
@require_http_methods(["POST"])
def sms_reply(request: HttpRequest) -> HttpResponse:
    """A text from a phone: STOP, START, HELP, or something we cannot read here."""
    if not _is_signed(request):
        return HttpResponse(status=403)
    answer = replies.take(
        sender=request.POST.get("MessagingServiceSid") or request.POST.get("To", ""),
        address=request.POST.get("From", ""),
        text=request.POST.get("Body", ""),
        kind=request.POST.get("OptOutType", ""),
        now=timezone.now(),
    )
    twiml = MessagingResponse()
    if answer:
        twiml.message(answer)
    return HttpResponse(str(twiml), content_type="text/xml")


@csrf_exempt
@public(because="The mail server calls without an account; its signature is checked.")
@require_http_methods(["POST"])
def email_bounce(request: HttpRequest) -> HttpResponse:
    """A mail that came back, as the mail server's pipe posts it: raw, and signed.

    Answers 204 to every signed mail, also to one that says nothing about us: the pipe
    must not keep it. What it says is appended and applied like a text's report.
    """
    secret = settings.EMAIL_WEBHOOK_SECRET
    if not secret:
        raise Http404
    mac = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    told = request.headers.get(BOUNCE_SIGNATURE, "")
    if not hmac.compare_digest(mac.encode(), told.encode("utf-8", "replace")):
        return HttpResponse(status=403)
    bounce = bounces.read(request.body)
    if bounce is not None:
        ProviderEvent.objects.create(
            delivery_id=bounce.delivery_id,
            provider_sid=bounce.message_id[:64],
            status=bounce.status,
            code=bounce.code,
            received_at=timezone.now(),
        )
    return HttpResponse(status=204)


def _field(request: HttpRequest, name: str, longest: int) -> str:
    """One value, as PostgreSQL can keep it: no NUL, and not too long."""
    return request.POST.get(name, "").replace("\0", "")[:longest]


def _is_signed(request: HttpRequest) -> bool:
    """True when this came from who holds our auth token; closed without one."""
    token = settings.TWILIO_AUTH_TOKEN
    if not token:
        raise Http404
    return RequestValidator(token).validate(
        settings.PUBLIC_URL + request.get_full_path(),
        request.POST,
        request.headers.get("X-Twilio-Signature", ""),
    )
