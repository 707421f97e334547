"""What each of the sixteen procedures asks on its form, filled in with invented answers.

The names of the fields are the application's own; the answers are Vietnamese text as an official types it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Final

__all__ = ["FORMS", "NARRATIVES", "Answers", "Fields"]

Fields = dict[str, str | list[str]]
"""Text, or a list of texts, by the form's field."""


class Answers(ABC):
    """Where answers come from: chance in the demo, anything else elsewhere."""

    @abstractmethod
    def choice(self, options: Sequence[str]) -> str:
        """Return one of the options."""

    @abstractmethod
    def number(self, low: int, high: int) -> int:
        """Return a whole number, both ends included."""

    @abstractmethod
    def recent_day(self, days: int) -> str:
        """Return a day within the last so many, as dd/mm/yyyy."""

    @abstractmethod
    def applicant(self) -> tuple[str, ...]:
        """Return the applicant, as `person` returns somebody else."""

    @abstractmethod
    def person(
        self, sex: str = "", ages: tuple[int, int] = (18, 80), *, is_family: bool = False
    ) -> tuple[str, ...]:
        """Return somebody else: full name, birth as dd/mm/yyyy, identity number, sex, address."""


_RECORDS: Final = ("khai sinh", "kết hôn", "khai tử")
_PAPERS: Final = (
    "Bằng tốt nghiệp trung học phổ thông", "Căn cước công dân", "Giấy khai sinh", "Sổ hồng", "Học bạ",
    "Giấy phép lái xe", "Quyết định tuyển dụng", "Chứng chỉ tin học cơ bản", "Giấy chứng nhận kết hôn",
)  # fmt: skip
_PURPOSES: Final = (
    "đăng ký kết hôn", "bổ sung hồ sơ vay vốn ngân hàng", "làm thủ tục nhập học cho con",
    "bổ sung hồ sơ xin việc", "làm hộ chiếu", "hưởng chế độ bảo hiểm xã hội", "mua bán nhà ở",
    "thừa kế tài sản",
)  # fmt: skip
_HOSPITALS: Final = ("Bệnh viện Đa khoa Đồng Lĩnh", "Trạm Y tế xã Phú An Hạ", "Bệnh viện Phụ sản Sông Vàng")
_SIGNED: Final = (
    "Giấy ủy quyền nhận lương hưu",
    "Sơ yếu lý lịch",
    "Giấy cam kết",
    "Đơn đề nghị",
    "Tờ khai dịch thuật",
)
_GROUPS: Final = (
    "Người cao tuổi không có lương hưu", "Người khuyết tật nặng", "Trẻ em mồ côi",
    "Người đơn thân nghèo nuôi con",
)  # fmt: skip


def _birth(ask: Answers) -> Fields:
    child, born, _, sex, _ = ask.person(ages=(0, 1))
    mother, mother_born, mother_id, _, _ = ask.person("nữ", (19, 40))
    father, father_born, father_id, _, _ = ask.person("nam", (20, 45))
    return {
        "child_name": f"{father.split(' ', maxsplit=1)[0]} {child.split(' ', 1)[1]}",
        "child_born_on": born,
        "child_sex": sex,
        "birth_place": ask.choice(_HOSPITALS),
        "mother_name": mother,
        "mother_born_on": mother_born,
        "mother_id_number": mother_id,
        "father_name": father,
        "father_born_on": father_born,
        "father_id_number": father_id,
        "copies": str(ask.number(1, 5)),
    }


def _death(ask: Answers) -> Fields:
    name, born, number, sex, address = ask.person(ages=(55, 96), is_family=True)
    return {
        "deceased_name": name,
        "deceased_born_on": born,
        "deceased_id_number": number,
        "deceased_sex": sex,
        "deceased_address": address,
        "died_at": f"{ask.number(0, 23):02d} giờ {ask.number(0, 59):02d} phút ngày {ask.recent_day(14)}",
        "death_place": ask.choice(("Tại nhà riêng", *_HOSPITALS)),
        "death_cause": ask.choice(("Bệnh già", "Tai biến mạch máu não", "Ung thư gan", "Tai nạn giao thông")),
        "relation": ask.choice(("Con", "Cháu", "Em")),
    }


def _marriage(ask: Answers) -> Fields:
    applicant = ask.applicant()
    is_groom = applicant[3] == "nam"
    other = ask.person("nữ" if is_groom else "nam", (20, 45))
    groom, groom_born, groom_id, _, groom_address = applicant if is_groom else other
    bride, bride_born, bride_id, _, bride_address = other if is_groom else applicant
    return {
        "groom_name": groom,
        "groom_born_on": groom_born,
        "groom_id_number": groom_id,
        "groom_address": groom_address,
        "bride_name": bride,
        "bride_born_on": bride_born,
        "bride_id_number": bride_id,
        "bride_address": bride_address,
        "marriage_count": ask.choice(("Cả hai lần đầu", "Bên nam lần thứ hai", "Bên nữ lần thứ hai")),
        "copies": str(ask.number(1, 3)),
    }


