"""Safety plans, and what the database refuses to let happen to them.

A version that was adopted keeps every word. Later a version may supersede it, a board's
approval may be recorded once, a text may be restricted (never the other way), and who
took part may be added to. The triggers look at the plan under a share lock, so that
nothing slips in while it is being adopted.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

POSTGRES = """
CREATE FUNCTION schools_plan_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an adopted plan cannot be changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION schools_plan_is_closed(plan bigint) RETURNS boolean LANGUAGE sql AS $$
    SELECT status IN ('adopted', 'superseded') FROM schools_safetyplan
    WHERE id = plan FOR SHARE
$$;

CREATE TRIGGER adopted_plans_stay BEFORE DELETE ON schools_safetyplan FOR EACH ROW
    WHEN (OLD.status IN ('adopted', 'superseded'))
    EXECUTE FUNCTION schools_plan_stays();
CREATE TRIGGER adopted_plans_keep_what_they_say
    BEFORE UPDATE ON schools_safetyplan FOR EACH ROW
    WHEN (OLD.status IN ('adopted', 'superseded') AND (%(changed)s))
    EXECUTE FUNCTION schools_plan_stays();

CREATE FUNCTION schools_plan_part_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
CREATE TRIGGER sections_of_adopted_plans_stay
    BEFORE INSERT OR UPDATE OR DELETE ON schools_plansection FOR EACH ROW
    EXECUTE FUNCTION schools_plan_part_stays();
CREATE TRIGGER participations_of_adopted_plans_stay
    BEFORE UPDATE OR DELETE ON schools_planparticipation FOR EACH ROW
    EXECUTE FUNCTION schools_plan_part_stays();

CREATE FUNCTION schools_plan_text_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.determination_id IS NULL AND
            (NEW.section_id, NEW.phase, NEW.audience, NEW.body)
            = (OLD.section_id, OLD.phase, OLD.audience, OLD.body) THEN
        RETURN NEW;
    END IF;
    IF TG_OP <> 'INSERT' AND schools_plan_is_closed(
            (SELECT plan_id FROM schools_plansection WHERE id = OLD.section_id)) THEN
        RAISE EXCEPTION 'an adopted plan cannot be changed or deleted'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP <> 'DELETE' AND schools_plan_is_closed(
            (SELECT plan_id FROM schools_plansection WHERE id = NEW.section_id)) THEN
        RAISE EXCEPTION 'an adopted plan cannot be changed or deleted'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER texts_of_adopted_plans_stay
    BEFORE INSERT OR UPDATE OR DELETE ON schools_plantext FOR EACH ROW
    EXECUTE FUNCTION schools_plan_text_stays();

CREATE FUNCTION schools_determination_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a determination is lifted once and otherwise stays'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER determinations_stay BEFORE DELETE ON schools_determination
    FOR EACH ROW EXECUTE FUNCTION schools_determination_stays();
CREATE TRIGGER determinations_are_only_lifted
    BEFORE UPDATE ON schools_determination FOR EACH ROW
    WHEN (OLD.lifted_at IS NOT NULL OR (%(redetermined)s))
    EXECUTE FUNCTION schools_determination_stays();
"""


def differ(columns, unequal):
    new = ", ".join(f"NEW.{column}" for column in columns)
    old = ", ".join(f"OLD.{column}" for column in columns)
    return f"({new}) {unequal} ({old})"


KEPT = [
    "school_id", "version", "started_at", "started_by_id", "started_from_id",
    "sent_to_review_at", "sent_to_review_by_id", "returned_because",
    "adopted_on", "adopted_by_id", "review_due_on",
]
DETERMINED = [
    "school_id", "section_key", "phase", "audience",
    "determined_at", "determined_by_id", "because",
]


def conditions(unequal):
    """What may not differ, in words of a database: `unequal` knows about NULL."""
    board = ["board_approved_on", "board_approval_recorded_by_id"]
    status = ["status", "superseded_on"]
    return {
        "changed": f"{differ(KEPT, unequal)}"
        f" OR (OLD.board_approved_on IS NOT NULL AND {differ(board, unequal)})"
        f" OR ({differ(status, unequal)}"
        " AND NOT (OLD.status = 'adopted' AND NEW.status = 'superseded'))",
        "redetermined": differ(DETERMINED, unequal),
    }


STAYS = "SELECT RAISE(ABORT, 'an adopted plan cannot be changed or deleted')"


def closed(plan):
    return (
        "(SELECT status FROM schools_safetyplan WHERE id = " + plan + ")"
        " IN ('adopted', 'superseded')"
    )


def of_section(row):
    return f"(SELECT plan_id FROM schools_plansection WHERE id = {row}.section_id)"


def sqlite():
    words = conditions("IS NOT")
    yield f"""
