"""Addresses of the ground floor."""

from django.urls import include, path

from schools.views import (
    agreements,
    audit,
    crisis_team,
    duties,
    engagement,
    officers,
    partner_contacts,
    partners,
    people,
    roster,
    schools,
    team_availability,
)

urlpatterns = [
    path("sign-in", people.sign_in, name="sign_in"),
    path("sign-out", people.sign_out, name="sign_out"),
    path("schools", schools.school_list, name="schools"),
    path("schools/<slug:code>", schools.school, name="school"),
    path("officers", officers.officers, name="officers"),
    path("officers/new", officers.officer_new, name="officer_new"),
    path("officers/duties", duties.duties, name="duties"),
    path("officers/duties/new", duties.duty_new, name="duty_new"),
    path(
        "officers/duties/<int:duty_entry>/strike",
        duties.duty_strike,
        name="duty_strike",
    ),
    path("officers/<int:officer>", officers.officer, name="officer"),
    path("officers/<int:officer>/edit", officers.officer_edit, name="officer_edit"),
    path("officers/<int:officer>/leave", officers.officer_leave, name="officer_leave"),
    path(
        "officers/<int:officer>/assign", officers.assignment_new, name="assignment_new"
    ),
    path(
        "officers/<int:officer>/courses/new",
        officers.certificate_new,
        name="certificate_new",
    ),
    path(
        "officers/assignments/<int:assignment>", officers.assignment, name="assignment"
    ),
    path(
        "officers/courses/<int:certificate>/withdraw",
        officers.certificate_withdraw,
        name="certificate_withdraw",
    ),
    path("engagement", engagement.engagements, name="engagements"),
    path("engagement.csv", engagement.engagements_csv, name="engagements_csv"),
    path("engagement/new", engagement.engagement_new, name="engagement_new"),
    path("engagement/year", engagement.engagement_year, name="engagement_year"),
    path(
        "engagement/year.csv",
        engagement.engagement_year_csv,
        name="engagement_year_csv",
    ),
    path(
        "engagement/year.pdf",
        engagement.engagement_year_pdf,
        name="engagement_year_pdf",
    ),
    path("engagement/<int:engagement>", engagement.engagement, name="engagement"),
    path(
        "engagement/<int:engagement>/strike",
        engagement.engagement_strike,
        name="engagement_strike",
    ),
    path(
        "schools/<slug:code>/engagement",
        engagement.school_engagement,
        name="school_engagement",
    ),
    path(
        "schools/<slug:code>/engagement.csv",
        engagement.school_engagement_csv,
        name="school_engagement_csv",
    ),
    path(
        "schools/<slug:code>/engagement.pdf",
        engagement.school_engagement_pdf,
        name="school_engagement_pdf",
    ),
    path("agencies", partners.agencies, name="agencies"),
    path("agencies/new", partners.agency_new, name="agency_new"),
    path("agencies/mine", partners.agency_home, name="agency_home"),
    path("agencies/ending", partners.agreements_ending, name="agreements_ending"),
    path("agencies/<int:agency>", partners.agency, name="agency"),
    path("agencies/<int:agency>/edit", partners.agency_edit, name="agency_edit"),
    path(
        "agencies/<int:agency>/agreements/new",
        agreements.agreement_new,
        name="agreement_new",
    ),
    path("agencies/agreements/<int:agreement>", agreements.agreement, name="agreement"),
    path(
        "agencies/agreements/<int:agreement>/renew",
        agreements.agreement_renew,
        name="agreement_renew",
    ),
    path(
        "agencies/agreements/<int:agreement>/end",
        agreements.agreement_end,
        name="agreement_end",
    ),
    path("", include("schools.calendar_urls")),
    path("audit", audit.audit, name="audit"),
    path("roster", roster.roster, name="roster"),
    path("roster/example.csv", roster.roster_example, name="roster_example"),
    path("roster/<int:pk>", roster.roster_import, name="roster_import"),
    path("roster/<int:pk>/apply", roster.roster_apply, name="roster_apply"),
    path("roster/<int:pk>/retry", roster.roster_retry, name="roster_retry"),
    path("roster/<int:pk>/drop", roster.roster_drop, name="roster_drop"),
    path("roster/<int:pk>/issues.csv", roster.roster_issues, name="roster_issues"),
    path("crisis-team", crisis_team.crisis_team, name="crisis_team"),
    path("crisis-team.csv", crisis_team.team_csv, name="team_csv"),
    path("crisis-team/new", crisis_team.team_member_new, name="team_member_new"),
    path("crisis-team/import", crisis_team.team_import, name="team_import"),
    path("crisis-team/skills", crisis_team.team_skills, name="team_skills"),
    path("crisis-team/phone-tree", crisis_team.team_phone_tree, name="team_phone_tree"),
    path("crisis-team/mine", team_availability.my_availability, name="my_availability"),
    path(
        "crisis-team/absences/<int:absence>/remove",
        team_availability.absence_remove,
        name="absence_remove",
    ),
    path(
        "crisis-team/contacts",
        partner_contacts.partner_contacts,
        name="partner_contacts",
    ),
    path(
        "crisis-team/contacts/new",
        partner_contacts.partner_contact_new,
        name="partner_contact_new",
    ),
    path(
        "crisis-team/contacts/<int:contact>",
        partner_contacts.partner_contact,
        name="partner_contact",
    ),
    path(
        "crisis-team/contacts/<int:contact>/test",
        partner_contacts.partner_contact_test,
        name="partner_contact_test",
    ),
    path(
        "crisis-team/contacts/<int:contact>/retire",
        partner_contacts.partner_contact_retire,
        name="partner_contact_retire",
    ),
    path("crisis-team/<int:member>", crisis_team.team_member, name="team_member"),
    path(
        "crisis-team/<int:member>/edit",
        crisis_team.team_member_edit,
        name="team_member_edit",
    ),
    path(
        "crisis-team/<int:member>/availability",
        team_availability.team_availability,
        name="team_availability",
    ),
]