def _marital_status(ask: Answers) -> Fields:
    return {
        "marital_status": ask.choice(("Chưa đăng ký kết hôn với ai", "Đã ly hôn", "Vợ hoặc chồng đã chết")),
        "purpose": ask.choice(_PURPOSES),
        "residence_history": [f"Từ năm {ask.number(1995, 2015)}: thường trú tại địa chỉ nêu trên"],
    }


def _guardianship(ask: Answers) -> Fields:
    ward, ward_born, _, ward_sex, address = ask.person(ages=(2, 17))
    return {
        "ward_name": ward,
        "ward_born_on": ward_born,
        "ward_sex": ward_sex,
        "ward_address": address,
        "guardianship_kind": ask.choice(("Giám hộ cử", "Giám hộ đương nhiên")),
        "relation": ask.choice(("Ông hoặc bà", "Bác ruột", "Cô, chú hoặc dì ruột", "Anh hoặc chị ruột")),
        "reason": ask.choice(
            ("Cha mẹ đã mất", "Cha mẹ mất năng lực hành vi dân sự", "Không xác định được cha mẹ")
        ),
    }


def _parentage(ask: Answers) -> Fields:
    child, child_born, _, child_sex, _ = ask.person(ages=(1, 17), is_family=True)
    witnesses = [ask.person()[0] for _ in range(2)]
    return {
        "child_name": child,
        "child_born_on": child_born,
        "child_sex": child_sex,
        "recognised_as": ask.choice(("Nhận con", "Nhận cha", "Nhận mẹ")),
        "evidence": ask.choice(("Kết quả giám định ADN", "Văn bản cam đoan có hai người làm chứng")),
        "witnesses": witnesses,
    }


def _correction(ask: Answers) -> Fields:
    name, born, *_ = ask.person(ages=(5, 60), is_family=True)
    what, old, new = (
        ("Họ và tên", name, name.replace(name.split(" ")[1], "Bảo", 1)),
        ("Ngày sinh", born, ask.recent_day(9000)),
        ("Dân tộc", "Kinh", "Tày"),
    )[ask.number(0, 2)]
    return {
        "record_kind": ask.choice(_RECORDS),
        "record_number": f"{ask.number(1, 320)}/{ask.number(1990, 2024)}",
        "record_subject": name,
        "corrected_field": what,
        "old_value": old,
        "new_value": new,
        "reason": ask.choice(
            ("Ghi nhầm khi đăng ký", "Theo giấy khai sinh gốc", "Theo nguyện vọng của cha mẹ")
        ),
    }


def _birth_again(ask: Answers) -> Fields:
    father, mother = ask.person("nam", (45, 85), is_family=True)[0], ask.person("nữ", (42, 85))[0]
    return {
        "birth_place": ask.choice(_HOSPITALS),
        "first_registered_at": f"Ủy ban nhân dân xã, năm {ask.number(1965, 2005)}",
        "father_name": father,
        "mother_name": mother,
        "reason": ask.choice(("Sổ gốc bị mất do lũ lụt", "Sổ gốc bị hư hỏng, không đọc được")),
        "own_papers": [ask.choice(_PAPERS), "Học bạ phổ thông"],
    }


def _extract(ask: Answers) -> Fields:
    subject, born, *_ = ask.person(ages=(1, 90), is_family=True)
    return {
        "record_kind": ask.choice(_RECORDS),
        "record_number": f"{ask.number(1, 320)}/{ask.number(1990, 2025)}",
        "record_subject": subject,
        "record_subject_born_on": born,
        "copies": str(ask.number(1, 10)),
        "purpose": ask.choice(_PURPOSES),
    }


def _certified_copies(ask: Answers) -> Fields:
    return {
        "papers": [ask.choice(_PAPERS) for _ in range(ask.number(1, 4))],
        "pages": str(ask.number(1, 24)),
        "copies": str(ask.number(1, 10)),
    }


def _certified_signature(ask: Answers) -> Fields:
    return {
        "paper": ask.choice(_SIGNED),
        "signature_kind": ask.choice(("Ký", "Ký", "Ký", "Điểm chỉ")),
        "signatures": str(ask.number(1, 3)),
        "purpose": ask.choice(_PURPOSES),
    }


def _book_copy(ask: Answers) -> Fields:
    return {
        "book": ask.choice(("Sổ chứng thực hợp đồng", "Sổ đăng ký khai sinh", "Sổ cấp bằng tốt nghiệp")),
        "book_year": str(ask.number(1980, 2020)),
        "original_number": str(ask.number(1, 900)),
        "copies": str(ask.number(1, 5)),
        "relation": ask.choice(("Chính người được cấp", "Người đại diện theo pháp luật", "Con")),
    }


