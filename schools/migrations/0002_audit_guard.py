"""Audit rows cannot be edited or deleted: the database refuses, whoever asks."""

from django.db import migrations

POSTGRES = """
CREATE FUNCTION schools_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events cannot be changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER audit_events_stay BEFORE UPDATE OR DELETE ON schools_auditevent
    FOR EACH ROW EXECUTE FUNCTION schools_audit_is_append_only();
CREATE TRIGGER audit_events_are_not_truncated BEFORE TRUNCATE ON schools_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION schools_audit_is_append_only();
"""

SQLITE = [
    f"""
CREATE TRIGGER audit_events_stay_{event.lower()} BEFORE {event} ON schools_auditevent
BEGIN SELECT RAISE(ABORT, 'audit events cannot be changed or deleted'); END
"""
    for event in ("UPDATE", "DELETE")
]


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRES, params=None)
    else:
        for statement in SQLITE:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("schools", "0001_initial")]
    operations = [migrations.RunPython(guard, migrations.RunPython.noop)]