CREATE TRIGGER adopted_plans_stay BEFORE DELETE ON schools_safetyplan
    WHEN OLD.status IN ('adopted', 'superseded') BEGIN {STAYS}; END
"""
    yield f"""
CREATE TRIGGER adopted_plans_keep_what_they_say BEFORE UPDATE ON schools_safetyplan
    WHEN OLD.status IN ('adopted', 'superseded') AND ({words["changed"]})
BEGIN {STAYS}; END
"""
    for table, name in (
        ("schools_plansection", "sections"),
        ("schools_planparticipation", "participations"),
        ("schools_plantext", "texts"),
    ):
        text = name == "texts"
        old = closed(of_section("OLD") if text else "OLD.plan_id")
        new = closed(of_section("NEW") if text else "NEW.plan_id")
        restricting = (
            " AND NOT (OLD.determination_id IS NULL AND (NEW.section_id, NEW.phase,"
            " NEW.audience, NEW.body) IS (OLD.section_id, OLD.phase, OLD.audience,"
            " OLD.body))"
            if text
            else ""
        )
        yield f"""
CREATE TRIGGER {name}_of_adopted_plans_are_not_changed BEFORE UPDATE ON {table}
    WHEN ({old} OR {new}){restricting} BEGIN {STAYS}; END
"""
        yield f"""
CREATE TRIGGER {name}_of_adopted_plans_are_not_deleted BEFORE DELETE ON {table}
    WHEN {old} BEGIN {STAYS}; END
"""
        if name != "participations":
            yield f"""
CREATE TRIGGER {name}_of_adopted_plans_are_not_added BEFORE INSERT ON {table}
    WHEN {new} BEGIN {STAYS}; END
"""
    once = "SELECT RAISE(ABORT, 'a determination is lifted once and otherwise stays')"
    yield f"""
CREATE TRIGGER determinations_stay BEFORE DELETE ON schools_determination
BEGIN {once}; END
"""
    yield f"""
CREATE TRIGGER determinations_are_only_lifted BEFORE UPDATE ON schools_determination
    WHEN OLD.lifted_at IS NOT NULL OR ({words["redetermined"]}) BEGIN {once}; END
