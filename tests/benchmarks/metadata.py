"""Metadata of real documents against what an independent editor recorded.

Run: python -m tests.benchmarks.metadata FOLDER [TABLE]. The folder holds `.md` files; the table (by default
its metadata.csv) has the columns file, kind, number, date, issuer and signer.

Right: the recorded value, or nothing where the text does not hold it. Wrong: another value. Missing: nothing,
though the text holds it. Invented: a value where the text holds none. An issuer is right when it is the
recorded name or ends with it ("Ủy ban nhân dân tỉnh Phú Thọ" for "Tỉnh Phú Thọ").
"""

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from nlp.readers import from_text, read_file
from nlp.structure import Registers, load_registers, read_structure
from nlp.text import fold
from nlp.types import Metadata

COLUMNS = {
    "kind": "kind",
    "canonical": "number",
    "date": "date",
    "issuer": "issuer",
    "signer": "signer",
}
VERDICTS = ("right", "wrong", "missing", "invented")
REGISTERS = Path(__file__).parents[2] / "corpus" / "registers"


def main(folder: Path, table: Path) -> None:
    """Print one line a field for each way of reading, then every case that is not right."""
    if not table.exists():
        sys.stdout.write(f"{table} is not at hand, left out\n")
        return
    registers = load_registers(REGISTERS)
    for way in ("markdown", "text"):
        counts: Counter[tuple[str, str]] = Counter()
        failures: list[str] = []
        for row, text, metadata in _read(folder, table, way=way, registers=registers):
            for name in COLUMNS:
                verdict = _judge(row, name, text, metadata)
                counts[name, verdict] += 1
                if verdict != "right":
                    failures.append(_describe(row, name, verdict, metadata))
        _print_table(way, counts)
        sys.stdout.write("\n".join(failures) + "\n\n")


def _read(
    folder: Path, table: Path, *, way: str, registers: Registers
) -> Iterator[tuple[dict[str, str], str, Metadata]]:
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        data = (folder / row["file"]).read_bytes()
        is_markdown = way == "markdown"
        doc = read_file(data, name=row["file"]) if is_markdown else from_text(data.decode())
        yield row, doc.text, read_structure(doc, registers=registers).metadata


def _judge(row: Mapping[str, str], name: str, text: str, metadata: Metadata) -> str:
    recorded = row[COLUMNS[name]]
    field = getattr(metadata, name)
    holds = _holds(text, name, recorded)
    if field is None:
        return "missing" if holds else "right"
    found, wanted = fold(str(field.value)), fold(recorded)
    if found == wanted or (name == "issuer" and found.endswith(wanted)):
        return "right"
    return "wrong" if holds else "invented"


def _holds(text: str, name: str, recorded: str) -> bool:
    """Whether a text holds a number, date or signer in any spacing; kinds and issuers are not looked up."""
    ink = re.sub(r"[\s*|]+", "", fold(text))
    if name == "date":
        year, month, day = (int(part) for part in recorded.split("-"))
        joints = (
            f"ngay0?{day}thang0?{month}nam{year}",
            f"(?<!\\d)0?{day}[/.-]0?{month}[/.-]{year}",
        )
        return any(re.search(joint, ink) for joint in joints)
    return name in {"kind", "issuer"} or re.sub(r"\s+", "", fold(recorded)) in ink


def _describe(row: Mapping[str, str], name: str, verdict: str, metadata: Metadata) -> str:
    field = getattr(metadata, name)
    read = field.value if field else None
    return f"{row['file']} {name} {verdict}: recorded {row[COLUMNS[name]]!r}, read {read!r}"


def _print_table(way: str, counts: Mapping[tuple[str, str], int]) -> None:
    heads = "".join(f"{verdict:>10}" for verdict in (*VERDICTS, "share"))
    sys.stdout.write(f"{way:<12}{heads}\n")
    for name in COLUMNS:
        numbers = [counts.get((name, verdict), 0) for verdict in VERDICTS]
        cells = "".join(f"{n:>10}" for n in numbers)
        sys.stdout.write(f"{name:<12}{cells}{numbers[0] / max(1, sum(numbers)):>10.3f}\n")


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    main(given[0], given[1] if len(given) > 1 else given[0] / "metadata.csv")
