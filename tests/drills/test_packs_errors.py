"""What is wrong with a pack is said by line, all at once, with what was expected."""

import pytest
from django.core.management import call_command

from drills.pack_files import FOLDER, BadPack, bundled, read, read_file
from drills.pack_lines import Lines

GOOD = """\
[pack]
id = "us-xx"
layer = "state"
state = "XX"
title = "Nowhere"

[[citation]]
id = "1"
statute = "Nowhere Stat."
section = "1.1"
url = "https://law.example.org/1"

[[rule]]
id = "xx.fire"
title = "Two fire drills"
text = "Two fire drills a year."
asks = "min_count"
kinds = ["fire"]
count = 2
citation = "1"
severity = "law"
verified = true
"""


def problems(*changes, text=GOOD):
    """(line, text) of each problem after changing the good pack."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(BadPack) as caught:
        read(text, "xx.toml")
    return [(one.line, one.text) for one in caught.value.problems]


def test_the_good_pack_is_good():
    assert [rule.id for rule in read(GOOD).rules] == ["xx.fire"]


def test_broken_toml_is_found_on_its_line():
    [(line, text)] = problems(("count = 2", "count = = 2"))
    assert line == 19
    assert "not TOML" in text


def test_a_file_that_ends_too_soon_is_found_at_its_end():
    [(line, _)] = problems(("verified = true\n", 'verified = """'))
    assert line == 22


def test_an_empty_file_says_how_a_pack_begins():
    assert problems(text="") == [(1, "[pack] is missing; a pack begins with its name.")]


def test_every_error_is_told_at_once_in_the_order_of_the_file():
    found = problems(
        ('layer = "state"', 'layer = "county"'),
        ('kinds = ["fire"]', 'kinds = ["fier"]'),
        ("count = 2", "count = 0"),
        ('citation = "1"', 'citation = "2"'),
        ("verified = true", 'verified = "yes"\nlevles = ["high"]'),
    )
    assert found == [
        (3, "“layer” says “county”, expected one of “state”, “district”"),
        (18, found[1][1]),
        (19, "“count” is 0; at least 1 was expected."),
        (20, "There is no [[citation]] “2”; there are “1”."),
        (22, "“verified” is “yes”; true or false was expected."),
        (23, "“levles” has no meaning here; did you mean “levels”?"),
    ]
    assert found[1][1].startswith("“kinds” says “fier”, expected one of “fire”")
    assert found[1][1].endswith("did you mean “fire”?")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('title = "Two fire drills"\n', "", 13, "“title” is missing; a text"),
        ('title = "Nowhere"', 'title = ""', 5, "“title” is empty"),
        ('"min_count"', '"max_count"', 17, "expected one of “min_count”"),
        ("count = 2", 'count = "2"', 19, "“count” is “2”; a whole number from 1"),
        ("count = 2", "count = true", 19, "“count” is true; a whole number"),
        ("count = 2\n", "", 13, "“count” is missing"),
        ('kinds = ["fire"]', "kinds = []", 18, "“kinds” is empty; a list of"),
        ('kinds = ["fire"]', 'kinds = "fire"', 18, "“kinds” is “fire”; a list of"),
        (
            'kinds = ["fire"]',
            'kinds = ["fire", "evacuate"]',
            13,
            "“noun” is missing: what is one drill of these kinds called?",
        ),
        ('"https://law', '"law', 11, "an address with https:// was expected"),
        ('url = "https://law.example.org/1"\n', "", 21, "where was it read?"),
        (
            "verified = true",
            "verified = true\neffective_from = 2026-08-01\neffective_to = 2026-07-31",
            24,
            "It ends on 2026-07-31, before it begins",
        ),
        (
            "verified = true",
            'verified = true\neffective_from = "August"',
            23,
            "a date such as 2026-08-01 was expected",
        ),
        ("count = 2", 'count = 2\nwindow = "each week"', 20, "expected one of"),
        (
            "count = 2",
            'count = 2\nwindow = { by = "December 32" }',
            20,
            "“by” is “December 32”; a day of the year such as “December 1”",
        ),
        (
            "count = 2",
            'count = 2\nwindow = { after = "February 29" }',
            20,
            "February 29 does not come every year",
        ),
        (
            "count = 2",
            'count = 2\nwindow = { bye = "May 1" }',
            20,
            "did you mean “by”?",
        ),
        (
            "count = 2",
            'count = 2\nwindow = { months = ["Marsh"] }',
            20,
            "“Marsh” is not a month",
        ),
        (
            "verified = true",
            'verified = true\n\n[[rule]]\nid = "xx.fire"',
            24,
            "“xx.fire” is here for the second time",
        ),
        (
            "verified = true",
            'verified = true\n\n[[reading]]\nchain = "x"\nkind = "fire"\n'
            'applies = true\nreason = "So."',
            25,
            "There is no [[chain]] “x”.",
        ),
        (
            "verified = true",
            "verified = true\n\n[planning]\nspacing = 0",
            25,
            "“spacing” is 0; at least 1 was expected.",
        ),
        ("[pack]", "colour = 1\n[pack]", 1, "“colour” has no meaning here"),
    ],
)
def test_a_problem_has_its_line_and_what_was_expected(old, new, line, said):
    found = problems((old, new))
    assert [at for at, text in found if said in text] == [line]


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ('asks = "first_within"\nwithin = "ten days"', "“within” is “ten days”"),
        ('asks = "first_within"', "“within” is missing"),
        ('asks = "max_gap"\nmost = "45"', "“most” is “45”; a length such as"),
        ('asks = "min_gap"\nleast = "2 years"', "“least” is “2 years”"),
        ('asks = "in_months"\ncount = 1\nmonths = []', "“months” is empty"),
        ('asks = "count_by_date"\ncount = 1', "“by” is missing"),
        ('asks = "each_month"\nleast_school_days = 0', "at least 1 was expected"),
        (
            'asks = "notice_before"\nparty = "parents"',
            "expected one of “guardians”, “police”",
        ),
        (
            'asks = "notice_before"\nparty = "police"\nat_least = "1 school day"',
            "“at_least” is “1 school day”",
        ),
        (
            'asks = "condition_count"\ncount = 1\nconditions = ["lunch", '
            '"distinct_weekdays"]',
            "must stand alone",
        ),
        ('asks = "not_combined"', "“apart” is missing"),
        ('asks = "obligation_after"\nwithin = "10 days"\nact = "tea"', "“act” says"),
    ],
)
def test_every_primitive_says_what_it_needs(asks, said):
    found = problems(('asks = "min_count"', asks), ("count = 2\n", ""))
    assert any(said in text for _, text in found)


