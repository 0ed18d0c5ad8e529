"""The rehearsal: a live alert to everyone, carried out for real, that cannot leave.

A second portal is started in a folder of its own (`portal`), with its own database,
broker, workers and sandbox carrier. The people of the real one are copied into it
(`copying`), an alert is pressed there, and what came of it is counted (`running`).
Nothing is written to the real database. docs/readiness.md tells how to read the result.
"""
