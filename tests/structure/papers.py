"""Official papers written for the tests, and a way to make Documents of them."""

from nlp.text import to_nfc
from nlp.types import Block, Document


def document(text: str) -> Document:
    """One block a line, as most readers give it."""
    text = to_nfc(text)
    blocks = []
    start = 0
    for line in text.split("\n"):
        if line.strip():
            blocks.append(Block(start, start + len(line)))
        start += len(line) + 1
    return Document(text, tuple(blocks))


PARTY_PLAN = """\
THÀNH ỦY HÀ NỘI
BAN DÂN VẬN
*
Số 45-KH/BDVTU
ĐẢNG CỘNG SẢN VIỆT NAM
Hà Nội, ngày 05 tháng 3 năm 2024
KẾ HOẠCH
tổ chức hội nghị đối thoại
với Nhân dân năm 2024
-----
Thực hiện Chương trình công tác năm 2024, Ban Dân vận Thành ủy xây dựng Kế hoạch như sau:
I. MỤC ĐÍCH, YÊU CẦU
1. Mục đích
Nâng cao nhận thức của cán bộ, đảng viên.
II. NỘI DUNG
1. Ban Dân vận các quận ủy, huyện ủy rà soát mô hình, gửi báo cáo Ban Dân vận Thành ủy trước ngày 15/5/2024.
2. Sở Nội vụ, Sở Tài chính và UBND các quận, huyện, thị xã:
a) Bố trí kinh phí trong quý II/2024.
b) Định kỳ 6 tháng, hằng năm báo cáo Thường trực Thành ủy (qua Ban Dân vận Thành ủy).
3. Đề nghị Ủy ban MTTQ Việt Nam Thành phố giám sát theo Quy định số 11-QĐi/TW ngày 18/02/2019.
Kế hoạch này phổ biến đến chi bộ./.
Nơi nhận:
- Thường trực Thành ủy (để báo cáo),
- Các quận, huyện, thị ủy,
- Lưu VP.
(2 bản)
K/T TRƯỞNG BAN
PHÓ TRƯỞNG BAN THƯỜNG TRỰC
Nguyễn Văn Mẫu
"""

STATE_DECISION = """\
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
Phú Thọ, ngày 03 tháng 02 năm 2026
ỦY BAN NHÂN
DÂN
TỈNH PHÚ THỌ
Số: 45 /QĐ-UBND
QUYẾT ĐỊNH
VỀ VIỆC PHÊ DUYỆT DANH MỤC DỊCH VỤ CÔNG
THUỘC THẨM QUYỀN CỦA SỞ NỘI VỤ
CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH
Căn cứ Luật Tổ chức chính quyền địa phương ngày 16/6/2025;
Theo đề nghị của Giám đốc Sở Nội vụ.
QUYẾT ĐỊNH:
Điều 1. Phê duyệt danh mục 12 dịch vụ công kèm theo Quyết định này.
Điều 2. Điều khoản thi hành
1. Quyết định này có hiệu lực từ ngày ký.
2. Chánh Văn phòng chịu trách nhiệm thi hành Quyết định này./.
Nơi nhận:
- Như Điều 2;
- Lưu: VT.
TM. ỦY BAN NHÂN DÂN
KT. CHỦ TỊCH
PHÓ CHỦ TỊCH
Trần Thị Mẫu
PHỤ LỤC
(Kèm theo Quyết định số 45/QĐ-UBND ngày 03/02/2026)
1. Cấp bản sao giấy tờ hộ tịch
"""

LETTER = """\
BỘ TÀI CHÍNH
CỤC THUẾ
CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
Độc lập - Tự do - Hạnh phúc
Số: 512/CT-CS
V/v lệ phí trước bạ
đối với nhà, đất
Hà Nội, ngày 09 tháng 01 năm 2026
Kính gửi: Thuế tỉnh Lâm Đồng.
Cục Thuế đề nghị Thuế tỉnh Lâm Đồng rà soát hồ sơ, báo cáo Cục Thuế trước ngày 15/02/2026.
Nơi nhận:
- Như trên;
- Lưu: VT, CS.
TL. CỤC TRƯỞNG
KT. TRƯỞNG BAN CHÍNH SÁCH
PHÓ TRƯỞNG BAN
Lê Văn Mẫu
"""
