"""How well documents are read: fields of the form, duties, citations, and letters, by source and by route.

Run: python -m tests.benchmarks.documents DATA [--write]. DATA is the folder of real documents (its
`govdocs/offices` with the metadata of an editor, `govdocs/text`); what is absent is left out. With `--write`
the tables go into `nlp/README.md`, between the marks that say so.

Right: exactly the fact (case, marks of tone and white space aside), or nothing where the document has none.
Wrong: another value. Missing: nothing, though the document has it. Invented: a value where it has none.
"""

import csv
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from pathlib import Path

from nlp.errors import InputError
from nlp.readers import read_file
from nlp.readers.child import read_in_child
from nlp.structure import Registers, load_registers, read_structure
from nlp.types import Document
from tests import rendered
from tests.own_documents import OwnDocument, own_documents, to_docx
from tests.scoring import (
    VERDICTS,
    Score,
    error_rate,
    percent,
    rows,
    same,
    score_citations,
    score_duties,
    verdict,
    verdicts,
)

ROOT = Path(__file__).parents[2]
README = ROOT / "nlp" / "README.md"
BEGIN, END = "<!-- measured: documents -->", "<!-- end -->"
_THREADS = 2
Route = Callable[[Sequence[OwnDocument]], list[tuple[str, bytes]]]


