"""What pages do to letters is undone, and a text without faults stays as it is."""

import pytest

from nlp.legacy import from_font, from_vni, to_unicode
from nlp.readers.lines import PrintedLine
from nlp.readers.printed import RUNNING_HEAD, STAMP, leave_out_running
from nlp.readers.repair import draw_bullet, join_split, restore_d, restore_digits
from nlp.syllables import known_share
from tests.own_documents import own_documents


@pytest.mark.parametrize(
    ("torn", "whole"),
    [
        ("ĐIỀ U KHO ẢN THI HÀNH", "ĐIỀU KHOẢN THI HÀNH"),
        ("QUY ẾT Đ ỊNH", "QUYẾT ĐỊNH"),
        ("UBND x ã", "UBND xã"),
        ("công an TP. HCM", "công an TP. HCM"),
        ("khu A B", "khu A B"),
        ("các đ/c Huyện ủy viên", "các đ/c Huyện ủy viên"),
    ],
)
def test_torn_syllables_are_joined_where_only_the_whole_is_one(torn: str, whole: str) -> None:
    assert join_split(torn) == whole


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("ngày 0l/2O26", "ngày 01/2026"),
        ("l5/2O21/NĐ-CP", "15/2021/NĐ-CP"),
        ("Il, lO, O, Io", "Il, lO, O, Io"),
        ("khoản 1a Điều 10b", "khoản 1a Điều 10b"),
    ],
)
def test_digits_that_a_scanner_took_for_letters(read: str, meant: str) -> None:
    assert restore_digits(read) == meant


def test_look_alikes_of_d_and_drawn_bullets() -> None:
    assert restore_d("Ðiều 1. Các cơ quan ðoàn thể") == "Điều 1. Các cơ quan đoàn thể"
    assert draw_bullet("\uf0b7 Mỗi tháng một ngày") == "- Mỗi tháng một ngày"
    assert draw_bullet("o Mỗi tháng") == "- Mỗi tháng"
    assert draw_bullet("ông nói") == "ông nói"


def test_texts_without_faults_stay_as_they_are() -> None:
    for own in own_documents():
        for line in own.text.split("\n"):
            assert restore_digits(restore_d(line)) == line
            assert join_split(line) == line


def page(number: int, *texts: str) -> list[PrintedLine]:
    step = 0.9 / len(texts)
    return [
        PrintedLine(text, number, 0.1, 0.04 + i * step, 0.9, 0.06 + i * step)
        for i, text in enumerate(texts)
    ]


def test_heads_and_page_numbers_that_run_through_are_left_out_and_named() -> None:
    pages = [
        page(n, f"{n} CÔNG BÁO/Số {n} + 978/Ngày 24-8", f"Điều {n}.", "Nội dung", f"- {n} -")
        for n in range(1, 5)
    ]

    left, issues = leave_out_running([line for own in pages for line in own])

    assert [line.text for line in left][:2] == ["Điều 1.", "Nội dung"]
    assert len(left) == 8
    assert issues == (RUNNING_HEAD,)


def test_a_stamp_of_a_digital_signature_is_left_out_and_named() -> None:
    stamp = ("Người ký: Ủy ban nhân dân", "Email: ubnd@vi.du", "Thời gian ký: 12.03.2026")

    left, issues = leave_out_running(
        page(1, *stamp, "KẾ HOẠCH", "Người ký tên dưới đây", "cam kết.")
    )

    assert [line.text for line in left] == ["KẾ HOẠCH", "Người ký tên dưới đây", "cam kết."]
    assert issues == (STAMP,)


def test_vni_is_told_by_its_words_and_by_its_font() -> None:
    coded = "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam, Ñoäc laäp - Töï do - Haïnh phuùc"
    meant = "Cộng hòa xã hội chủ nghĩa Việt Nam, Độc lập - Tự do - Hạnh phúc"

    assert to_unicode(coded) == from_vni(coded) == from_font(coded, font="VNI-Times") == meant
    assert from_font("QUYEÁT ÑÒNH", font="VNI-Times") == "QUYẾT ĐỊNH"
    assert from_font(meant, font="VNI-Times") == meant
    assert to_unicode("Déjà vu à la carte, garçon, Noël naïve") == (
        "Déjà vu à la carte, garçon, Noël naïve"
    )


def test_the_share_of_syllables_tells_good_text_from_broken() -> None:
    good, n_words = known_share("Ủy ban nhân dân xã Đông Sơn ban hành Kế hoạch")
    assert (good, n_words) == (1.0, 11)
    assert known_share("C NG HÒA XÃ H I CH NGH A VI T NAM Ộ Ộ Ủ Ĩ Ệ")[0] < 0.7
    assert known_share("123 ...") == (0.0, 0)
