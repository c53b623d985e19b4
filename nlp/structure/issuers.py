"""Who issued a document: the name in the letterhead, else one inferred from title, signature or symbol.

Source: Decree 30/2020/NĐ-CP, annex I, part I, section II.2 (the body stands below the one it belongs to);
Guideline 36-HD/VPTW (2018) on the issuing organisation.
"""

import re
from collections.abc import Iterable

from nlp.structure.letterhead import Letterhead
from nlp.structure.registers import Issuer, Place, Registers, find_areas, spell
from nlp.structure.sheet import Sheet
from nlp.text import fold, lower
from nlp.types import Field, Span

# Marks of secrecy, urgency and draft that may stand among the lines of the head.
_MARK = re.compile(
    r"(?:du thao|ban sao|(?:toi |tuyet )?mat|(?:thuong )?khan|hoa toc|v\s?/\s?v)\b|so\s*[:./\d]"
)
_CITY = re.compile(r"^(?:tp\.?|thanh pho|tinh)\s*")
_SPEAKS = r"(?:co\s+y\s+kien|thong\s+bao|tra\s+loi|de\s+nghi|yeu\s+cau)(?!\w)"
_FEW_WORDS = 2
# A name that stops so goes on in the next line ("ỦY" + "BAN NHÂN DÂN", "VĂN PHÒNG" + "CHÍNH PHỦ").
_UNFINISHED = re.compile(
    r"uy|uy ban|hoi dong|van phong|ban|so|bo|cuc|tong cuc|vu|vien|trung tam|hoi"
    r"|.*(?:[,-]| va| cua|doan dai bieu)"
)


def read_issuer(
    sheet: Sheet, head: Letterhead, *, signed_for: str | None, registers: Registers
) -> Field | None:
    """Name the issuer; `signed_for` is the body on whose behalf the document is signed."""
    bodies = _read_bodies(sheet, head, registers=registers)
    if bodies:
        names = [
            _write_out(" ".join(sheet.slice(s.start, s.end) for s in spans), registers=registers)
            for spans in bodies
        ]
        return _name_in_full(names, bodies, head, registers=registers)
    title = head.title
    named = [part.value for part in (title and title.by, title and title.authority) if part]
    told = (
        *named,
        head.noted_by,
        signed_for,
        _by_symbol(head, registers=registers),
        _speaker(sheet, registers=registers) if head.kind and not title else None,
    )
    for name in told:
        if name:
            full = _complete(_write_out(str(name), registers=registers), head, registers=registers)
            return Field(full, None, None, inferred=True)
    return None


def _read_bodies(sheet: Sheet, head: Letterhead, *, registers: Registers) -> list[list[Span]]:
    """The bodies named above the number, each as the stretches of its lines."""
    bodies: list[list[Span]] = []
    held: list[Span] = []  # lines too short to tell, such as "ỦY" above "BAN NHÂN DÂN"
    text = ""
    for piece in _upper_pieces(sheet, head):
        folded = " ".join(sheet.folded[piece.start : piece.end].split())
        if _is_noise(sheet, piece, folded, registers=registers):
            continue
        alone = " ".join(sheet.slice(span.start, span.end) for span in [*held, piece])
        if bodies and (
            not registers.issuer_head.match(folded) or _goes_on(text, folded, registers=registers)
        ):
            bodies[-1].append(piece)
            text = f"{text} {folded}"
        elif registers.issuer_head.match(fold(alone)):
            bodies.append([*held, piece])
            text, held = fold(alone), []
        else:
            held = [piece] if len(folded.split()) <= _FEW_WORDS else []
    return bodies


def _is_noise(sheet: Sheet, piece: Span, folded: str, *, registers: Registers) -> bool:
    """Whether a line of the head cannot be part of an issuer's name, which stands in capitals."""
    in_small = sheet.is_cased and not sheet.text[piece.start : piece.end].isupper()
    return in_small or bool(_MARK.match(folded) or registers.kind_pattern.match(folded))


def _upper_pieces(sheet: Sheet, head: Letterhead) -> list[Span]:
    """What the part above the title holds besides motto, number, place and date, line by line."""
    number_at = head.numbering.span.start if head.numbering else head.upper.end
    end = min(head.upper.end, number_at)
    pieces = []
    for line in sheet.lines:
        if head.upper.start <= line.start and line.end <= end:
            start, stop = line.start, line.end
            for span in head.taken:
                if span.start < stop and span.end > start:
                    start, stop = (span.end, stop) if span.start <= start else (start, span.start)
            piece = sheet.trim(start, max(start, stop))
            pieces += [piece] if piece.start < piece.end else []
    return pieces


def _goes_on(before: str, line: str, *, registers: Registers) -> bool:
    """Whether a line that could begin a body's name only continues the one before it."""
    if not before:
        return False
    joined = f"{before} {line}"
    longer = (name for name, _ in registers.bodies if len(name) > len(before) + 1)
    crosses = any(joined.startswith(name) for name in longer)
    return crosses or bool(_UNFINISHED.fullmatch(before))


