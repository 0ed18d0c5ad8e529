"""The calendar as files: CSV tables and iCalendar (RFC 5545), in and out.

Reading gives rows and problems, and never stops at the first bad line. What is written
can be read again and says the same.
"""
