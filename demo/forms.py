"""What each of the sixteen procedures asks on its form, filled in with invented answers.

Fields have their Vietnamese names, as the screen shows them, and answers are text as an official types it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Final

__all__ = ["FORMS", "NARRATIVES", "Answers", "Fields"]

Fields = dict[str, str | list[str]]
"""Text, or a list of texts, by the Vietnamese name of the form's field."""


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
        "Họ tên con": f"{father.split(' ', maxsplit=1)[0]} {child.split(' ', 1)[1]}",
        "Ngày sinh của con": born,
        "Giới tính của con": sex,
        "Nơi sinh": ask.choice(_HOSPITALS),
        "Họ tên mẹ": mother,
        "Ngày sinh mẹ": mother_born,
        "Số định danh mẹ": mother_id,
        "Họ tên cha": father,
        "Ngày sinh cha": father_born,
        "Số định danh cha": father_id,
        "Số bản sao": str(ask.number(1, 5)),
    }


def _death(ask: Answers) -> Fields:
    name, born, number, sex, address = ask.person(ages=(55, 96), is_family=True)
    return {
        "Họ tên người chết": name,
        "Ngày sinh người chết": born,
        "Số định danh người chết": number,
        "Giới tính người chết": sex,
        "Nơi cư trú cuối cùng": address,
        "Chết lúc": f"{ask.number(0, 23):02d} giờ {ask.number(0, 59):02d} phút ngày {ask.recent_day(14)}",
        "Nơi chết": ask.choice(("Tại nhà riêng", *_HOSPITALS)),
        "Nguyên nhân chết": ask.choice(
            ("Bệnh già", "Tai biến mạch máu não", "Ung thư gan", "Tai nạn giao thông")
        ),
        "Quan hệ": ask.choice(("Con", "Cháu", "Em")),
    }


def _marriage(ask: Answers) -> Fields:
    applicant = ask.applicant()
    is_groom = applicant[3] == "nam"
    other = ask.person("nữ" if is_groom else "nam", (20, 45))
    groom, groom_born, groom_id, _, groom_address = applicant if is_groom else other
    bride, bride_born, bride_id, _, bride_address = other if is_groom else applicant
    return {
        "Họ tên bên nam": groom,
        "Ngày sinh bên nam": groom_born,
        "Số định danh bên nam": groom_id,
        "Địa chỉ bên nam": groom_address,
        "Họ tên bên nữ": bride,
        "Ngày sinh bên nữ": bride_born,
        "Số định danh bên nữ": bride_id,
        "Địa chỉ bên nữ": bride_address,
        "Lần kết hôn": ask.choice(("Cả hai lần đầu", "Bên nam lần thứ hai", "Bên nữ lần thứ hai")),
        "Số bản sao": str(ask.number(1, 3)),
    }


def _marital_status(ask: Answers) -> Fields:
    return {
        "Tình trạng hôn nhân": ask.choice(
            ("Chưa đăng ký kết hôn với ai", "Đã ly hôn", "Vợ hoặc chồng đã chết")
        ),
        "Mục đích sử dụng": ask.choice(_PURPOSES),
        "Quá trình cư trú": [f"Từ năm {ask.number(1995, 2015)}: thường trú tại địa chỉ nêu trên"],
    }


def _guardianship(ask: Answers) -> Fields:
    ward, ward_born, _, ward_sex, address = ask.person(ages=(2, 17))
    return {
        "Họ tên người được giám hộ": ward,
        "Ngày sinh người được giám hộ": ward_born,
        "Giới tính người được giám hộ": ward_sex,
        "Địa chỉ người được giám hộ": address,
        "Loại giám hộ": ask.choice(("Giám hộ cử", "Giám hộ đương nhiên")),
        "Quan hệ": ask.choice(("Ông hoặc bà", "Bác ruột", "Cô, chú hoặc dì ruột", "Anh hoặc chị ruột")),
        "Lý do": ask.choice(
            ("Cha mẹ đã mất", "Cha mẹ mất năng lực hành vi dân sự", "Không xác định được cha mẹ")
        ),
    }


def _parentage(ask: Answers) -> Fields:
    child, child_born, _, child_sex, _ = ask.person(ages=(1, 17), is_family=True)
    witnesses = [ask.person()[0] for _ in range(2)]
    return {
        "Họ tên con": child,
        "Ngày sinh của con": child_born,
        "Giới tính của con": child_sex,
        "Yêu cầu nhận": ask.choice(("Nhận con", "Nhận cha", "Nhận mẹ")),
        "Chứng cứ": ask.choice(("Kết quả giám định ADN", "Văn bản cam đoan có hai người làm chứng")),
        "Người làm chứng": witnesses,
    }


def _correction(ask: Answers) -> Fields:
    name, born, *_ = ask.person(ages=(5, 60), is_family=True)
    what, old, new = (
        ("Họ và tên", name, name.replace(name.split(" ")[1], "Bảo", 1)),
        ("Ngày sinh", born, ask.recent_day(9000)),
        ("Dân tộc", "Kinh", "Tày"),
    )[ask.number(0, 2)]
    return {
        "Loại sổ hộ tịch": ask.choice(_RECORDS),
        "Số, năm đăng ký": f"{ask.number(1, 320)}/{ask.number(1990, 2024)}",
        "Người được đăng ký": name,
        "Nội dung cải chính": what,
        "Đã ghi là": old,
        "Sửa thành": new,
        "Lý do": ask.choice(
            ("Ghi nhầm khi đăng ký", "Theo giấy khai sinh gốc", "Theo nguyện vọng của cha mẹ")
        ),
    }