def _write_out(name: str, *, registers: Registers) -> str:
    """Spell a name, with the bodies of an area in full ("UBND" is "Ủy ban nhân dân")."""
    full = {
        body.abbreviation: body.name
        for body in registers.issuers
        if body.of_place and body.side in {"state", "assembly"}
    }
    spelled = spell(name, registers=registers)
    return re.sub(r"\w+", lambda word: full.get(word[0].upper(), word[0]), spelled)


def _name_in_full(
    names: list[str], bodies: list[list[Span]], head: Letterhead, *, registers: Registers
) -> Field:
    """The last body named, completed by the one above it where its own name does not tell whose it is."""
    start, end = _bounds(bodies[-1])
    *above, name = names
    owner = _owner(name, above[-1], registers=registers) if above else None
    if owner:
        name, start = f"{name} {owner}", _bounds(bodies[-2])[0]
    name = _name_area(name, above, head, registers=registers)
    for proper in _area_names(above):  # "Trường Tiểu học bản ngà" below "UBND xã Bản Ngà"
        name = re.sub(rf"(?<!\w){re.escape(lower(proper))}(?!\w)", proper, name)
    return Field(name, start, end)


def _owner(name: str, above: str, *, registers: Registers) -> str | None:
    """The body above, or only its area, unless the name tells an area or a proper name of it."""
    if find_areas(name):
        return None
    known = _registered(name, registers=registers)
    superior = _registered(above, registers=registers)
    if known and known[0].within:
        owner = above
    elif superior and superior[0].of_place:
        owner = superior[1]
    else:
        return None
    told = any(fold(proper) in fold(name) for proper in [owner, *_area_names([owner])])
    return None if told else owner


def _name_area(name: str, above: list[str], head: Letterhead, *, registers: Registers) -> str:
    """Put the proper name behind an area that ends a name without it ("Sở Nội vụ tỉnh")."""
    areas = find_areas(name)
    if not areas or areas[-1]["name"]:
        return name
    kind = areas[-1]["kind"]
    place = _province(head, registers=registers)
    proper = [place.name] if place and fold(place.kind) == fold(kind) else []
    proper = [*_area_names(reversed(above), kind=kind), *proper]
    lacks = proper and fold(proper[0]) not in fold(name)
    return f"{name} {proper[0]}" if lacks else name


def _area_names(bodies: Iterable[str], *, kind: str | None = None) -> list[str]:
    """The proper names of the areas in some names of bodies, of one kind or of any."""
    return [
        body[slice(*area.span("name"))]
        for body in bodies
        for area in find_areas(body)
        if area["name"] and kind in (None, area["kind"])
    ]


def _complete(name: str, head: Letterhead, *, registers: Registers) -> str:
    """Add the place of the letterhead, and the body above, to an inferred name that lacks them."""
    known = _registered(name, registers=registers)
    if known and known[0].within and not known[1]:
        above = _by_symbol(head, registers=registers)
        name = f"{name} {above}" if above else name
    name = _name_area(name, [], head, registers=registers)
    place = _province(head, registers=registers)
    if place is None:
        return name
    folded = fold(name)
    local = [body for known, body in registers.bodies if body.of_place and folded.endswith(known)]
    if not local:
        return name
    return f"{name} {place.name if local[0].side == 'party' else f'{place.kind} {place.name}'}"


def _by_symbol(head: Letterhead, *, registers: Registers) -> str | None:
    """The body whose abbreviation the symbol holds: "CT/TU", "QĐ-UBND", "QH15" with its term."""
    if head.numbering is None:
        return None
    parts = [
        part.rstrip("0123456789") for part in re.split(r"[-/]", str(head.numbering.symbol.value))
    ]
    bodies = [i for part in parts for i in registers.issuers if i.abbreviation == part]
    names = [body.name for body in bodies if not body.within]
    place = _province(head, registers=registers)
    # One abbreviation stands for "Tỉnh ủy" and "Thành ủy": the kind of place decides.
    fitting = [n for n in names if place and fold(n).split()[0] == fold(place.kind).split()[0]]
    return next(iter([*fitting, *names]), None)


def _speaker(sheet: Sheet, *, registers: Registers) -> str | None:
    """The body that speaks in a letter that lost its head: "Cục Thuế có ý kiến như sau"."""
    match = re.search(rf"({registers.authority_pattern.pattern})\s+{_SPEAKS}", sheet.folded)
    return sheet.slice(*match.span(1)) if match else None


def _province(head: Letterhead, *, registers: Registers) -> Place | None:
    if head.place is None:
        return None
    name = _CITY.sub("", fold(str(head.place.value)))
    return next((place for place in registers.places if fold(place.name) == name), None)


def _registered(name: str, *, registers: Registers) -> tuple[Issuer, str] | None:
    """The longest registered name, or abbreviation, that a name begins with, and what follows it."""
    folded = f"{fold(name)} "
    known = [(len(n), body) for n, body in registers.bodies if folded.startswith(f"{n} ")]
    if not known:
        return None
    length, issuer = max(known, key=lambda pair: pair[0])
    return issuer, name[length:].strip()


def _bounds(spans: list[Span]) -> tuple[int, int]:
    return spans[0].start, spans[-1].end
