"""Officers get assignments, a training clock and two logs.

Every officer's school becomes an assignment from Monday to Friday; somebody who stood
in several rows, one for each school, becomes one officer.
"""

import datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def move_officers(apps, schema_editor):
    """Make assignments of the schools, and know officers by who signs in for them."""
    Sro = apps.get_model("schools", "Sro")
    Assignment = apps.get_model("schools", "OfficerAssignment")
    Membership = apps.get_model("schools", "Membership")
    kept = {}
    for row in Sro.objects.order_by("assumed_duties_on", "pk"):
        same = (row.name, row.agency_id, str(row.phone))
        officer = kept.setdefault(same, row)
        others = Assignment.objects.filter(officer=officer, ended_on=None)
        if row.ended_on is None and others.filter(school=row.school_id).exists():
            pass  # the same officer at the same school, twice
        else:
            Assignment.objects.create(
                officer=officer,
                school_id=row.school_id,
                is_lead_school=row.ended_on is None
                and not others.filter(is_lead_school=True).exists(),
                started_on=row.assumed_duties_on,
                ended_on=row.ended_on,
            )
        if officer.pk != row.pk:
            if officer.ended_on is not None:
                ends = row.ended_on and max(row.ended_on, officer.ended_on)
                officer.ended_on = ends
                officer.save()
            row.delete()
    for officer in kept.values():
        signs_in = set(
            Membership.objects.filter(
                role="sro",
                ended_on=None,
                user__name=officer.name,
                school__in=officer.assignments.values("school"),
            ).values_list("user", flat=True)
        )
        if len(signs_in) == 1 and not Sro.objects.filter(user__in=signs_in).exists():
            Sro.objects.filter(pk=officer.pk).update(user=signs_in.pop())
    if schema_editor.connection.vendor == "postgresql":
        # Foreign keys are checked now: a table with checks pending cannot be altered.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        schema_editor.execute("SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):
    dependencies = [("schools", "0008_crisis_team")]
    operations = [
        migrations.RemoveConstraint(
            model_name='sro', name='an_officer_leaves_after_starting'
        ),
        migrations.RenameField('sro', 'started_on', 'assumed_duties_on'),
        migrations.CreateModel(
            name='DutyEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('on', models.DateField()),
                ('duty', models.CharField(choices=[('positive_climate', 'Foster a positive school climate'), ('protect', 'Protect people at the school from crime'), ('liaison', 'Liaison between police and the school'), ('drill_advice', 'Advise on safety drills'), ('vulnerabilities', 'Identify vulnerabilities'), ('educate', 'Teach and advise on law-enforcement topics'), ('enforce', 'Enforce criminal law')], max_length=20)),
                ('minutes', models.PositiveSmallIntegerField()),
                ('note', models.CharField(blank=True, max_length=500)),
                ('was_untrained', models.BooleanField(default=False, help_text='The officer was not yet trained for this duty on that day')),
                ('logged_at', models.DateTimeField()),
                ('struck_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-on', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='Engagement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('visit', 'Visit'), ('class', 'Class'), ('event', 'Event'), ('meeting', 'Meeting')], max_length=12)),
                ('on', models.DateField()),
                ('minutes', models.PositiveSmallIntegerField()),
                ('with_students', models.BooleanField(default=False)),
                ('with_staff', models.BooleanField(default=False)),
                ('with_families', models.BooleanField(default=False)),
                ('what', models.CharField(max_length=120)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('logged_at', models.DateTimeField()),
                ('struck_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-on', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='EngagementVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('said', models.JSONField(help_text='Words on screen, by label, of what changed')),
                ('replaced_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['-replaced_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='OfficerAssignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('monday', models.BooleanField(default=True)),
                ('tuesday', models.BooleanField(default=True)),
                ('wednesday', models.BooleanField(default=True)),
                ('thursday', models.BooleanField(default=True)),
                ('friday', models.BooleanField(default=True)),
                ('is_lead_school', models.BooleanField(default=False, help_text="Where the officer's desk is")),
                ('started_on', models.DateField()),
                ('ended_on', models.DateField(blank=True, help_text='Last day', null=True)),
            ],
            options={
                'ordering': ['-is_lead_school', 'started_on', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='OfficerCertificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('course', models.CharField(choices=[('required', 'Course on the required learning objectives (or its supplement)'), ('earlier', 'Earlier basic SRO course, before 1 September 2025')], max_length=16)),
                ('completed_on', models.DateField()),
                ('reference', models.CharField(blank=True, help_text='Number or provider on the certificate', max_length=120)),
                ('recorded_at', models.DateTimeField()),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_because', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'ordering': ['-completed_on', '-pk'],
            },
        ),
        migrations.AlterModelOptions(
            name='sro',
            options={'ordering': ['name', 'pk'], 'verbose_name': 'school resource officer'},
        ),
        migrations.AddField(
            model_name='sro',
            name='user',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='officer', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='sro',
            name='assumed_duties_on',
            field=models.DateField(help_text='First day as a school resource officer; the training clock starts'),
        ),
        migrations.AlterField(
            model_name='sro',
            name='ended_on',
            field=models.DateField(blank=True, help_text='Last day', null=True),
        ),
        migrations.AddField(
            model_name='dutyentry',
            name='logged_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='dutyentry',
            name='officer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='duties', to='schools.sro'),
        ),
        migrations.AddField(
            model_name='dutyentry',
            name='school',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='duties', to='schools.school'),
        ),
        migrations.AddField(
            model_name='dutyentry',
            name='struck_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='engagement',
            name='agency',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='engagements', to='schools.agency'),
        ),
        migrations.AddField(
            model_name='engagement',
            name='logged_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='engagement',
            name='officer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='engagements', to='schools.sro'),
        ),
        migrations.AddField(
            model_name='engagement',
            name='school',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='engagements', to='schools.school'),
        ),
        migrations.AddField(
            model_name='engagement',
            name='struck_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='engagementversion',
            name='engagement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='schools.engagement'),
        ),
        migrations.AddField(
            model_name='engagementversion',
            name='replaced_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='officerassignment',
            name='backup',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='backs_up', to='schools.sro'),
        ),
        migrations.AddField(
            model_name='officerassignment',
            name='officer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='schools.sro'),
        ),
        migrations.AddField(
            model_name='officerassignment',
            name='school',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='officer_assignments', to='schools.school'),
        ),
        migrations.AddField(
            model_name='officercertificate',
            name='officer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='certificates', to='schools.sro'),
        ),
        migrations.AddField(
            model_name='officercertificate',
            name='recorded_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='officercertificate',
            name='withdrawn_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='dutyentry',
            index=models.Index(fields=['officer', '-on'], name='duty_by_officer'),
        ),
        migrations.AddIndex(
            model_name='dutyentry',
            index=models.Index(fields=['school', '-on'], name='duty_by_school'),
        ),
        migrations.AddConstraint(
            model_name='dutyentry',
            constraint=models.CheckConstraint(condition=models.Q(('minutes__gte', 1), ('minutes__lte', 1440)), name='a_duty_takes_a_minute_to_a_day'),
        ),
        migrations.AddConstraint(
            model_name='dutyentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('struck_at', None), ('struck_by', None)), models.Q(('struck_at__isnull', False), ('struck_by__isnull', False)), _connector='OR'), name='a_struck_duty_says_when_and_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='dutyentry',
            constraint=models.CheckConstraint(condition=models.Q(('was_untrained', False), ('duty__in', ['drill_advice', 'vulnerabilities']), _connector='OR'), name='only_two_duties_wait_for_training'),
        ),
        migrations.AddIndex(
            model_name='engagement',
            index=models.Index(fields=['school', '-on'], name='engagement_by_school'),
        ),
        migrations.AddIndex(
            model_name='engagement',
            index=models.Index(fields=['-on', '-id'], name='engagement_by_day'),
        ),
        migrations.AddConstraint(
            model_name='engagement',
            constraint=models.CheckConstraint(condition=models.Q(('minutes__gte', 1), ('minutes__lte', 1440)), name='an_engagement_takes_a_minute_to_a_day'),
        ),
        migrations.AddConstraint(
            model_name='engagement',
            constraint=models.CheckConstraint(condition=models.Q(('with_students', True), ('with_staff', True), ('with_families', True), _connector='OR'), name='an_engagement_is_with_somebody'),
        ),
        migrations.AddConstraint(
            model_name='engagement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('struck_at', None), ('struck_by', None)), models.Q(('struck_at__isnull', False), ('struck_by__isnull', False)), _connector='OR'), name='a_struck_engagement_says_when_and_by_whom'),
        ),
        migrations.AddConstraint(
            model_name='officerassignment',
            constraint=models.CheckConstraint(condition=models.Q(('ended_on', None), ('ended_on__gte', models.F('started_on')), _connector='OR'), name='an_assignment_ends_after_it_starts'),
        ),
        migrations.AddConstraint(
            model_name='officerassignment',
            constraint=models.CheckConstraint(condition=models.Q(('monday', True), ('tuesday', True), ('wednesday', True), ('thursday', True), ('friday', True), _connector='OR'), name='an_assignment_names_a_weekday'),
        ),
        migrations.AddConstraint(
            model_name='officerassignment',
            constraint=models.CheckConstraint(condition=models.Q(('backup', None), models.Q(('backup', models.F('officer')), _negated=True), _connector='OR'), name='no_officer_is_their_own_backup'),
        ),
        migrations.AddConstraint(
            model_name='officerassignment',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_on', None)), fields=('officer', 'school'), name='an_officer_is_assigned_to_a_school_once'),
        ),
        migrations.AddConstraint(
            model_name='officerassignment',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_on', None), ('is_lead_school', True)), fields=('officer',), name='an_officer_has_one_lead_school'),
        ),
        migrations.AddConstraint(
            model_name='officercertificate',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_at', None), ('withdrawn_because', ''), ('withdrawn_by', None)), models.Q(('withdrawn_at__isnull', False), ('withdrawn_by__isnull', False), models.Q(('withdrawn_because', ''), _negated=True)), _connector='OR'), name='a_withdrawn_certificate_says_when_by_whom_and_why'),
        ),
        migrations.AddConstraint(
            model_name='officercertificate',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('course', 'earlier'), _negated=True), ('completed_on__lt', datetime.date(2025, 9, 1)), _connector='OR'), name='an_earlier_course_was_before_september_2025'),
        ),
        migrations.RunPython(move_officers),
        migrations.RemoveField(model_name='sro', name='school'),
        migrations.AddConstraint(
            model_name='sro',
            constraint=models.CheckConstraint(condition=models.Q(('ended_on', None), ('ended_on__gte', models.F('assumed_duties_on')), _connector='OR'), name='an_officer_leaves_after_starting'),
        ),
    ]
