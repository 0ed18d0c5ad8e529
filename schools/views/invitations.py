"""Invitations: making one, sending it again, withdrawing it, and accepting it."""

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from schools.access import person, public, requires
from schools.actions import invitations as actions
from schools.actions.people import note_sign_in
from schools.models import Invitation, User
from schools.people_forms import InvitationForm, JoinForm
from schools.permissions import Permission


@requires(Permission.MANAGE_PEOPLE)
@require_http_methods(["GET", "POST"])
@never_cache
def people_invite(request: HttpRequest) -> HttpResponse:
    """Invite somebody by email to one role."""
    by, now = person(request), timezone.now()
    form = InvitationForm(request.POST or None, giver=by, now=now)
    if form.is_valid():
        try:
            invitation = actions.invite(
                email=form.cleaned_data["email"],
                name=form.cleaned_data["name"],
                role=form.chosen(),
                place=form.place(),
                by=by,
                now=now,
            )
        except actions.InvitationRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            _say(request, invitation)
            return redirect("people")
    status = 422 if form.errors else 200
    return render(request, "people/invite.html", {"form": form}, status=status)


@requires(Permission.MANAGE_PEOPLE)
@require_http_methods(["POST"])
def invitation_again(request: HttpRequest, invitation: int) -> HttpResponse:
    """Mail a new link; the old one stops working."""
    found = _find(request, invitation)
    try:
        again = actions.invite_again(
            invitation=found, by=person(request), now=timezone.now()
        )
    except actions.InvitationRefused as refusal:
        messages.error(request, str(refusal))
    else:
        _say(request, again)
    return redirect("people")


@requires(Permission.MANAGE_PEOPLE)
@require_http_methods(["POST"])
def invitation_withdraw(request: HttpRequest, invitation: int) -> HttpResponse:
    """Withdraw an invitation: its link stops working."""
    found = _find(request, invitation)
    try:
        actions.withdraw(invitation=found, by=person(request), now=timezone.now())
    except actions.InvitationRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The invitation of {found.email} is withdrawn.")
    return redirect("people")


@public(because="Somebody who is invited has no account yet; the link is the key.")
@sensitive_post_parameters("password", "again")
@require_http_methods(["GET", "POST"])
@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link of an invitation."""
    now = timezone.now()
    invitation = actions.find(token)
    problem = (
        actions.why_not(invitation, now)
        if invitation is not None
        else "This link is not ours, is incomplete, or a newer one was sent to you."
    )
    if invitation is None or problem:
        status = 404 if invitation is None else 410
        return render(
            request, "people/join_closed.html", {"problem": problem}, status=status
        )
    # Judged as the person they will be: a password like the name is refused.
    named = request.POST.get("name", "")
    form = JoinForm(
        request.POST if request.method == "POST" else None,
        user=User(email=invitation.email, name=named),
        name=invitation.name,
    )
    if form.is_valid():
        try:
            user = actions.accept(token=token, now=now, **form.joining())
        except actions.InvitationRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            login(request, user)
            note_sign_in(user=user, now=now)
            messages.success(request, "Welcome. This is what you may see and do.")
            return redirect("me")
    context = {"form": form, "invitation": invitation}
    status = 422 if form.errors else 200
    return render(request, "people/join.html", context, status=status)


def _find(request: HttpRequest, pk: int) -> Invitation:
    seen = Invitation.objects.visible_to(person(request))
    return get_object_or_404(seen.select_related("school", "agency"), pk=pk)


def _say(request: HttpRequest, invitation: Invitation) -> None:
    """Whether the mail left, which is known once the transaction is over."""
    invitation.refresh_from_db(fields=["mailed_at"])
    if invitation.mailed_at is None:
        messages.warning(
            request,
            f"{invitation.email} is invited, but no mail server took the mail. "
            "Nothing is lost: press “Send again” later.",
        )
        return
    until = timezone.localtime(invitation.expires_at)
    messages.success(
        request,
        f"Mailed to {invitation.email}. The link works once, until {until:%-d %B}.",
    )
