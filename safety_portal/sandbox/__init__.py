"""A carrier that reaches nobody: Twilio's Messages API and an SMTP server, pretended.

One asyncio process on loopback, used by the demo, the tests, the fault matrix and the
benchmarks.  It knows nothing of the portal: the two meet over HTTP and SMTP only.

    python -m safety_portal.sandbox --http-port 0 --smtp-port 0

Tests start it with `safety_portal.sandbox.client.running_carrier`.
"""
