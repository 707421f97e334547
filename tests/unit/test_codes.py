"""Codes of agencies, procedures and dossiers are checked strictly, and no serial is issued twice."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onestop_sync.dossier.codes import (
    GRAMMARS,
    AgencyAliases,
    AgencyStyle,
    CodeBlock,
    DossierCode,
    DossierGrammar,
    grammar,
    next_serial,
    parse_agency_code,
    parse_procedure_code,
    read_dossier_code,
)
from onestop_sync.errors import InvalidInput, NotAllowed

AGENCIES = st.one_of(
    st.from_regex(r"[0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Y][0-9]{2}", fullmatch=True),
    st.from_regex(r"[A-Y][0-9]{2}(\.[0-9A-Z]{1,4}){0,4}", fullmatch=True),
)
BLOCKS = st.integers(1, 9000).flatmap(
    lambda first: st.integers(first, 9999).map(lambda last: CodeBlock(first, last))
)


@pytest.mark.parametrize(
    ("text", "style", "path"),
    [
        ("000.17.22.H56", AgencyStyle.OLD, ("H56", "22", "17")),
        ("000.00.00.H56", AgencyStyle.OLD, ("H56",)),
        ("003.17.22.H56", AgencyStyle.OLD, ("H56", "22", "17", "003")),
        ("H56.22.17", AgencyStyle.NEW, ("H56", "22", "17")),
        ("G09", AgencyStyle.NEW, ("G09",)),
    ],
)
def test_agency_codes_of_both_styles(text: str, style: AgencyStyle, path: tuple[str, ...]) -> None:
    """The old style is read from the right, the new one from the left."""
    code = parse_agency_code(text)
    assert (code.style, code.path, str(code)) == (style, path, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "H5",
        "Z56.22",
        "h56.22.17",
        "H56..17",
        "H56.22.",
        "000.17.22.Z56",
        "0.17.22.H56",
        "000.17.22.H56\n",
        "٠٠٠.17.22.H56",
        "H56." + "1" * 32,
        "H" * 10_000,
    ],
)
def test_other_agency_codes_are_refused(text: str) -> None:
    """What is not a code is refused with a message of bounded length."""
    with pytest.raises(InvalidInput) as caught:
        parse_agency_code(text)
    assert len(str(caught.value)) < 250


def test_aliases_are_a_table_and_last_for_ever() -> None:
    """A unit keeps all its codes, a code is never given away, and no code is derived from another."""
    table = (
        AgencyAliases().with_code("000.17.22.H56", "u1").with_code("H56.22.17", "u1").with_code("H56.9", "u2")
    )
    assert table.unit_of("000.17.22.H56") == table.unit_of("H56.22.17") == "u1"
    assert table.unit_of("000.00.09.H56") is None
    assert table.codes_of("u1") == ("000.17.22.H56", "H56.22.17")
    assert table.with_code("H56.9", "u2") == table
    with pytest.raises(InvalidInput, match="never given away"):
        table.with_code("H56.9", "u1")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1.001193", ("1.001193", "", "")),
        ("2.000815.000.00.00.H55", ("2.000815", "000.00.00.H55", "")),
        ("1.001193.02", ("1.001193", "", "02")),
        ("2.000815.000.00.00.H55.02", ("2.000815", "000.00.00.H55", "02")),
    ],
)
def test_procedure_codes(text: str, parts: tuple[str, str, str]) -> None:
    """National, local and online codes are told apart and written back unchanged."""
    code = parse_procedure_code(text)
    assert (code.national, code.agency, code.service) == parts
    assert str(code) == text


@pytest.mark.parametrize("text", ["", "1.00119", "1001193", "1.001193.", "1.001193.000.00.00", "1.001193 "])
def test_other_procedure_codes_are_refused(text: str) -> None:
    """Half a code is none."""
    with pytest.raises(InvalidInput):
        parse_procedure_code(text)


def test_samples_of_both_grammars() -> None:
    """The codes that were seen in the wild are read and written."""
    old, new = grammar("tt01-2018"), grammar("ministry-2026")
    sample = DossierCode("000.17.22.H56", date(2021, 5, 31), 1)
    assert old.format(sample) == "000.17.22.H56-210531-0001"
    assert old.parse("000.17.22.H56-210531-0001") == sample
    assert new.parse("G09.20-20260609-0092637") == DossierCode("G09.20", date(2026, 6, 9), 92637)


@given(
    st.sampled_from(list(GRAMMARS.values())),
    AGENCIES,
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.integers(1, 9999),
)
def test_dossier_codes_round_trip(rule: DossierGrammar, agency: str, day: date, serial: int) -> None:
    """What is written is read back, by every grammar and with every agency code."""
    code = DossierCode(agency, day, serial)
    assert rule.parse(rule.format(code)) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        "000.17.22.H56",
        "000.17.22.H56-210531-1",
        "000.17.22.H56-210531-0000",
        "000.17.22.H56-210231-0001",
        "000.17.22.H56-20210531-0001",
        "xyz-210531-0001",
        "000.17.22.H56-210531-0001 ",
        "000.17.22.H56-210531-٠٠٠١",
    ],
)
def test_other_dossier_codes_are_refused(text: str) -> None:
    """Wrong widths, days that do not exist, serial 0 and foreign digits are refused."""
    with pytest.raises(InvalidInput):
        grammar("tt01-2018").parse(text)


@pytest.mark.parametrize(
    "code",
    [
        DossierCode("nowhere", date(2026, 1, 1), 1),
        DossierCode("H56", date(2026, 1, 1), 0),
        DossierCode("H56", date(2026, 1, 1), 10_000),
        DossierCode("H56", date(1999, 1, 1), 1),
    ],
)
def test_what_the_grammar_cannot_write_is_refused(code: DossierCode) -> None:
    """A code is never written so that it would be read as another."""
    with pytest.raises(InvalidInput):
        grammar("tt01-2018").format(code)


def test_a_grammar_by_its_parameters() -> None:
    """A province whose serials are longer names the digits of year and serial."""
    assert grammar("y4s6").sample() == "000.17.22.H56-20210531-000001"
    assert grammar("y4s6").parse("000.17.22.H56-20210531-000001").serial == 1
    for name in ("tt01-2018", "ministry-2026", "y4s6"):
        found = read_dossier_code(grammar(name).sample())
        assert found == DossierCode("000.17.22.H56", date(2021, 5, 31), 1)
    assert read_dossier_code("000.17.22.H56-2021-1") is None


def test_an_unknown_grammar_is_told() -> None:
    """A profile of a newer version names a grammar that this one does not have."""
    with pytest.raises(InvalidInput, match="not known here"):
        grammar("tt99-2099")


@given(BLOCKS, st.integers(0, 20))
def test_serials_are_gapless_and_never_repeat(block: CodeBlock, wanted: int) -> None:
    """A machine issues its block from the first serial on, each once, and others' serials do not matter."""
    used: list[int] = [block.last + 1]
    for expected in range(block.first, min(block.first + wanted, block.last + 1)):
        assert next_serial(block, used) == expected
        used.append(expected)


