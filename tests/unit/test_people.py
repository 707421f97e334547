"""The demo's people are deterministic, plausible, and nobody real."""

import re
import unicodedata
from collections import Counter
from datetime import date
from itertools import islice
from random import Random

import pytest

from demo.forms import FORMS
from demo.people import DEMO_DAY, applicants, dossiers, text_size_bytes
from onestop_sync import codec
from onestop_sync.dossier.data import shipped_catalogue
from onestop_sync.dossier.schema import DOSSIER


def test_the_same_seed_makes_the_same_people_and_dossiers() -> None:
    """Two runs from one seed agree; another seed gives others."""
    assert [*islice(applicants(Random(7)), 50)] == [*islice(applicants(Random(7)), 50)]
    catalogue = shipped_catalogue()
    assert dossiers(Random(7), catalogue, 60) == dossiers(Random(7), catalogue, 60)
    assert dossiers(Random(8), catalogue, 60) != dossiers(Random(7), catalogue, 60)


def test_people_are_plausible_and_not_real() -> None:
    """Numbers have the right form and agree with sex and birth, under codes that nobody was ever given."""
    for person in islice(applicants(Random(1)), 500):
        assert re.fullmatch(r"000[0-3][0-9]{8}", person.id_number)
        assert int(person.id_number[3]) == 2 * (person.born_on.year >= 2000) + (person.sex == "nữ")
        assert person.id_number[4:6] == f"{person.born_on.year % 100:02d}"
        assert re.fullmatch(r"012[0-9]{7}", person.phone)
        assert 18 <= (DEMO_DAY - person.born_on).days / 365.25 <= 80
        assert len(person.full_name.split()) >= 3


def test_names_have_vietnamese_frequencies() -> None:
    """More than a quarter are Nguyễn, and there are many other families."""
    families = Counter(person.family_name for person in islice(applicants(Random(2)), 2000))
    assert 0.25 < families["Nguyễn"] / 2000 < 0.5
    assert len(families) > 20


def test_all_sixteen_procedures_come_up() -> None:
    """The first sixteen dossiers are of sixteen procedures, with checklists and fields of the schema."""
    catalogue = shipped_catalogue()
    made = dossiers(Random(3), catalogue, 16)
    assert {content.procedure_code for content in made} == set(FORMS)
    for content in made:
        wanted = catalogue.get(content.procedure_code, DEMO_DAY).checklist
        assert content.attachments == tuple(document.name_vi for document in wanted)
        assert len(content.fields) >= 10
        for key, value in content.fields.items():
            field = DOSSIER.field(key)
            assert field is not None
            assert len("".join(value)) <= field.max_chars


def test_fewer_and_none() -> None:
    """Any number may be asked for."""
    assert dossiers(Random(3), shipped_catalogue(), 0) == []
    assert len(dossiers(Random(3), shipped_catalogue(), 5)) == 5


def test_all_text_can_be_signed_and_filled() -> None:
    """Fields are NFC, never empty, and go through the encoding of events."""
    for content in dossiers(Random(4), shipped_catalogue(), 300, size_hint=1100):
        assert codec.decode(codec.encode(content.fields)) == content.fields
        for value in content.fields.values():
            assert value
            assert all(unicodedata.is_normalized("NFC", text) and text for text in value)


@pytest.mark.parametrize("size_hint", [900, 1100, 1200])
def test_size_is_about_what_was_asked(size_hint: int) -> None:
    """On average the field values have the size that was asked for, and they differ."""
    sizes = [
        text_size_bytes(content)
        for content in dossiers(Random(5), shipped_catalogue(), 400, size_hint=size_hint)
    ]
    assert abs(sum(sizes) / len(sizes) - size_hint) < size_hint * 0.05
    assert max(sizes) > min(sizes) * 1.2


def test_day_of_intake_decides_what_is_in_force() -> None:
    """A repealed procedure is not taken in any more."""
    made = dossiers(Random(6), shipped_catalogue(), 40, on=date(2027, 3, 1))
    assert "1.011607" not in {content.procedure_code for content in made}