def _allowance(ask: Answers) -> Fields:
    name, born, number, sex, address = ask.person(ages=(16, 90), is_family=True)
    return {
        "beneficiary_name": name,
        "beneficiary_born_on": born,
        "beneficiary_id_number": number,
        "beneficiary_sex": sex,
        "beneficiary_address": address,
        "beneficiary_group": ask.choice(_GROUPS),
        "household_members": [ask.person(is_family=True)[0] for _ in range(ask.number(1, 4))],
        "payment": ask.choice(("Nhận tiền mặt tại bưu điện xã", "Chuyển vào tài khoản ngân hàng")),
    }


def _funeral(ask: Answers) -> Fields:
    name, born, number, _, address = ask.person(ages=(60, 98), is_family=True)
    return {
        "deceased_name": name,
        "deceased_born_on": born,
        "deceased_id_number": number,
        "deceased_address": address,
        "died_on": ask.recent_day(60),
        "death_record_number": f"{ask.number(1, 90)}/TLKT",
        "beneficiary_group": ask.choice(_GROUPS),
        "relation": ask.choice(("Con", "Cháu", "Người tổ chức mai táng")),
    }


def _poor_household(ask: Answers) -> Fields:
    return {
        "requested_status": ask.choice(("Hộ nghèo", "Hộ cận nghèo")),
        "household_members": [ask.person(is_family=True)[0] for _ in range(ask.number(2, 6))],
        "monthly_income_dong": str(ask.number(6, 19) * 100_000),
        "house": ask.choice(("Nhà tạm, mái tôn", "Nhà cấp 4 xuống cấp", "Ở nhờ nhà người thân")),
        "reason": ask.choice(("Mất lao động chính", "Thiên tai mất mùa", "Chi phí chữa bệnh lớn")),
    }


def _land(ask: Answers) -> Fields:
    return {
        "parcel_number": str(ask.number(1, 680)),
        "map_sheet": str(ask.number(1, 95)),
        "area_m2": str(ask.number(48, 2400)),
        "land_use": ask.choice(("Đất ở tại nông thôn", "Đất trồng cây lâu năm", "Đất chuyên trồng lúa nước")),
        "origin": ask.choice(
            ("Nhận thừa kế", "Nhận chuyển nhượng", "Nhà nước giao đất", "Khai hoang trước năm 1993")
        ),
        "neighbours": [ask.person()[0] for _ in range(ask.number(2, 4))],
        "co_owners": [ask.applicant()[0], ask.person()[0]],
    }


FORMS: Final[Mapping[str, Callable[[Answers], Fields]]] = {
    "1.000656": _death,
    "1.000894": _marriage,
    "1.001022": _parentage,
    "1.001193": _birth,
    "1.001731": _funeral,
    "1.001776": _allowance,
    "1.004837": _guardianship,
    "1.004859": _correction,
    "1.004873": _marital_status,
    "1.004884": _birth_again,
    "1.011607": _poor_household,
    "1.012787": _land,
    "2.000635": _extract,
    "2.000815": _certified_copies,
    "2.000884": _certified_signature,
    "2.000908": _book_copy,
}
"""By procedure code."""

NARRATIVES: Final = (
    "Tôi xin cam đoan những nội dung khai trên đây là đúng sự thật và chịu trách nhiệm trước pháp luật.",
    "Gia đình tôi mới chuyển về địa phương từ năm ngoái nên một số giấy tờ vẫn ghi theo địa chỉ cũ.",
    "Kính mong Ủy ban nhân dân xã xem xét, giải quyết theo quy định để gia đình kịp hoàn tất thủ tục.",
    "Trường hợp cần bổ sung giấy tờ, đề nghị liên hệ qua số điện thoại đã ghi, ngoài giờ làm đồng.",
    "Bản chính hiện do người thân cất giữ, tôi đã mang theo để cán bộ đối chiếu tại quầy.",
    "Trước đây tôi đã nộp hồ sơ một lần nhưng phải rút về vì thiếu chữ ký của người làm chứng.",
    "Tôi đề nghị nhận kết quả trực tiếp tại Bộ phận Một cửa; nếu vắng, con gái tôi sẽ nhận thay.",
    "Nhà ở xa trung tâm xã, mùa mưa đi lại khó khăn, mong được hẹn trả kết quả vào buổi sáng.",
    "Thông tin về cha mẹ được ghi theo sổ gốc năm trước, tên đệm có khác một dấu so với căn cước.",
    "Trưởng thôn đã xác nhận hoàn cảnh gia đình và đồng ý với nội dung trình bày trong đơn này.",
)
"""Sentences of an applicant's own account."""
