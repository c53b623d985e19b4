"""What people corrected, as lessons for a model: examples with the labels that they gave and no others.

Only opinions teach. A correction of an official document speaks of the whole of it, while models read its
paragraphs one by one: which of them it is about, nobody said.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import islice

import sqlalchemy as sa

from models.candidates import Corrections
from models.corpus import Example
from nlp.errors import CorpusError
from nlp.protocols import Classifier
from nlp.taxonomy import Taxonomy
from service.store import tables
from service.store.corrections import Correction, Packs, carried, latest
from service.store.dialect import snapshot

Codes = tuple[str, ...]
_BATCH = 400
_NO_OPINION = "labels of official documents, which no paragraph answers for"
_NO_PLACE = "labels that have no place in this version of the taxonomy"
_KEPT_OUT = "texts that models are measured on"


def read_lessons(
    engine: sa.Engine,
    taxonomy: Taxonomy,
    *,
    packs: Packs,
    kept_out: Collection[str] = frozenset(),
    standing: Classifier | None = None,
) -> Corrections:
    """The corrections that count, an example for each text; of the same text the newest word counts.

    Args:
        engine: the store.
        taxonomy: the version of the pack that is to be learnt.
        packs: all versions at hand.
        kept_out: texts that nothing may learn, by SHA-256.
        standing: the model to compare with.

    Raises:
        CorpusError: nothing was corrected yet that could be learnt.
    """
    left_out: Counter[str] = Counter()
    newest: dict[str, dict[str, tuple[Correction, Codes]]] = {}
    with snapshot(engine) as connection:
        number = connection.scalar(sa.select(sa.func.max(tables.corrections.c.id))) or 0
        for kind, text, word in _read(connection):
            codes = _codes(word, taxonomy, packs=packs) if kind == "opinion" else None
            if codes is None:
                left_out[_NO_PLACE if kind == "opinion" else _NO_OPINION] += 1
                continue
            said = newest.setdefault(text, {})
            if word.facet not in said or said[word.facet][0].made_at < word.made_at:
                said[word.facet] = (word, codes)
    examples = [
        _example(text, {facet: codes for facet, (_, codes) in said.items()})
        for text, said in newest.items()
    ]
    fresh = [example for example in examples if example.sha256 not in kept_out]
    if not fresh:
        raise CorpusError("there are no corrections of opinions to learn from yet")
    left_out[_KEPT_OUT] += len(examples) - len(fresh)
    return Corrections(fresh, number, standing, dict(+left_out))


def _read(connection: sa.Connection) -> Iterator[tuple[str, str, Correction]]:
    """Kind and text of each corrected item with each correction that counts."""
    items = tables.items.c
    counting = latest(connection)
    while some := [words for words in islice(counting, _BATCH) if words]:
        seqs = [words[0].seq for words in some]
        query = sa.select(items.seq, items.kind, items.text).where(items.seq.in_(seqs))
        texts = {seq: (kind, text) for seq, kind, text in connection.execute(query)}
        for words in some:
            yield from ((*texts[word.seq], word) for word in words)


def _codes(word: Correction, taxonomy: Taxonomy, *, packs: Packs) -> Codes | None:
    """The labels under the version that is to be learnt; None where they have no place there."""
    codes = carried(word, (taxonomy.name, taxonomy.version), packs=packs)
    known = taxonomy.facets[word.facet].leaves("opinion")
    return codes if codes is not None and set(codes) <= set(known) else None


def _example(text: str, said: Mapping[str, Codes]) -> Example:
    return Example(
        text,
        "opinion",
        task_area=said.get("task_area", ()),
        civic_field=said.get("civic_field", ()),
        sentiment=_only(said, "sentiment"),  # type: ignore[arg-type] # a leaf of the closed facet
        intent=_only(said, "intent"),  # type: ignore[arg-type] # a leaf of the closed facet
        source="correction",
        plain=True,
        facets=tuple(said),
    )


def _only(said: Mapping[str, Codes], facet: str) -> str | None:
    return said[facet][0] if facet in said else None
