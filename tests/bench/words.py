"""The one text that everybody sends, ours and the peers: one segment of GSM-7."""

TEXT = (
    "Lincoln High: LOCKDOWN in effect since 10:42. Students are safe inside. Do NOT "
    "come to campus. Updates: http://127.0.0.1:8000/a/7f3k"
)
