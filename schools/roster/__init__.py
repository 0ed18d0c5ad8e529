"""Rosters in: opening a file, reading its rows, comparing, applying.

`opening -> tables -> cells -> contacts_csv | oneroster` give `rows`; `staging` keeps
them in the database; `changes` compares and applies; `running` does one step at a time.
"""
