"""How well places and bodies are found, on texts of our own in the registers that citizens write.

Run: python -m tests.benchmarks.places [--write] [--errors]. With `--write` the tables go into
`nlp/README.md`; `--errors` lists what is wrong on the half for development: the other half is there to be
measured, not to be read.

A found mention is right when it overlaps one of the gold and leads to exactly the same codes of today.
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nlp.places import Gazetteer, Mention, MentionKind, find_mentions, load_gazetteer
from nlp.text import normalise, to_nfc
from nlp.types import Span

ROOT = Path(__file__).parents[2]
README = ROOT / "nlp" / "README.md"
REGISTERS = ROOT / "corpus" / "registers"
LABELLED = ROOT / "corpus" / "labelled" / "places"
BEGIN, END = "<!-- measured: places -->", "<!-- end of places -->"
HALVES = ("development", "held_out")
Named = dict[str, set[tuple[MentionKind, str]]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with the mentions that a reader finds in it."""

    text: str
    mentions: tuple[Mention, ...]


@dataclass(slots=True)
class Tally:
    """Counts of one kind of mention."""

    gold: int = 0
    found: int = 0
    right: int = 0
    near: int = 0  # the right stretch and kind, other codes

    def row(self, name: str) -> str:
        """A line of the table."""
        precision = f"{self.right / self.found:.1%}" if self.found else "-"
        recall = f"{self.right / self.gold:.1%}" if self.gold else "-"
        return f"| {name} | {self.gold} | {self.found} | {self.near} | {precision} | {recall} |"


def load_labelled(half: str, *, gazetteer: Gazetteer) -> tuple[Labelled, ...]:
    """The texts of one half; names of the labels become codes.

    Raises:
        KeyError: nothing has the name of a label.
    """
    named = _named(gazetteer)
    lines = (LABELLED / f"{half}.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(_labelled(json.loads(line), named) for line in lines)


def _labelled(row: dict[str, Any], named: Named) -> Labelled:
    mentions = []
    for start, end, *names in row["mentions"]:
        meant = {code for name in names for code in _codes(name, named)}
        (kind,) = {kind for kind, _ in meant}
        mentions.append(Mention(Span(start, end), kind, tuple(sorted(code for _, code in meant))))
    return Labelled(row["text"], tuple(mentions))


def _named(gazetteer: Gazetteer) -> Named:
    """What each name means: "Hà Nội", "Công an cấp xã", "Hà Nội/Phường Láng", "*/Xã Tân Tiến"."""
    named: Named = defaultdict(set)
    for (kind, code), name in gazetteer.names.items():
        if kind == "ward":
            province = gazetteer.name_of("province", gazetteer.province_of(code))
            for part in ("*", _short(province)):
                named[f"{part}/{normalise(name)}"].add((kind, code))
        else:
            short = _short(name) if kind == "province" else normalise(name)
            named[short].add((kind, code))
    return named


def _codes(name: str, named: Named) -> set[tuple[MentionKind, str]]:
    """The codes of a label; "Hà Nội/Quận Đống Đa/" is all of a former district."""
    parts = normalise(name).split("/")
    if len(parts) < len(("province", "district", "ward")):
        found = named.get(normalise(name), set())
    else:
        found = {("ward", code) for row, codes in _former() if _is_in(row, parts) for code in codes}
    if not found:
        raise KeyError(f"no place or body is called {name}")
    return found


def _short(name: str) -> str:
    return normalise(name).removeprefix("tỉnh ").removeprefix("thành phố ")


def _is_in(row: tuple[str, ...], parts: Sequence[str]) -> bool:
    return all(part in ("", cell) for part, cell in zip(parts, row, strict=True))


@cache
def _former() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    with (REGISTERS / "former_wards.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    return tuple(
        (tuple(normalise(cell) for cell in row[:3]), tuple(row[3].split())) for row in rows
    )


def measure(
    texts: Sequence[Labelled], *, gazetteer: Gazetteer
) -> tuple[dict[str, Tally], list[str]]:
    """The tallies by kind, and what was wrong as lines to read."""
    tallies = {name: Tally() for name in ("province", "ward, one", "ward, several", "body", "all")}
    errors = []
    for one in texts:
        found = find_mentions(one.text, gazetteer=gazetteer)
        left = list(one.mentions)
        for mention in found:
            match = next((g for g in left if _overlap(g, mention)), None)
            if match is not None:
                left.remove(match)
            is_right = match is not None and match.codes == mention.codes
            for name in (_name(mention), "all"):
                tallies[name].found += 1
                tallies[name].right += is_right
                tallies[name].near += match is not None and not is_right
            if not is_right:
                errors.append(
                    f"found {_said(mention, one.text)} for {match and match.codes}: {one.text}"
                )
        for gold in one.mentions:
            for name in (_name(gold), "all"):
                tallies[name].gold += 1
        errors += [f"missed {_said(gold, one.text)}: {one.text}" for gold in left]
    return tallies, errors


def _overlap(one: Mention, other: Mention) -> bool:
    return (
        one.kind == other.kind
        and one.span.start < other.span.end
        and other.span.start < one.span.end
    )


def _name(mention: Mention) -> str:
    if mention.kind != "ward":
        return mention.kind
    return "ward, one" if len(mention.codes) == 1 else "ward, several"


def _said(mention: Mention, text: str) -> str:
    return f"{mention.kind} '{text[mention.span.start : mention.span.end]}' {mention.codes[:6]}"


def _table(half: str, texts: Sequence[Labelled], tallies: dict[str, Tally]) -> Iterator[str]:
    n_without = sum(not one.mentions for one in texts)
    yield f"**{half.replace('_', ' ')}**: {len(texts)} texts, {n_without} of them without a mention"
    yield ""
    yield "| mentions | gold | found | other codes | precision | recall |"
    yield "| --- | --- | --- | --- | --- | --- |"
    yield from (tally.row(name) for name, tally in tallies.items())
    yield ""


def main(arguments: Sequence[str]) -> None:
    """Measure both halves and print the tables."""
    gazetteer = load_gazetteer(REGISTERS)
    lines: list[str] = []
    for half in HALVES:
        texts = load_labelled(half, gazetteer=gazetteer)
        tallies, errors = measure(texts, gazetteer=gazetteer)
        lines += _table(half, texts, tallies)
        if half == "development" and "--errors" in arguments:
            sys.stderr.writelines(f"{error}\n" for error in errors)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    if "--write" in arguments:
        page = to_nfc(README.read_text(encoding="utf-8"))
        before, _, rest = page.partition(BEGIN)
        after = rest.partition(END)[2]
        table = "\n".join(lines).rstrip()
        README.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
