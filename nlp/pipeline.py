"""The main path: one text in, one Analysis out.

    Document ─quality▶ can it be read? ─classifier▶ official or opinion?
      official ─structure▶ letterhead, paragraphs, duties, citations
               ─classifier▶ task areas and tone of each paragraph ─merge▶ of the whole
      opinion  ─sentences▶ ─classifier▶ field, task area, sentiment, intent of the whole,
               task area and sentiment of each sentence; ─hints▶ channel, urgency, what is missing
    then decide ▶ evidence ▶ Analysis

Texts are analysed in batches: the classifier reads all of them in one pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import islice

from nlp.decide import (
    Chosen,
    Verdict,
    category_result,
    choose,
    decide,
    merge_paragraphs,
    round_probability,
)
from nlp.evidence import pick_evidence
from nlp.hints import Accusations, TriageRules, find_all_hints
from nlp.protocols import Classifier, Reading
from nlp.quality import assess
from nlp.sentences import split_sentences
from nlp.structure import Registers, read_structure
from nlp.taxonomy import Taxonomy
from nlp.types import (
    Analysis,
    AssignedLabel,
    CategoryResult,
    Document,
    IntentResult,
    KindAsked,
    Paragraph,
    Provenance,
    Segment,
    SentimentResult,
    Span,
    Structure,
    TextKind,
    TextQuality,
)
from nlp.words import segment_words, widen_to_words

MAX_AREAS = 3  # of a paragraph
MAX_FIELDS = 2  # of an opinion
# A pass takes some 200 bytes a character, so more than this is read in parts.
_MAX_PASS_CHARS = 500_000
_LABELLED_ROLES = {"body", "basis", "closing"}


@cache
def _code_version() -> str:
    """Read once: looking it up costs as much as a third of reading a short text."""
    return version("danvan")


@dataclass(frozen=True, slots=True)
class Request:
    """One text to analyse; `id` comes back in the Analysis."""

    id: str
    doc: Document
    kind: KindAsked = "auto"


@dataclass(frozen=True, slots=True)
class _Answered:
    """The verdicts of one head for the rows of a reading, and the evidence of each chosen label."""

    verdicts: tuple[Verdict, ...]
    evidence: dict[tuple[int, str], tuple[Span, ...]]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The analysis with its parts: classifier, taxonomy pack, registers, rules of triage.

    `accusations` find denunciations beside those rules, if given.
    """

    classifier: Classifier
    taxonomy: Taxonomy
    registers: Registers
    triage: TriageRules
    accusations: Accusations | None = None

    @property
    def provenance(self) -> Provenance:
        """What makes the answers of this pipeline."""
        return Provenance(
            model=self.classifier.name,
            model_version=self.classifier.version,
            model_sha256=self.classifier.sha256,
            taxonomy=self.taxonomy.name,
            taxonomy_version=self.taxonomy.version,
            code_version=_code_version(),
        )

    def analyze(self, request: Request) -> Analysis:
        """Analyse one text."""
        return self.analyze_all([request])[0]

    def analyze_all(self, requests: Sequence[Request]) -> tuple[Analysis, ...]:
        """Analyse many texts in one pass; answers are in the order of the requests.

        The answer for a text does not depend on the others of its batch.
        """
        if len(requests) > 1 and sum(len(r.doc.text) for r in requests) > _MAX_PASS_CHARS:
            half = len(requests) // 2
            return (*self.analyze_all(requests[:half]), *self.analyze_all(requests[half:]))
        qualities = [assess(request.doc) for request in requests]
        kinds, structures = self._tell_kinds(requests, qualities=qualities)
        answers: dict[int, Analysis] = {}
        opinions = [i for i, kind in enumerate(kinds) if kind == "opinion"]
        for i, analysis in zip(
            opinions,
            self._analyze_opinions(
                [requests[i] for i in opinions], qualities=[qualities[i] for i in opinions]
            ),
            strict=True,
        ):
            answers[i] = analysis
        for i, kind in enumerate(kinds):
            if kind == "official":
                structure = structures.get(i) or self._structure(requests[i])
                answers[i] = self._analyze_official(
                    requests[i], quality=qualities[i], structure=structure
                )
            elif kind == "unknown":
                answers[i] = _unlabelled(requests[i], qualities[i], provenance=self.provenance)
        return tuple(answers[i] for i in range(len(requests)))

    def weigh(self, request: Request, facet: str) -> tuple[AssignedLabel, ...]:
        """Every category of a facet, the most probable first; the first with the words that speak for it.

        Nothing is decided: a person who does wants to see what comes close. Of an official document the
        surest paragraph counts for each category. The kind of the request must not be `auto`.
        """
        head = f"task_area_{request.kind}" if facet == "task_area" else facet
        if request.kind == "official":
            parts, passages, reading = self._read_official(
                request, structure=self._structure(request)
            )
        else:
            parts, passages = [], [request.doc.text]
            reading = self.classifier.read(passages)
        probabilities = reading.probabilities(head)
        if not len(probabilities):
            return ()
        labels = self.classifier.heads[head].labels
        pairs = zip(labels, probabilities.max(axis=0).tolist(), strict=True)
        (best, most), *others = sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
        row = int(probabilities[:, labels.index(best)].argmax())
        [proof] = pick_evidence(reading.attribute([(row, best)], head=head))
        if parts:
            proof = _in_document(proof, passage=passages[row], offset=parts[row].start)
        return (
            AssignedLabel(best, round_probability(most), proof),
            *(AssignedLabel(code, round_probability(chance), ()) for code, chance in others),
        )

    def _structure(self, request: Request) -> Structure:
        return read_structure(request.doc, registers=self.registers)

    def _tell_kinds(
        self, requests: Sequence[Request], *, qualities: Sequence[TextQuality]
    ) -> tuple[list[TextKind], dict[int, Structure]]:
        """The kind of each text; the form decides where the classifier is not sure of an opinion."""
        kinds: list[TextKind] = [
            request.kind if quality.readable and request.kind != "auto" else "unknown"
            for request, quality in zip(requests, qualities, strict=True)
        ]
        structures: dict[int, Structure] = {}
        asked = [
            i
            for i, request in enumerate(requests)
            if request.kind == "auto" and qualities[i].readable
        ]
        reading = self.classifier.read([requests[i].doc.text for i in asked])
        for i, verdict in zip(asked, self._decide(reading, "text_kind"), strict=True):
            label = verdict.chosen[0][0] if verdict.chosen else "other"
            if label == "opinion":
                kinds[i] = "opinion"
                continue
            structures[i] = self._structure(requests[i])
            if label == "official" or _has_form(structures[i]):
                kinds[i] = "official"
        return kinds, structures

    def _analyze_official(
        self, request: Request, *, quality: TextQuality, structure: Structure
    ) -> Analysis:
        parts, passages, reading = self._read_official(request, structure=structure)
        areas = self._answer(reading, "task_area_official", max_labels=MAX_AREAS)
        tones = self._decide(reading, "tone")
        evidence = {
            (row, code): _in_document(spans, passage=passages[row], offset=parts[row].start)
            for (row, code), spans in areas.evidence.items()
        }
        not_asked = CategoryResult("not_applicable")
        return Analysis(
            id=request.id,
            kind="official",
            text_quality=quality,
            task_area=merge_paragraphs(
                areas.verdicts,
                lengths=[len(passage) for passage in passages],
                evidence=evidence,
            ),
            civic_field=not_asked,
            sentiment=SentimentResult("not_applicable"),
            intent=IntentResult("not_applicable"),
            segments=tuple(
                Segment(
                    part.start,
                    part.end,
                    task_area=tuple(code for code, _ in area.chosen),
                    tone=_label_of(tone.chosen),  # type: ignore[arg-type] # the head's labels are the tones
                )
                for part, area, tone in zip(parts, areas.verdicts, tones, strict=True)
            ),
            metadata=structure.metadata,
            citations=structure.citations,
            duties=structure.duties,
            hints=None,
            provenance=self.provenance,
        )

    def _read_official(
        self, request: Request, *, structure: Structure
    ) -> tuple[list[Paragraph], list[str], Reading]:
        """The paragraphs that are labelled, their texts, and the reading of them under their headings."""
        text = request.doc.text
        labelled = [part for part in structure.paragraphs if part.role in _LABELLED_ROLES]
        parts = labelled or list(structure.paragraphs)
        passages = [text[part.start : part.end] for part in parts]
        headings = [_slice(text, part.heading) for part in parts]
        return parts, passages, self.classifier.read(passages, contexts=headings)

    def _analyze_opinions(
        self, requests: Sequence[Request], *, qualities: Sequence[TextQuality]
    ) -> list[Analysis]:
        texts = [request.doc.text for request in requests]
        reading = self.classifier.read(texts)
        reject_code = self.taxonomy.facets["civic_field"].reject_code
        fields = self._answer(
            reading, "civic_field", max_labels=MAX_FIELDS, reject_code=reject_code
        )
        areas = self._answer(reading, "task_area_opinion", max_labels=MAX_FIELDS)
        sentiments = self._answer(reading, "sentiment")
        intents = self._decide(reading, "intent")
        segments = self._sentences(texts, areas=areas.verdicts, sentiments=sentiments.verdicts)
        hints = find_all_hints(texts, rules=self.triage, accusations=self.accusations)
        provenance = self.provenance
        return [
            Analysis(
                id=request.id,
                kind="opinion",
                text_quality=qualities[row],
                task_area=category_result(areas.verdicts[row], row=row, evidence=areas.evidence),
                civic_field=category_result(
                    fields.verdicts[row], row=row, evidence=fields.evidence
                ),
                sentiment=_sentiment(sentiments, row=row, segments=segments[row]),
                intent=IntentResult(
                    intents[row].decision,
                    _label_of(intents[row].chosen),  # type: ignore[arg-type] # the head's labels are the intents
                    intents[row].guess,
                ),
                segments=segments[row],
                metadata=None,
                citations=(),
                duties=(),
                hints=hints[row],
                provenance=provenance,
            )
            for row, request in enumerate(requests)
        ]

    def _sentences(
        self, texts: Sequence[str], *, areas: Sequence[Verdict], sentiments: Sequence[Verdict]
    ) -> list[tuple[Segment, ...]]:
        """The sentences of each opinion with their own sentiment and task areas.

        `areas` and `sentiments` are the verdicts of the whole: an opinion of one sentence is not read again.
        """
        spans = [split_sentences(text) for text in texts]
        reading = self.classifier.read(
            [
                text[span.start : span.end]
                for text, own in zip(texts, spans, strict=True)
                if len(own) > 1
                for span in own
            ]
        )
        read = zip(
            self._choose(reading, "task_area_opinion", max_labels=MAX_FIELDS),
            self._choose(reading, "sentiment"),
            strict=True,
        )
        of_whole = zip(areas, sentiments, strict=True)
        return [
            tuple(
                Segment(
                    span.start,
                    span.end,
                    task_area=tuple(code for code, _ in own_areas),
                    sentiment=_label_of(own_sentiment),  # type: ignore[arg-type] # as above
                )
                for span, (own_areas, own_sentiment) in zip(
                    own,
                    islice(read, len(own)) if len(own) > 1 else [(area.chosen, sentiment.chosen)],
                    strict=False,  # a text may have no sentence
                )
            )
            for own, (area, sentiment) in zip(spans, of_whole, strict=True)
        ]

    def _choose(self, reading: Reading, head: str, *, max_labels: int = 1) -> list[Chosen]:
        return choose(
            reading.probabilities(head), head=self.classifier.heads[head], max_labels=max_labels
        )

    def _decide(
        self,
        reading: Reading,
        head: str,
        *,
        max_labels: int = 1,
        reject_code: str | None = None,
    ) -> tuple[Verdict, ...]:
        return decide(
            reading.probabilities(head),
            head=self.classifier.heads[head],
            max_labels=max_labels,
            reject_code=reject_code,
        )

    def _answer(
        self,
        reading: Reading,
        head: str,
        *,
        max_labels: int = 1,
        reject_code: str | None = None,
    ) -> _Answered:
        """Decide a head and prove what it asserts."""
        verdicts = self._decide(reading, head, max_labels=max_labels, reject_code=reject_code)
        questions = [
            (row, code) for row, verdict in enumerate(verdicts) for code, _ in verdict.chosen
        ]
        proofs = pick_evidence(reading.attribute(questions, head=head))
        return _Answered(verdicts, dict(zip(questions, proofs, strict=True)))


