"""A small archive: opinions that rules have read, models that read them again, people's words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import sqlalchemy as sa

from nlp.pipeline import Pipeline, Request
from nlp.readers import from_text
from nlp.taxonomy import Category, Migration, Taxonomy
from nlp.types import Analysis, AssignedLabel, CategoryResult, Guess, Provenance
from service.actions import Desk
from service.monitor.traits import load_rules
from service.reviewing import Word, correct_item
from service.store import tables
from service.store.corrections import Given, Packs
from service.store.dialect import writing
from service.store.intake import add, append_answers, ensure_run
from service.store.query import LabelFilter, Query
from service.store.records import NewItem
from service.store.runs import Move, end_run, packs_of, promote, roll_back, start_run
from service.store.views import list_items
from tests.service.rules import PACK, RulePipeline

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
RULES = Provenance("rules", "1", "0" * 64, "ct07", "1.0.0", "0.1.0")
Change = Callable[[Analysis], Analysis]


def newer(version: str, *, fields: Mapping[str, str], steps: tuple[Migration, ...]) -> Taxonomy:
    """The pack with other civic fields: a code and what it becomes, `""` for nothing."""
    facet = PACK.facets["civic_field"]
    kept = [own for own in facet.categories if own.code not in fields]
    new = {code for after in fields.values() for code in after.split()}
    made = [_like(facet.categories[0], code) for code in sorted(new)]
    facets = {**PACK.facets, "civic_field": replace(facet, categories=(*kept, *made))}
    return replace(PACK, version=version, facets=facets, migrations=steps)


def _like(category: Category, code: str) -> Category:
    return replace(category, code=code, name=code)


def step(kind: str, before: str, after: str) -> Migration:
    """A migration of civic fields from the pack as it is to 1.1.0."""
    codes = (tuple(before.split()), tuple(after.split()))
    return Migration("1.0.0", "1.1.0", "civic_field", kind, *codes)  # type: ignore[arg-type]


RENAMED = newer("1.1.0", fields={"LV03": "LV30"}, steps=(step("rename", "LV03", "LV30"),))
SPLIT = newer("1.1.0", fields={"LV03": "LV31 LV32"}, steps=(step("split", "LV03", "LV31 LV32"),))


def says_field(code: str | None, *, probability: float = 0.91) -> Change:
    """What a model says that gives every opinion this civic field, or doubts."""
    if code is None:
        verdict = CategoryResult("abstain", guess=Guess("LV02", probability))
    else:
        label = AssignedLabel(code, probability, ())
        verdict = CategoryResult("labelled", code, Guess(code, probability), (label,))
    return lambda analysis: replace(analysis, civic_field=verdict)


def as_it_is(analysis: Analysis) -> Analysis:
    """What the rules say."""
    return analysis


@dataclass
class Shelf:
    """Opinions by number, from 1; each word of a person is a second later than the one before."""

    engine: sa.Engine
    packs: Packs = field(default_factory=lambda: packs_of([PACK]))
    texts: dict[int, str] = field(default_factory=dict)
    seconds: int = 0

    def store(self, *texts: str, provenance: Provenance = RULES, change: Change = as_it_is) -> None:
        """Keep opinions, read by this model."""
        run_id = ensure_run(self.engine, provenance, now=NOON)
        entries = []
        for text in texts:
            number = len(self.texts) + 1
            self.texts[number] = text
            request = Request(f"{number:032x}", from_text(text), "opinion")
            item = NewItem(
                id=request.id,
                intake="opinion",
                kind="opinion",
                doc=request.doc,
                source="demo",
                external_id=str(number),
                received_at=NOON + timedelta(hours=number),
            )
            entries.append((item, change(RulePipeline().analyze(request))))
        add(self.engine, entries, run_id=run_id, parents=PACK.parents)

    def read_again(
        self, change: Change, *, taxonomy: Taxonomy = PACK, version: str = "2", only: int = 0
    ) -> int:
        """Let another model read everything, or one item; its run is complete and not promoted."""
        made = replace(RULES, model_version=version, taxonomy_version=taxonomy.version)
        analyses = {
            self.seq(number): change(
                RulePipeline().analyze(Request("x", from_text(text), "opinion"))
            )
            for number, text in self.texts.items()
            if only in {0, number}
        }
        with writing(self.engine) as connection:
            run_id = start_run(
                connection, made, scope={}, job_id=f"job-{version}-{only}", move=self.move()
            )
            append_answers(connection, analyses, run_id=run_id, parents=taxonomy.parents)
        end_run(self.engine, run_id, state="complete")
        return run_id

    def promote(self, run_id: int) -> None:
        """Let views read a run."""
        promote(self.engine, run_id, move=self.move(), packs=self.packs)

    def roll_back(self, run_id: int) -> None:
        """Let views read what they read before."""
        roll_back(self.engine, run_id, move=self.move(), packs=self.packs)

    def move(self) -> Move:
        """The next second."""
        self.seconds += 1
        return Move("staff:an", NOON + timedelta(seconds=self.seconds))

    def say(
        self,
        number: int,
        codes: str,
        *,
        facet: str = "civic_field",
        by: str = "staff:lan",
    ) -> None:
        """Somebody's word: codes, `-` for none of these, `undo` to take the last one back."""
        decision: Given = "labelled"
        if codes in {"-", "undo"}:
            decision = "none_of_these" if codes == "-" else "withdrawn"
            codes = ""
        word = Word(facet, decision, tuple(codes.split()))
        correct_item(self.desk, f"{number:032x}", word, made_by=by)

    @property
    def desk(self) -> Desk:
        """What use cases need."""
        return Desk(
            pipeline=cast(Pipeline, RulePipeline()),  # it has what the use cases read
            engine=self.engine,
            run_id=1,
            rules=load_rules(Path("corpus/registers").absolute()),
            taxonomies=lambda: tuple(self.packs.values()),
            now=lambda: self.move().at,
        )

    def seq(self, number: int) -> int:
        """The internal number of an item."""
        items = tables.items.c
        with self.engine.connect() as connection:
            query = sa.select(items.seq).where(items.id == f"{number:032x}")
            return int(connection.execute(query).scalar_one())

    def field_of(self, number: int, *, facet: str = "civic_field") -> str:
        """What a list shows: the codes, or the decision."""
        found = {int(item.id, 16): item for item in list_items(self.engine, Query()).items}
        label = found[number].labels[facet]
        return " ".join(label.codes) or label.decision

    def found(self, code: str, *, facet: str = "civic_field") -> list[int]:
        """The items that a filter finds."""
        query = Query(labels=(LabelFilter(facet, code),))
        return [int(item.id, 16) for item in list_items(self.engine, query).items]