def test_a_district_does_not_make_law():
    found = problems(('layer = "state"', 'layer = "district"'))
    [(line, text)] = found
    assert line == 21
    assert "belongs to the state's pack" in text


def test_a_district_reads_a_chain_that_its_state_has_and_no_other():
    ours = (
        '[pack]\nid = "d"\nlayer = "district"\nstate = "MN"\ntitle = "D"\n'
        '[[reading]]\nchain = "mn.121A.038"\nkind = "lockdown"\napplies = false\n'
        'reason = "Counsel says so."\n'
    )
    assert read(ours, chains={"mn.121A.038"}).readings[0].reason == "Counsel says so."
    with pytest.raises(BadPack, match=r"line 7: There is no \[\[chain\]\]"):
        read(ours.replace("038", "083"), chains={"mn.121A.038"})


def test_a_chain_without_links_or_readings_is_no_chain():
    found = problems(
        (
            "verified = true",
            'verified = true\n\n[[chain]]\nid = "xx.chain"\ntitle = "Chain"',
        )
    )
    assert [line for line, _ in found] == [24, 24]
    assert "at least one [[chain.link]]" in found[0][1] + found[1][1]
    assert "No [[reading]] says" in found[0][1] + found[1][1]


def test_lines_are_found_behind_long_texts_and_lists():
    lines = Lines(
        '[pack]\nnote = """\nkey = 1\n[[rule]]\n"""\n[[rule]]\nkinds = [\n'
        '  "fire",\n]\ncount = 1\n[[rule]]\ncount = 2\n[[chain]]\n[[chain.link]]\n'
        "name = 1\n[[chain]]\n[[chain.link]]\nname = 2\n"
    )
    assert lines.of(("rule", 0)) == 6
    assert lines.of(("rule", 0, "count")) == 10
    assert lines.of(("rule", 1, "count")) == 12
    assert lines.of(("rule", 1, "title")) == 11
    assert lines.of(("chain", 0, "link", 0, "name")) == 15
    assert lines.of(("chain", 1, "link", 0, "name")) == 18
    assert lines.of(("nothing", 4)) == 1


def test_the_message_of_a_bad_pack_names_the_file_and_its_first_problems():
    with pytest.raises(BadPack, match=r"xx.toml cannot be used: line 3: .* 1 more"):
        read(
            GOOD.replace('"state"', '"x"')
            .replace("count = 2", "count = 0")
            .replace('"law"', '"lore"')
            .replace('["fire"]', '["tea"]'),
            "xx.toml",
        )


def test_a_file_that_is_no_text_is_said_to_be_none(tmp_path):
    file = tmp_path / "xx.toml"
    file.write_bytes(b"[pack]\n\xff\xfe")
    with pytest.raises(BadPack) as caught:
        read_file(file)
    assert caught.value.problems[0].line == 2


# -- manage.py pack check --------------------------------------------------------------


def test_check_says_what_each_good_pack_asks(capsys):
    call_command("pack", "check", *map(str, sorted(FOLDER.glob("*.toml"))))
    out = capsys.readouterr().out
    assert len(out.splitlines()) == len(bundled()) + 1
    assert "Texas, 6 rules" in out
    assert "not legal advice" in out


def test_check_prints_every_error_and_goes_on_to_the_next_file(tmp_path, capsys):
    bad, gone = tmp_path / "bad.toml", tmp_path / "gone.toml"
    bad.write_text(GOOD.replace("count = 2", "count = 0").replace('"law"', '"lore"'))
    with pytest.raises(SystemExit) as ended:
        call_command("pack", "check", str(bad), str(gone), str(FOLDER / "us-co.toml"))
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.err.splitlines()[0].startswith(f"{bad}:19: “count” is 0")
    assert said.err.splitlines()[1].startswith(f"{bad}:21: “severity” says “lore”")
    assert "gone.toml: No such file" in said.err
    assert "Colorado, 2 rules" in said.out