def main(data: Path, *, write: bool) -> None:
    """Measure all that is at hand and print it as Markdown."""
    registers = load_registers(ROOT / "corpus" / "registers")
    text = "\n\n".join([*_real(data, registers=registers), *_own(registers=registers)])
    sys.stdout.write(text + "\n")
    if write:
        page = README.read_text(encoding="utf-8")
        before, _, rest = page.partition(BEGIN)
        _, _, after = rest.partition(END)
        README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def _real(data: Path, *, registers: Registers) -> Iterator[str]:
    offices, texts = data / "govdocs" / "offices", data / "govdocs" / "text"
    if (offices / "metadata.csv").exists():
        score = Score()
        with (offices / "metadata.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                doc = read_file((offices / row["file"]).read_bytes(), name=row["file"])
                score.add(row["file"], _against_editor(row, doc, registers=registers))
        yield _fields(
            f"{len(score.whole)} real documents of ministries and provinces of 2025, against what a legal"
            " site's editors recorded",
            score,
        )
    facts = {
        row["sha256"]: row | {"canonical": row["number"]}
        for row in map(
            json.loads,
            (ROOT / "corpus/labelled/real/documents.jsonl").read_text("utf-8").splitlines(),
        )
    }
    score = Score()
    for path in sorted(texts.glob("*.txt")):
        content = path.read_bytes()
        fact = facts.get(sha256(content).hexdigest())
        if fact:
            metadata = read_structure(
                read_file(content, name=path.name), registers=registers
            ).metadata
            told = verdicts(metadata, {k: v for k, v in fact.items() if k != "signer_title"})
            score.add(path.name, told)
    if score.whole:
        yield _fields(
            f"{len(score.whole)} real laws, decrees, circulars, decisions and letters, against facts read by"
            " us",
            score,
        )


def _against_editor(
    row: Mapping[str, str], doc: Document, *, registers: Registers
) -> dict[str, str]:
    """Verdicts on what an editor recorded; what the text does not hold need not be found.

    The editor shortens issuers ("Tỉnh Phú Thọ"), so the end of a name is enough.
    """
    metadata = read_structure(doc, registers=registers).metadata
    told = {}
    for name, key in (
        ("kind", "kind"),
        ("canonical", "number"),
        ("date", "date"),
        ("signer", "signer"),
    ):
        found = getattr(metadata, name)
        wanted = row[key] if row.get(f"{key}_in_text", "1") == "1" else None
        told[name] = verdict(found.value if found else None, wanted)
        if wanted is None and found and same(found.value) == same(row[key]):
            told[name] = "right"
    issuer = metadata.issuer
    told["issuer"] = "missing" if issuer is None else "wrong"
    if issuer and same(issuer.value).endswith(same(row["issuer"])):
        told["issuer"] = "right"
    return told


def _own(*, registers: Registers) -> Iterator[str]:
    documents = own_documents()
    lines = []
    for name, route in ROUTES.items():
        found = _read_all(route(documents))
        score, duties, citations = Score(), Counter[str](), Counter[str]()
        rates = []
        for own, doc in zip(documents, found, strict=True):
            if doc is None:
                score.add(own.id, dict.fromkeys(own.gold, "missing"))
                continue
            structure = read_structure(doc, registers=registers)
            score.add(own.id, verdicts(structure.metadata, own.gold))
            duties += score_duties(own, doc, structure)
            citations += score_citations(own, doc, structure)
            rates.append(error_rate(doc.text, own.text))
        if name == "docx":
            yield _fields(f"{len(documents)} documents of our own, as .docx", score)
        lines.append(
            (
                name,
                percent(score.right, 1),
                score.invented,
                f"{sum(score.whole)} of {len(score.whole)}",
                f"{sum(rates) / max(1, len(rates)):.4f}",
                percent(duties["found"], duties["wanted"]),
                percent(duties["found"], duties["found"] + duties["extra"]),
                percent(duties["actors"], duties["found"]),
                percent(duties["exact"], duties["found"]),
                percent(duties["deadline"], duties["found"]),
                percent(citations["canonical"], citations["wanted"]),
            )
        )
    yield "### The same documents by every route\n" + _table(
        (
            "route", "fields right", "invented", "documents wholly right", "character errors",
            "duties found", "of those found true", "actors right", "their very names",
            "deadline right", "citations resolved",
        ),
        lines,
    )  # fmt: skip


def _read_all(files: Sequence[tuple[str, bytes]]) -> list[Document | None]:
    def read(file: tuple[str, bytes]) -> Document | None:
        try:
            return read_in_child(file[1], name=file[0])
        except InputError as error:
            sys.stderr.write(f"{file[0]}: {error}\n")
            return None

    with ThreadPoolExecutor(_THREADS) as readers:
        return list(readers.map(read, files))


@cache
def _saved_as(to: str, *, old_font: bool = False) -> list[bytes]:
    """All documents of our own as LibreOffice saves them, in one run."""
    documents = own_documents()
    with tempfile.TemporaryDirectory() as place:
        paths = [Path(place, f"{own.id}.docx") for own in documents]
        for own, path in zip(documents, paths, strict=True):
            path.write_bytes(to_docx(own, old_font=old_font))
        command = [
            "soffice",
            f"-env:UserInstallation=file://{place}/p",
            "--headless",
            "--convert-to",
            to,
        ]
        subprocess.run(
            [*command, "--outdir", place, *map(str, paths)], check=True, capture_output=True
        )
        return [path.with_suffix(f".{to}").read_bytes() for path in paths]


def _by_libreoffice(to: str, *, old_font: bool = False) -> Route:
    def route(documents: Sequence[OwnDocument]) -> list[tuple[str, bytes]]:
        saved = _saved_as(to, old_font=old_font)
        return [(f"{own.id}.{to}", data) for own, data in zip(documents, saved, strict=True)]

    return route


def _docx(documents: Sequence[OwnDocument]) -> list[tuple[str, bytes]]:
    return [(f"{own.id}.docx", to_docx(own)) for own in documents]


def _scans(documents: Sequence[OwnDocument]) -> list[tuple[str, bytes]]:
    saved = _saved_as("pdf")
    return [
        (f"{own.id}.pdf", rendered.scan(data)) for own, data in zip(documents, saved, strict=True)
    ]


ROUTES: dict[str, Route] = {
    "docx": _docx,
    "doc": _by_libreoffice("doc"),
    "doc in TCVN3": _by_libreoffice("doc", old_font=True),
    "odt": _by_libreoffice("odt"),
    "rtf": _by_libreoffice("rtf"),
    "pdf": _by_libreoffice("pdf"),
    "scan of the pdf": _scans,
}


def _fields(title: str, score: Score) -> str:
    whole = f"{sum(score.whole)} of {len(score.whole)} documents are right in every field."
    return f"### {title}\n{_table(('field', *VERDICTS, 'right'), rows(score))}\n\n{whole}"


def _table(head: Sequence[object], lines: Sequence[Sequence[object]]) -> str:
    parts = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(map(str, part))} |" for part in parts)


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "--write"]
    main(Path(given[0]) if given else Path("data"), write="--write" in sys.argv)
