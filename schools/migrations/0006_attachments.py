"""Attachments and rally points of plans; an adopted version keeps them as they are.

An attachment of an adopted version may still be restricted, once, like its texts.
"""

import django.db.models.deletion
import schools.models.attachments
from django.conf import settings
from django.db import migrations, models



KEPT = [
    "plan_id", "kind", "title", "description", "audience", "file", "file_name",
    "content_type", "size", "width", "height", "sha256", "added_at", "added_by_id",
]
NEW, OLD = (", ".join(f'{row}."{one}"' for one in KEPT) for row in ("NEW", "OLD"))

POSTGRES = f"""
CREATE FUNCTION schools_attachment_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.restricted_at IS NULL
            AND ({NEW}) IS NOT DISTINCT FROM ({OLD}) THEN
        RETURN NEW;
    END IF;
    IF TG_OP <> 'INSERT' AND schools_plan_is_closed(OLD.plan_id) THEN
        RAISE EXCEPTION 'an adopted plan cannot be changed or deleted'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP <> 'DELETE' AND schools_plan_is_closed(NEW.plan_id) THEN
        RAISE EXCEPTION 'an adopted plan cannot be changed or deleted'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER attachments_of_adopted_plans_stay
    BEFORE INSERT OR UPDATE OR DELETE ON schools_planattachment FOR EACH ROW
    EXECUTE FUNCTION schools_attachment_stays();
CREATE TRIGGER rally_points_of_adopted_plans_stay
    BEFORE INSERT OR UPDATE OR DELETE ON schools_rallypoint FOR EACH ROW
    EXECUTE FUNCTION schools_plan_part_stays();
"""


def sqlite():
    stays = "SELECT RAISE(ABORT, 'an adopted plan cannot be changed or deleted')"
    closed = (
        "(SELECT status FROM schools_safetyplan WHERE id = {}.plan_id)"
        " IN ('adopted', 'superseded')"
    )
    old, new = closed.format("OLD"), closed.format("NEW")
    restricting = f" AND NOT (OLD.restricted_at IS NULL AND ({NEW}) IS ({OLD}))"
    for table, name in (
        ("schools_planattachment", "attachments"),
        ("schools_rallypoint", "rally_points"),
    ):
        but = restricting if name == "attachments" else ""
        for event, when in (
            ("UPDATE", f"({old} OR {new}){but}"),
            ("DELETE", old),
            ("INSERT", new),
        ):
            yield f"""
CREATE TRIGGER {name}_of_adopted_plans_stay_on_{event.lower()}
    BEFORE {event} ON {table} WHEN {when} BEGIN {stays}; END
"""


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRES, params=None)
    else:
        for statement in sqlite():
            schema_editor.execute(statement)


class Migration(migrations.Migration):

    dependencies = [
        ('schools', '0005_school_calendar'),
    ]

    operations = [
        migrations.CreateModel(
            name='PlanAttachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('map', 'Map or floor plan'), ('rally_point', 'Picture of a rally point'), ('photo', 'Photo'), ('document', 'Document')], max_length=12)),
                ('title', models.CharField(max_length=120)),
                ('description', models.CharField(help_text='What it shows, for those who cannot see it', max_length=500)),
                ('audience', models.CharField(choices=[('public', 'Everyone'), ('family', 'Families'), ('staff', 'Staff'), ('responder', 'Responders'), ('restricted', 'Restricted')], max_length=12)),
                ('file', models.FileField(upload_to=schools.models.attachments.random_name)),
                ('file_name', models.CharField(help_text='As it was uploaded', max_length=120)),
                ('content_type', models.CharField(max_length=40)),
                ('size', models.PositiveIntegerField(help_text='Bytes')),
                ('width', models.PositiveIntegerField(blank=True, help_text='Pixels', null=True)),
                ('height', models.PositiveIntegerField(blank=True, help_text='Pixels', null=True)),
                ('sha256', models.CharField(max_length=64)),
                ('added_at', models.DateTimeField()),
                ('restricted_at', models.DateTimeField(blank=True, null=True)),
                ('restricted_because', models.TextField(blank=True)),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='schools.safetyplan')),
                ('restricted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('audience__in', ['staff', 'responder'])), name='an_attachment_is_for_staff_or_responders'), models.CheckConstraint(condition=models.Q(('content_type__in', ('application/pdf', 'image/png', 'image/jpeg'))), name='an_attachment_is_a_pdf_or_a_picture'), models.CheckConstraint(condition=models.Q(models.Q(('content_type', 'application/pdf'), ('height', None), ('width', None)), models.Q(models.Q(('content_type', 'application/pdf'), _negated=True), ('height__gt', 0), ('height__isnull', False), ('width__gt', 0), ('width__isnull', False)), _connector='OR'), name='a_picture_has_a_width_and_a_height'), models.CheckConstraint(condition=models.Q(models.Q(('title', ''), _negated=True), models.Q(('description', ''), _negated=True)), name='an_attachment_says_what_it_shows'), models.CheckConstraint(condition=models.Q(models.Q(('restricted_at', None), ('restricted_because', ''), ('restricted_by', None)), models.Q(('restricted_at__isnull', False), ('restricted_by__isnull', False), models.Q(('restricted_because', ''), _negated=True)), _connector='OR'), name='a_restricted_attachment_says_when_by_whom_and_why')],
            },
        ),
        migrations.CreateModel(
            name='RallyPoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('use', models.CharField(choices=[('assembly', 'Assembly'), ('second_assembly', 'Second assembly, if the first is unsafe'), ('reunification', 'Family reunification'), ('staging', 'Responders arrive'), ('other', 'Other')], max_length=16)),
                ('where', models.CharField(help_text='As a driver would be told', max_length=200)),
                ('note', models.CharField(blank=True, max_length=300)),
                ('audience', models.CharField(choices=[('public', 'Everyone'), ('family', 'Families'), ('staff', 'Staff'), ('responder', 'Responders'), ('restricted', 'Restricted')], default='staff', max_length=12)),
                ('added_at', models.DateTimeField()),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rally_points', to='schools.safetyplan')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('plan', 'name'), name='a_rally_point_is_named_once_in_a_plan'), models.CheckConstraint(condition=models.Q(('audience__in', ['staff', 'responder'])), name='a_rally_point_is_for_staff_or_responders'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('where', ''), _negated=True)), name='a_rally_point_says_where_it_is')],
            },
        ),
        migrations.RunPython(guard, migrations.RunPython.noop),
    ]
