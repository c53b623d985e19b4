"""The official form of a document: letterhead, paragraphs, citations, duties, recipients, signature.

Source: Decree 30/2020/NĐ-CP (State); Regulation 399-QĐ/TW (2026) and Guideline 36-HD/VPTW (2018) (Party).
"""

from nlp.structure.citations import read_citations
from nlp.structure.duties import read_duties
from nlp.structure.issuers import read_issuer
from nlp.structure.letterhead import read_letterhead
from nlp.structure.recipients import find_annex, read_addressees, read_recipients, widen
from nlp.structure.registers import Registers, load_registers
from nlp.structure.sections import Zones, read_paragraphs
from nlp.structure.sheet import read_sheet
from nlp.structure.signature import read_signature
from nlp.structure.subject import drop_authority
from nlp.text import fold
from nlp.types import Document, Metadata, Span, Structure

__all__ = ["Registers", "load_registers", "read_structure"]


def read_structure(doc: Document, *, registers: Registers) -> Structure:
    """Read the official form of a document; what the text lacks is None or empty."""
    sheet = read_sheet(doc)
    head = read_letterhead(sheet, registers=registers)
    numbering = head.numbering
    canonical = numbering.canonical if numbering else None
    body = Span(head.span.end, find_annex(sheet, head.span.end))
    addressees = read_addressees(sheet, head_end=head.span.end, upper_end=head.upper.end)
    addressees = addressees if head.kind else None  # a citizen's petition has "Kính gửi" as well
    listed = read_recipients(sheet, body, registers=registers)
    signature = read_signature(
        sheet, body, after=listed.span.end if listed else None, registers=registers
    )
    received = listed or addressees
    issuer = read_issuer(
        sheet, head, signed_for=signature.on_behalf if signature else None, registers=registers
    )
    metadata = Metadata(
        kind=head.kind,
        number=numbering.number if numbering else None,
        symbol=numbering.symbol if numbering else None,
        canonical=canonical,
        date=head.date,
        place=head.place,
        issuer=issuer,
        subject=drop_authority(head.subject, issuer=issuer),
        signer=signature.signer if signature else None,
        signer_title=signature.title if signature else None,
        recipients=received.field if received else None,
    )
    spans = [addressees.span] if addressees else []
    if listed:
        spans.append(widen(listed, signature.span.start) if signature else listed.span)
    zones = Zones(head.span, tuple(spans), signature.span if signature else None)
    paragraphs = read_paragraphs(sheet, zones)
    return Structure(
        metadata,
        paragraphs,
        read_citations(sheet, own=canonical, registers=registers),
        read_duties(
            sheet,
            paragraphs,
            blocks=doc.blocks,
            kind=registers.kind_named.get(fold(str(head.kind.value))) if head.kind else None,
            issued=str(head.date.value) if head.date else None,
            registers=registers,
        ),
    )
