"""What the form must never be alone in refusing.

A sent alert keeps its mode and audience; a delivery has the mode of its alert, so the
constraint `only_live_alerts_reach_families` cannot be talked round.
"""

from django.db import migrations

POSTGRES = """
CREATE FUNCTION notifications_alert_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a sent alert keeps its mode and audience'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER sent_alerts_keep_mode_and_audience
    BEFORE UPDATE OF mode, audience ON notifications_alert FOR EACH ROW
    WHEN (OLD.state <> 'draft'
          AND (OLD.mode <> NEW.mode OR OLD.audience <> NEW.audience))
    EXECUTE FUNCTION notifications_alert_is_frozen();

CREATE FUNCTION notifications_delivery_mode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM added d JOIN notifications_alert a ON a.id = d.alert_id
               WHERE a.mode <> d.mode) THEN
        RAISE EXCEPTION 'a delivery has the mode of its alert'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER deliveries_have_the_mode_of_their_alert
    AFTER INSERT ON notifications_delivery REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION notifications_delivery_mode();
CREATE FUNCTION notifications_delivery_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a delivery keeps its mode and recipient'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER deliveries_keep_mode_and_recipient
    BEFORE UPDATE OF mode, recipient ON notifications_delivery FOR EACH ROW
    EXECUTE FUNCTION notifications_delivery_frozen();
ALTER TABLE notifications_delivery SET (fillfactor = 70);
"""

SQLITE = [
    """
CREATE TRIGGER sent_alerts_keep_mode_and_audience
    BEFORE UPDATE OF mode, audience ON notifications_alert FOR EACH ROW
    WHEN OLD.state <> 'draft'
         AND (OLD.mode <> NEW.mode OR OLD.audience <> NEW.audience)
BEGIN SELECT RAISE(ABORT, 'a sent alert keeps its mode and audience'); END
""",
    """
CREATE TRIGGER deliveries_have_the_mode_of_their_alert
    BEFORE INSERT ON notifications_delivery FOR EACH ROW
    WHEN NEW.mode <> (SELECT mode FROM notifications_alert WHERE id = NEW.alert_id)
BEGIN SELECT RAISE(ABORT, 'a delivery has the mode of its alert'); END
""",
    """
CREATE TRIGGER deliveries_keep_mode_and_recipient
    BEFORE UPDATE OF mode, recipient ON notifications_delivery FOR EACH ROW
BEGIN SELECT RAISE(ABORT, 'a delivery keeps its mode and recipient'); END
""",
]


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRES, params=None)
    else:
        for statement in SQLITE:
            schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]
    operations = [migrations.RunPython(guard, migrations.RunPython.noop)]
