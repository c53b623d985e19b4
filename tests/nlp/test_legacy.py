"""TCVN3 is decoded where it is TCVN3, and nothing else is touched."""

import shutil
import subprocess

import pytest
from hypothesis import given

from nlp.legacy import to_tcvn3, to_unicode
from nlp.readers import from_text, read_file
from tests.strategies import running_texts

SENTENCE = "Đề nghị phường sửa đường, nước ngập mãi không ai xử lý."


def test_a_sentence_in_tcvn3_becomes_unicode() -> None:
    assert to_unicode("Céng hßa x· héi chñ nghÜa ViÖt Nam") == "Cộng hòa xã hội chủ nghĩa Việt Nam"


def test_a_file_in_tcvn3_is_read_and_said_to_be_old() -> None:
    doc = read_file(to_tcvn3(SENTENCE).encode("latin-1"), name="a.txt")

    assert doc.text == SENTENCE
    assert doc.issues == ("legacy_encoding",)


def test_a_string_in_tcvn3_keeps_its_soft_hyphens() -> None:
    assert "\u00ad" in to_tcvn3(SENTENCE)  # ư is stored as a soft hyphen
    assert from_text(to_tcvn3(SENTENCE)).text == SENTENCE


@pytest.mark.parametrize(
    "text",
    [
        "không có gì, cô bán hàng ở nhà",
        "Le garçon a été très fâché, où est la fenêtre déjà cassée ?",
        "Größe, Straße, Übergänge, schön, häßlich",
        "5 m² × 3 = 15 m², 20 °C",
        "",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert to_unicode(text) == text


@given(running_texts())
def test_unicode_text_is_never_decoded(text: str) -> None:
    assert to_unicode(text) == text


@pytest.mark.skipif(not shutil.which("iconv"), reason="iconv is not at hand")
def test_the_table_agrees_with_glibc() -> None:
    letters = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵĂÂĐÊÔƠƯ"
    command = ["iconv", "-f", "TCVN5712-1", "-t", "UTF-8"]

    data = to_tcvn3(letters).encode("latin-1")

    assert (
        subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
        == letters
    )
