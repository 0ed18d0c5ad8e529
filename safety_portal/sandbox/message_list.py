"""Reading back what was accepted: Twilio's message list with its filters and pages."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from urllib.parse import parse_qs, urlencode

from safety_portal.sandbox.texts import NEVER, TextStore


def list_document(
    store: TextStore, account: str, query_string: str, *, now: float, lag_s: float
) -> dict[str, Any]:
    """One page of accepted texts, newest first; ValueError on an unreadable filter.

    Filters: To, From (number or service), DateSent with <, > or exactly that day.
    Texts younger than `lag_s` are not listed yet: real lists are late too.
    """
    query = {name: values[0] for name, values in parse_qs(query_string).items()}
    size = min(max(int(query.get("PageSize", "50")), 1), 1000)
    page = max(int(query.get("Page", "0")), 0)
    since, until = _span(query)
    found = store.listed(
        to=query.get("To", ""),
        sender=query.get("From", ""),
        since=since,
        until=min(until, now - lag_s) if lag_s else until,
    )
    start = page * size
    rows = list(itertools.islice(found, start, start + size + 1))
    base = f"/2010-04-01/Accounts/{account}/Messages.json"

    def uri(number: int) -> str:
        return f"{base}?{urlencode(query | {'PageSize': size, 'Page': number})}"

    return {
        "messages": [store.document(text, now) for text in rows[:size]],
        "page": page,
        "page_size": size,
        "start": start,
        "end": start + max(len(rows[:size]) - 1, 0),
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1) if len(rows) > size else None,
        "previous_page_uri": uri(page - 1) if page else None,
        "uri": uri(page),
    }


def _span(query: dict[str, str]) -> tuple[float, float]:
    since, until = 0.0, NEVER
    if "DateSent>" in query:
        since = _moment(query["DateSent>"])
    if "DateSent<" in query:
        until = _moment(query["DateSent<"])
    if "DateSent" in query:
        since = _moment(query["DateSent"][:10])
        until = since + 86_400
    return since, until


def _moment(written: str) -> float:
    moment = dt.datetime.fromisoformat(written)
    return moment.replace(tzinfo=moment.tzinfo or dt.UTC).timestamp()