@given(BLOCKS, st.data())
def test_the_next_serial_is_above_all_that_were_used(block: CodeBlock, data: st.DataObject) -> None:
    """After a gap, as after a restore that forgot some, the next serial is still a new one."""
    used = data.draw(st.sets(st.integers(block.first, block.last), max_size=20))
    if block.last in used:
        with pytest.raises(NotAllowed):
            next_serial(block, used)
    else:
        serial = next_serial(block, used)
        assert serial in block
        assert serial not in used


def test_an_exhausted_block_says_what_to_do() -> None:
    """The last serial of the day is followed by a clear refusal, not by somebody else's serial."""
    with pytest.raises(NotAllowed) as caught:
        next_serial(CodeBlock(1, 500), range(1, 501))
    assert caught.value.details["reason"] == "serials_exhausted"
    assert "another machine" in str(caught.value)


def test_blocks_know_their_neighbours() -> None:
    """Blocks that share a serial overlap; neighbours do not; an empty block is none."""
    assert CodeBlock(1, 500).overlaps(CodeBlock(500, 600))
    assert CodeBlock(1, 500).overlaps(CodeBlock(10, 20))
    assert not CodeBlock(1, 500).overlaps(CodeBlock(501, 1000))
    for first, last in ((0, 5), (5, 4)):
        with pytest.raises(InvalidInput):
            CodeBlock(first, last)