def _has_form(structure: Structure) -> bool:
    """Whether the official form is there: a number with its symbol, or a kind with a date."""
    meta = structure.metadata
    return meta.canonical is not None or (meta.kind is not None and meta.date is not None)


def _label_of(chosen: Chosen) -> str | None:
    return chosen[0][0] if chosen else None


def _slice(text: str, span: Span | None) -> str:
    return text[span.start : span.end] if span is not None else ""


def _in_document(spans: tuple[Span, ...], *, passage: str, offset: int) -> tuple[Span, ...]:
    """Evidence of a paragraph as whole words, in offsets of the document."""
    whole = widen_to_words(spans, words=segment_words(passage))
    return tuple(Span(span.start + offset, span.end + offset) for span in whole)


def _sentiment(answered: _Answered, *, row: int, segments: tuple[Segment, ...]) -> SentimentResult:
    verdict = answered.verdicts[row]
    label = _label_of(verdict.chosen)
    found = {segment.sentiment for segment in segments}
    return SentimentResult(
        verdict.decision,
        label,  # type: ignore[arg-type] # the head's labels are the sentiments
        verdict.guess,
        mixed={"negative", "positive"} <= found,
        evidence=answered.evidence[row, label] if label else (),
    )


def _unlabelled(request: Request, quality: TextQuality, *, provenance: Provenance) -> Analysis:
    """A text whose kind nobody can tell, or that holds no words: nothing is predicted."""
    return Analysis(
        id=request.id,
        kind="unknown",
        text_quality=quality,
        task_area=CategoryResult("not_applicable"),
        civic_field=CategoryResult("not_applicable"),
        sentiment=SentimentResult("not_applicable"),
        intent=IntentResult("not_applicable"),
        segments=(),
        metadata=None,
        citations=(),
        duties=(),
        hints=None,
        provenance=provenance,
    )
