"""Metadata of real documents against what an independent editor recorded.

Run: python -m tests.benchmarks.metadata FOLDER [FOLDER/metadata.csv]. The folder holds `.md` files and a table with the
columns file, kind, number, date, issuer, signer and number_in_text, date_in_text, signer_in_text (0 or 1).

Right: the recorded value. Wrong: another one. Missing: none, though the text has it. Invented: one that the text
lacks. An issuer is right when it is or ends with the recorded name ("Ủy ban nhân dân tỉnh Phú Thọ" for "Tỉnh Phú Thọ").
"""

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from nlp.readers import from_text, read_file
from nlp.structure import Registers, load_registers, read_structure
from nlp.text import fold
from nlp.types import Document, Field, Metadata

FIELDS = ("kind", "canonical", "date", "issuer", "signer")
REGISTERS = Path(__file__).parents[2] / "corpus" / "registers"


def main(folder: Path, table: Path) -> None:
    """Print one line a field for each way of reading, then every case that is not right."""
    registers = load_registers(REGISTERS)
    for way in ("markdown", "text"):
        counts: Counter[tuple[str, str]] = Counter()
        failures: list[str] = []
        for row, metadata in _read(folder, table, way=way, registers=registers):
            for name in FIELDS:
                verdict = _judge(row, name, metadata)
                counts[name, verdict] += 1
                if verdict != "right":
                    found = getattr(metadata, name)
                    failures.append(
                        f"{row['file']} {name} {verdict}: {_recorded(row, name)!r}, read {found and found.value!r}"
                    )
        _print_table(way, counts)
        sys.stdout.write("\n".join(failures) + "\n\n")


def _read(
    folder: Path, table: Path, *, way: str, registers: Registers
) -> Iterator[tuple[dict[str, str], Metadata]]:
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        data = (folder / row["file"]).read_bytes()
        doc: Document = (
            read_file(data, name=row["file"]) if way == "markdown" else from_text(data.decode())
        )
        yield row, read_structure(doc, registers=registers).metadata


def _recorded(row: Mapping[str, str], name: str) -> str | None:
    """The recorded value, None where the text does not hold it."""
    column = {"canonical": "number"}.get(name, name)
    return None if row.get(f"{column}_in_text", "1") == "0" else row[column]


def _judge(row: Mapping[str, str], name: str, metadata: Metadata) -> str:
    recorded = _recorded(row, name)
    found: Field | None = getattr(metadata, name)
    if found is None:
        return "missing" if recorded else "right"
    if recorded is None:
        return "invented"
    same = fold(str(found.value)) == fold(recorded)
    return (
        "right"
        if same or (name == "issuer" and fold(str(found.value)).endswith(fold(recorded)))
        else "wrong"
    )


def _print_table(way: str, counts: Mapping[tuple[str, str], int]) -> None:
    verdicts = ("right", "wrong", "missing", "invented")
    sys.stdout.write(
        f"{way:<12}" + "".join(f"{verdict:>10}" for verdict in verdicts) + f"{'share':>10}\n"
    )
    for name in FIELDS:
        numbers = [counts.get((name, verdict), 0) for verdict in verdicts]
        share = numbers[0] / max(1, sum(numbers))
        sys.stdout.write(f"{name:<12}" + "".join(f"{n:>10}" for n in numbers) + f"{share:>10.3f}\n")


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    main(given[0], given[1] if len(given) > 1 else given[0] / "metadata.csv")
