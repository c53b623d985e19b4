"""Opinions in bulk, as traits, labels and mentions have them: no model, no masking, nothing to wait for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from itertools import count

import numpy as np
import sqlalchemy as sa

from service.store import tables
from service.store.dialect import writing
from service.store.intake import Source, ensure_run, register_source
from tests.service.shelf import RULES

VIETNAM = timezone(timedelta(hours=7))
Place = tuple[str, str, int]  # kind, code, candidates


@dataclass
class Crowd:
    """People who write; each call of `say` is so many texts of one day that differ from each other."""

    engine: sa.Engine
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    sources: set[str] = field(default_factory=lambda: {"demo"})

    def say(
        self,
        day: date,
        n: int,
        *,
        source: str = "demo",
        field: str | None = "LV03",
        negative: bool = False,
        places: Sequence[Place] = (),
        again: int | None = None,
        text: str = "đường hỏng",
    ) -> list[int]:
        """Keep texts; with `again` all of them say what this one has said. Their numbers."""
        if source not in self.sources:
            register_source(self.engine, Source(source, "feed", "Luật Tiếp công dân 2013", 3650))
            self.sources.add(source)
        moment = datetime.combine(day, time(9), VIETNAM)
        run_id = ensure_run(self.engine, RULES, now=moment)
        seqs = [next(self.numbers) for _ in range(n)]
        labels = [("civic_field", field)] if field else []
        labels += [("sentiment", "negative")] if negative else []
        rows = {
            tables.items: [_item(seq, source, text, moment, run_id) for seq in seqs],
            tables.traits: [_traits(seq, source, day, again or seq) for seq in seqs],
            tables.label_index: [
                {"facet": facet, "code": code, "seq": seq, "run_id": run_id}
                for seq in seqs
                for facet, code in labels
            ],
            tables.mentions: [
                {"kind": kind, "code": code, "seq": seq, "n_candidates": n_candidates}
                for seq in seqs
                for kind, code, n_candidates in places
            ],
        }
        with writing(self.engine) as connection:
            for table, some in rows.items():
                if some:
                    connection.execute(table.insert(), some)
        return seqs

    def murmur(self, first: date, n_days: int, *, a_day: float = 12, **more: object) -> None:
        """Quiet days, one after the other."""
        counts = np.random.default_rng(7).poisson(a_day, n_days)
        for number, n in enumerate(counts):
            self.say(first + timedelta(days=number), int(n), **more)  # type: ignore[arg-type] # as `say`


def _item(seq: int, source: str, text: str, moment: datetime, run_id: int) -> dict[str, object]:
    return {
        "seq": seq,
        "id": f"{seq:032x}",
        "intake": "opinion",
        "kind": "opinion",
        "text": text,
        "text_sha256": "0" * 64,
        "media_type": "text/plain",
        "blocks": [],
        "issues": [],
        "places": [],
        "source": source,
        "external_id": str(seq),
        "received_at": moment,
        "run_id": run_id,
    }


def _traits(seq: int, source: str, day: date, group: int) -> dict[str, object]:
    return {
        "seq": seq,
        "day": day,
        "source": source,
        "channel": "phản ánh",
        "urgency": "normal",
        "group_seq": group,
        "n_syllables": 20,
        "plain_share": 0.0,
        "unknown_share": 0.0,
    }