"""


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        words = conditions("IS DISTINCT FROM")
        schema_editor.execute(POSTGRES % words, params=None)
    else:
        for statement in sqlite():
            schema_editor.execute(statement)



class Migration(migrations.Migration):

    dependencies = [
        ('schools', '0003_roster'),
    ]

    operations = [
        migrations.CreateModel(
            name='Determination',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('section_key', models.CharField(max_length=60)),
                ('phase', models.CharField(choices=[('throughout', 'At all times'), ('before', 'Before'), ('during', 'During'), ('after', 'After')], max_length=12)),
                ('audience', models.CharField(choices=[('public', 'Everyone'), ('family', 'Families'), ('staff', 'Staff'), ('responder', 'Responders'), ('restricted', 'Restricted')], help_text='Whom the text was written for', max_length=12)),
                ('determined_at', models.DateTimeField()),
                ('because', models.TextField()),
                ('lifted_at', models.DateTimeField(blank=True, null=True)),
                ('lifted_because', models.TextField(blank=True)),
                ('determined_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='determinations', to='schools.school')),
            ],
            options={
                'ordering': ['-determined_at'],
            },
        ),
        migrations.CreateModel(
            name='FamilyLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(max_length=64, unique=True)),
                ('made_at', models.DateTimeField()),
                ('made_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('school', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='family_link', to='schools.school')),
            ],
        ),
        migrations.CreateModel(
            name='PlanSection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=60)),
                ('kind', models.CharField(choices=[('basic', 'Basic plan'), ('functional', 'Functional annexes'), ('hazard', 'Hazard annexes')], max_length=12)),
                ('hazard_type', models.CharField(blank=True, choices=[('natural', 'Natural'), ('technological', 'Technological'), ('biological', 'Biological'), ('human_caused', 'Human-caused')], max_length=16)),
                ('title', models.CharField(max_length=120)),
                ('position', models.PositiveSmallIntegerField()),
                ('does_not_apply_because', models.CharField(blank=True, max_length=300)),
                ('revision', models.PositiveIntegerField(default=0)),
                ('edited_at', models.DateTimeField(blank=True, help_text='None: still as the template has it', null=True)),
                ('edited_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['plan', 'position'],
            },
        ),
        migrations.CreateModel(
            name='PlanText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phase', models.CharField(choices=[('throughout', 'At all times'), ('before', 'Before'), ('during', 'During'), ('after', 'After')], max_length=12)),
                ('audience', models.CharField(choices=[('public', 'Everyone'), ('family', 'Families'), ('staff', 'Staff'), ('responder', 'Responders'), ('restricted', 'Restricted')], max_length=12)),
                ('body', models.TextField()),
                ('determination', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='texts', to='schools.determination')),
                ('section', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='schools.plansection')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='SafetyPlan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveSmallIntegerField(help_text='1, 2, 3 … at each school')),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('review', 'In review'), ('adopted', 'Adopted'), ('superseded', 'Superseded')], default='draft', max_length=12)),
                ('started_at', models.DateTimeField()),
                ('sent_to_review_at', models.DateTimeField(blank=True, null=True)),
                ('returned_because', models.TextField(blank=True)),
                ('adopted_on', models.DateField(blank=True, null=True)),
                ('review_due_on', models.DateField(blank=True, null=True)),
                ('superseded_on', models.DateField(blank=True, null=True)),
                ('board_approved_on', models.DateField(blank=True, null=True)),
                ('adopted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('board_approval_recorded_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('school', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='plans', to='schools.school')),
                ('sent_to_review_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('started_from', models.ForeignKey(blank=True, help_text='The version it was copied from; none: from the template', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='schools.safetyplan')),
            ],
            options={
                'ordering': ['school__name', '-version'],
            },
        ),
        migrations.AddField(
            model_name='plansection',
            name='plan',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sections', to='schools.safetyplan'),
        ),
        migrations.CreateModel(
            name='PlanParticipation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(choices=[('administrators', 'Administrators'), ('teachers', 'Teachers'), ('employees', 'Employees'), ('students', 'Students'), ('parents', 'Parents'), ('community_members', 'Community members'), ('law_enforcement', 'Law enforcement agencies'), ('emergency_management', 'Other emergency management officials'), ('county_attorney', 'County attorney offices'), ('social_services', 'Social service agencies'), ('medical_responders', 'Emergency medical responders'), ('others', 'Others')], max_length=24)),
                ('who', models.CharField(max_length=160)),
                ('how', models.CharField(blank=True, max_length=300)),
                ('took_part_on', models.DateField()),
                ('recorded_at', models.DateTimeField()),
                ('recorded_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('plan', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='participations', to='schools.safetyplan')),
            ],
            options={
                'ordering': ['took_part_on', 'pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='determination',
            constraint=models.CheckConstraint(condition=models.Q(('because', ''), _negated=True), name='a_determination_says_why'),
        ),
        migrations.AddConstraint(
            model_name='determination',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lifted_at', None), ('lifted_because', ''), ('lifted_by', None)), models.Q(('lifted_at__isnull', False), ('lifted_by__isnull', False), models.Q(('lifted_because', ''), _negated=True)), _connector='OR'), name='a_lifted_determination_says_when_by_whom_and_why'),
        ),
        migrations.AddConstraint(
            model_name='plantext',
            constraint=models.UniqueConstraint(fields=('section', 'phase', 'audience'), name='one_text_per_section_phase_and_audience'),
        ),
        migrations.AddConstraint(
            model_name='plantext',
            constraint=models.CheckConstraint(condition=models.Q(('audience__in', ['public', 'family', 'staff', 'responder'])), name='a_text_is_restricted_by_determination_and_not_by_audience'),
        ),
        migrations.AddConstraint(
            model_name='safetyplan',
            constraint=models.UniqueConstraint(fields=('school', 'version'), name='one_plan_per_school_and_version'),
        ),
        migrations.AddConstraint(
            model_name='safetyplan',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'adopted')), fields=('school',), name='one_adopted_plan_per_school'),
        ),
        migrations.AddConstraint(
            model_name='safetyplan',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ['draft', 'review'])), fields=('school',), name='one_plan_per_school_is_being_worked_on'),
        ),
        migrations.AddConstraint(
            model_name='safetyplan',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'review', 'adopted', 'superseded'])), name='a_plan_is_in_a_known_status'),
        ),
        migrations.AddConstraint(
            model_name='safetyplan',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('adopted_by', None), ('adopted_on', None), ('review_due_on', None), ('status__in', ['draft', 'review'])), models.Q(('adopted_by__isnull', False), ('adopted_on__isnull', False), ('review_due_on__gt', models.F('adopted_on')), ('status__in', ['adopted', 'superseded'])), _connector='OR'), name='an_adopted_plan_says_when_by_whom_and_until'),
        ),
        migrations.AddConstraint(
            model_name='safetyplan',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'superseded'), ('superseded_on__isnull', False)), models.Q(models.Q(('status', 'superseded'), _negated=True), ('superseded_on', None)), _connector='OR'), name='a_superseded_plan_says_since_when'),
        ),
        migrations.AddConstraint(
            model_name='safetyplan',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('sent_to_review_at__isnull', False), ('sent_to_review_by__isnull', False)), models.Q(('sent_to_review_at', None), ('sent_to_review_by', None), ('status', 'draft')), _connector='OR'), name='a_plan_past_its_draft_says_who_sent_it_to_review'),
        ),
        migrations.AddConstraint(
            model_name='safetyplan',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('board_approval_recorded_by', None), ('board_approved_on', None)), models.Q(('board_approval_recorded_by__isnull', False), ('board_approved_on__isnull', False)), _connector='OR'), name='a_board_approval_says_who_recorded_it'),
        ),
        migrations.AddConstraint(
            model_name='plansection',
            constraint=models.UniqueConstraint(fields=('plan', 'key'), name='one_section_per_plan_and_key'),
        ),
        migrations.AddConstraint(
            model_name='plansection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('hazard_type', ''), ('kind__in', ['basic', 'functional'])), models.Q(('kind', 'hazard'), models.Q(('hazard_type', ''), _negated=True)), _connector='OR'), name='a_hazard_section_names_its_type_and_no_other_does'),
        ),
        migrations.AddConstraint(
            model_name='plansection',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'hazard'), ('does_not_apply_because', ''), _connector='OR'), name='only_a_hazard_may_not_apply'),
        ),
        migrations.AddConstraint(
            model_name='plansection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('edited_at', None), ('edited_by', None)), models.Q(('edited_at__isnull', False), ('edited_by__isnull', False)), _connector='OR'), name='an_edited_section_says_when_and_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='planparticipation',
            constraint=models.UniqueConstraint(fields=('plan', 'group', 'who', 'took_part_on'), name='a_participation_is_recorded_once'),
        ),
        migrations.AddConstraint(
            model_name='planparticipation',
            constraint=models.CheckConstraint(condition=models.Q(('who', ''), _negated=True), name='a_participation_says_who'),
        ),
        migrations.RunPython(guard, migrations.RunPython.noop),
    ]
