"""Which address means what, and who may ask."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, unquote

from safety_portal.sandbox.control import Control, Controlled
from safety_portal.sandbox.http import Answer, Request, json_reply, reply
from safety_portal.sandbox.inbound import NoSender, Phones
from safety_portal.sandbox.messages_api import MessagesApi
from safety_portal.sandbox.pages import SECURITY_HEADERS, Pages

_NUMBER = re.compile(r"\+?\d{3,15}")
_LOOPBACK_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")


class Routes:
    """Sends each request to the API, the pages or the controls."""

    def __init__(
        self, carrier: Controlled, api: MessagesApi, phones: Phones, pages: Pages
    ) -> None:
        self._api = api
        self._phones = phones
        self._pages = pages
        self._control = Control(carrier)

    def handle(self, request: Request) -> Answer:
        """Answer one request."""
        if request.is_api:
            return self._api.handle(request)
        host = request.headers.get(b"host", b"").decode("latin-1")
        if not _LOOPBACK_HOST.fullmatch(host):
            # A page elsewhere may resolve its own name to 127.0.0.1 (DNS rebinding).
            return self._pages.missing(403, "Ask for this machine by its own name.")
        origin = request.headers.get(b"origin", b"").decode("latin-1")
        if origin and origin != f"http://{host}" and request.method != b"GET":
            return self._pages.missing(403, "This form was sent from another site.")
        path = unquote(request.path.decode("latin-1"))
        if request.method == b"GET":
            return self._get(path, _first(request.query))
        if request.method == b"POST":
            return self._post(path, request)
        return self._pages.missing(405, "Only looking (GET) and sending (POST) work.")

    def _get(self, path: str, query: dict[str, str]) -> bytes:
        refresh = query.get("refresh") == "on"
        _, first, *rest = path.split("/", 2)
        tail = rest[0] if rest else ""
        match first:
            case "":
                return self._pages.home(query.get("q", "").strip(), refresh=refresh)
            case "phone" if _NUMBER.fullmatch(tail):
                notice = "Nobody has texted this phone yet." if "no" in query else ""
                return self._pages.phone(tail, refresh=refresh, notice=notice)
            case "mail" if "@" in tail:
                return self._pages.mailbox(tail, refresh=refresh)
            case "_control":
                return self._control.look(tail, query)
            case "_static":
                found = self._pages.static(tail)
                if found is not None:
                    return found
        return self._pages.missing(404, "There is no such page.")

    def _post(self, path: str, request: Request) -> Answer:
        if path.startswith("/_control/"):
            return self._control.change(path.removeprefix("/_control/"), request.body)
        number = path.removeprefix("/_phone/").removesuffix("/reply")
        if path == f"/_phone/{number}/reply" and _NUMBER.fullmatch(number):
            return self._reply(number, request)
        return self._pages.missing(404, "There is no such page.")

    async def _reply(self, number: str, request: Request) -> bytes:
        form = _first(request.body)
        body = form.get("body", "").strip()
        wants_json = b"json" in request.headers.get(b"accept", b"")
        back = f"/phone/{quote(number, safe='+')}"
        if not body:
            return (
                json_reply(400, {"error": "Say something."})
                if wants_json
                else (_see_other(back))
            )
        try:
            said = await self._phones.answer(number, body, form.get("sender", ""))
        except NoSender as nobody:
            if wants_json:
                return json_reply(409, {"error": str(nobody)})
            return _see_other(back + "?no=sender")
        if not wants_json:
            return _see_other(back + "#latest")
        return json_reply(
            200,
            {
                "sid": said.sid,
                "sender": said.sender,
                "effect": said.effect,
                "portal": said.portal,
            },
        )


def _first(encoded: bytes) -> dict[str, str]:
    query = parse_qs(encoded.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in query.items()}


def _see_other(where: str) -> bytes:
    headers = f"Location: {where}\r\n{SECURITY_HEADERS}"
    return reply(303, b"", content_type="text/plain", headers=headers)
