"""How surely texts that say the same are found, on hand-written re-posts and near misses.

    python -m tests.benchmarks.reposts

The texts come in one after the other, each group with its original first, and are grouped as intake groups
them (`service.store.traits`). A re-post is found when it joins the group of its original; a text that joins
a group of which it is no re-post is a false one.
"""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from models.corpus import load_corpus
from nlp.readers import from_text
from nlp.reposts import Runs, find_buckets
from nlp.taxonomy import load_pack
from service.settings import Settings
from service.store.dialect import open_engine, writing
from service.store.intake import add
from service.store.migrate import migrate
from service.store.records import NewItem, Traits
from service.store.tables import traits

PARTS = ("development", "held_out")
_START = datetime(2026, 1, 5, tzinfo=UTC)
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Case:
    """A text, the group it belongs to (None: none), and what was done to the original."""

    group: str | None
    edit: str
    text: str


def read_cases(part: str) -> list[Case]:
    """The hand-written cases of one part."""
    path = Settings().corpus_folder / "labelled" / "reposts" / f"{part}.jsonl"
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return [Case(row["group"], row["edit"], row["text"]) for row in rows]


def group(cases: Sequence[Case]) -> list[int]:
    """The number of the first that said the same, for each case; numbers count from 0."""
    buckets = find_buckets([Runs.of(case.text) for case in cases])
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder)}/reposts.db"
        migrate(url)
        engine = open_engine(url)
        entries = [
            (_item(case, number=i, buckets=own), None)
            for i, (case, own) in enumerate(zip(cases, buckets, strict=True))
        ]
        for start in range(0, len(entries), _BATCH):
            add(engine, entries[start : start + _BATCH], run_id=1, parents={})
        with writing(engine) as connection:
            found = dict(
                connection.execute(
                    traits.select().with_only_columns(traits.c.seq, traits.c.group_seq)
                ).all()
            )
        engine.dispose()
    numbers = {seq: i for i, seq in enumerate(sorted(found))}
    return [numbers[found[seq]] for seq in sorted(found)]


def _item(case: Case, *, number: int, buckets: tuple[int, ...]) -> NewItem:
    return NewItem(
        id=f"{number:032x}",
        intake="opinion",
        kind="opinion",
        doc=from_text(case.text),
        source="demo",
        external_id=str(number),
        received_at=_START + timedelta(minutes=number),
        traits=Traits("phản ánh", "normal", 0, 0.0, 0.0, buckets),
    )


def tell(part: str) -> str:
    """Precision and recall of one part, and how many re-posts of each kind were found."""
    cases = read_cases(part)
    firsts = group(cases)
    joined = [
        (case, cases[first])
        for i, (case, first) in enumerate(zip(cases, firsts, strict=True))
        if first != i
    ]
    right = [case for case, first in joined if case.group is not None and case.group == first.group]
    of_edit = Counter(case.edit for case in cases if case.edit not in {"original", "negative"})
    found = Counter(case.edit for case in right)
    lines = [f"  {edit:16} {found[edit]:3} of {n:3}" for edit, n in sorted(of_edit.items())]
    n_reposts = of_edit.total()
    head = (
        f"{part}: precision {len(right) / len(joined):.3f} ({len(right)} of {len(joined)}),"
        f" recall {len(right) / n_reposts:.3f} ({len(right)} of {n_reposts})"
    )
    return "\n".join((head, *lines))


def tell_corpus() -> str:
    """How many of the labelled opinions, which are all different texts, join another."""
    folder = Settings().corpus_folder
    pack = load_pack(folder / "taxonomies" / "ct07")
    examples = load_corpus(folder / "labelled" / "ct07", taxonomy=pack)
    cases = [Case(None, "negative", own.text) for own in examples if own.kind == "opinion"]
    started = time.process_time()
    n_joined = sum(first != i for i, first in enumerate(group(cases)))
    took_ms = (time.process_time() - started) / len(cases) * 1000
    told = f"corpus: {n_joined} of {len(cases)} different opinions joined"
    return f"{told}; {took_ms:.2f} ms each, storing included"


def main() -> None:
    """Print the tables."""
    for part in PARTS:
        sys.stdout.write(tell(part) + "\n")
    sys.stdout.write(tell_corpus() + "\n")


if __name__ == "__main__":
    main()