def _birth_again(ask: Answers) -> Fields:
    father, mother = ask.person("nam", (45, 85), is_family=True)[0], ask.person("nữ", (42, 85))[0]
    return {
        "Nơi sinh": ask.choice(_HOSPITALS),
        "Nơi đăng ký trước đây": f"Ủy ban nhân dân xã, năm {ask.number(1965, 2005)}",
        "Họ tên cha": father,
        "Họ tên mẹ": mother,
        "Lý do": ask.choice(("Sổ gốc bị mất do lũ lụt", "Sổ gốc bị hư hỏng, không đọc được")),
        "Giấy tờ đang giữ": [ask.choice(_PAPERS), "Học bạ phổ thông"],
    }


def _extract(ask: Answers) -> Fields:
    subject, born, *_ = ask.person(ages=(1, 90), is_family=True)
    return {
        "Loại sổ hộ tịch": ask.choice(_RECORDS),
        "Số, năm đăng ký": f"{ask.number(1, 320)}/{ask.number(1990, 2025)}",
        "Người được đăng ký": subject,
        "Ngày sinh người được đăng ký": born,
        "Số bản sao": str(ask.number(1, 10)),
        "Mục đích sử dụng": ask.choice(_PURPOSES),
    }


def _certified_copies(ask: Answers) -> Fields:
    return {
        "Giấy tờ cần chứng thực": [ask.choice(_PAPERS) for _ in range(ask.number(1, 4))],
        "Số trang bản chính": str(ask.number(1, 24)),
        "Số bản sao": str(ask.number(1, 10)),
    }


def _certified_signature(ask: Answers) -> Fields:
    return {
        "Văn bản ký": ask.choice(_SIGNED),
        "Hình thức ký": ask.choice(("Ký", "Ký", "Ký", "Điểm chỉ")),
        "Số chữ ký": str(ask.number(1, 3)),
        "Mục đích sử dụng": ask.choice(_PURPOSES),
    }


def _book_copy(ask: Answers) -> Fields:
    return {
        "Sổ gốc": ask.choice(("Sổ chứng thực hợp đồng", "Sổ đăng ký khai sinh", "Sổ cấp bằng tốt nghiệp")),
        "Năm của sổ gốc": str(ask.number(1980, 2020)),
        "Số bản chính": str(ask.number(1, 900)),
        "Số bản sao": str(ask.number(1, 5)),
        "Quan hệ": ask.choice(("Chính người được cấp", "Người đại diện theo pháp luật", "Con")),
    }


def _allowance(ask: Answers) -> Fields:
    name, born, number, sex, address = ask.person(ages=(16, 90), is_family=True)
    return {
        "Họ tên người hưởng": name,
        "Ngày sinh người hưởng": born,
        "Số định danh người hưởng": number,
        "Giới tính người hưởng": sex,
        "Địa chỉ người hưởng": address,
        "Nhóm đối tượng": ask.choice(_GROUPS),
        "Thành viên trong hộ": [ask.person(is_family=True)[0] for _ in range(ask.number(1, 4))],
        "Hình thức chi trả": ask.choice(("Nhận tiền mặt tại bưu điện xã", "Chuyển vào tài khoản ngân hàng")),
    }


def _funeral(ask: Answers) -> Fields:
    name, born, number, _, address = ask.person(ages=(60, 98), is_family=True)
    return {
        "Họ tên người chết": name,
        "Ngày sinh người chết": born,
        "Số định danh người chết": number,
        "Nơi cư trú cuối cùng": address,
        "Ngày chết": ask.recent_day(60),
        "Số trích lục khai tử": f"{ask.number(1, 90)}/TLKT",
        "Nhóm đối tượng": ask.choice(_GROUPS),
        "Quan hệ": ask.choice(("Con", "Cháu", "Người tổ chức mai táng")),
    }


def _poor_household(ask: Answers) -> Fields:
    return {
        "Đề nghị công nhận": ask.choice(("Hộ nghèo", "Hộ cận nghèo")),
        "Thành viên trong hộ": [ask.person(is_family=True)[0] for _ in range(ask.number(2, 6))],
        "Thu nhập bình quân tháng (đồng)": str(ask.number(6, 19) * 100_000),
        "Nhà ở": ask.choice(("Nhà tạm, mái tôn", "Nhà cấp 4 xuống cấp", "Ở nhờ nhà người thân")),
        "Lý do": ask.choice(("Mất lao động chính", "Thiên tai mất mùa", "Chi phí chữa bệnh lớn")),
    }


def _land(ask: Answers) -> Fields:
    return {
        "Thửa đất số": str(ask.number(1, 680)),
        "Tờ bản đồ số": str(ask.number(1, 95)),
        "Diện tích (m²)": str(ask.number(48, 2400)),
        "Mục đích sử dụng đất": ask.choice(
            ("Đất ở tại nông thôn", "Đất trồng cây lâu năm", "Đất chuyên trồng lúa nước")
        ),
        "Nguồn gốc đất": ask.choice(
            ("Nhận thừa kế", "Nhận chuyển nhượng", "Nhà nước giao đất", "Khai hoang trước năm 1993")
        ),
        "Chủ đất giáp ranh": [ask.person()[0] for _ in range(ask.number(2, 4))],
        "Người cùng đứng tên": [ask.applicant()[0], ask.person()[0]],
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
