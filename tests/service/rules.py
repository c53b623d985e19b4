"""A small pipeline of rules that stands in for the real one: same values, no model."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from nlp.pipeline import Request
from nlp.taxonomy import Taxonomy, load_pack
from nlp.types import (
    Analysis,
    AssignedLabel,
    CategoryResult,
    Citation,
    Document,
    Duty,
    Field,
    Guess,
    IntentResult,
    Metadata,
    Provenance,
    Segment,
    SentimentResult,
    Span,
    TextKind,
    TextQuality,
    Tone,
)

PACK = load_pack(Path(__file__).parents[2] / "corpus" / "taxonomies" / "ct07")
NOT_ASKED = CategoryResult("not_applicable")
_AREAS = {"thủ tục hành chính": "DV3.5", "tiếp công dân": "DV3.8", "kỷ cương": "DV4.3"}
_FIELDS = {"đường": "LV03", "rác": "LV02"}
_TONES: dict[str, Tone] = {"Tuy nhiên": "limitation", "đạt": "achievement", "yêu cầu": "directive"}


def _find(text: str, word: str) -> tuple[Span, ...]:
    at = text.lower().find(word)
    return (Span(at, at + len(word)),) if at >= 0 else ()


def _categories(text: str, words: dict[str, str]) -> CategoryResult:
    labels = tuple(
        AssignedLabel(code, 0.91, _find(text, word))
        for word, code in words.items()
        if _find(text, word)
    )
    if labels:
        return CategoryResult("labelled", labels[0].code, Guess(labels[0].code, 0.91), labels)
    guess = Guess(next(iter(words.values())), 0.2)
    return CategoryResult("none_of_these" if "xin chào" in text.lower() else "abstain", guess=guess)


@dataclass
class RulePipeline:
    """Finds words; a text with `hỏng máy` breaks it."""

    taxonomy: Taxonomy = PACK
    version: str = "1"
    seen: list[str] = field(default_factory=list)

    @property
    def provenance(self) -> Provenance:
        return Provenance("rules", self.version, "0" * 64, PACK.name, PACK.version, "0.1.0")

    @property
    def classifier(self) -> Provenance:
        return self.provenance

    def analyze(self, request: Request) -> Analysis:
        return self.analyze_all([request])[0]

    def analyze_all(self, requests: list[Request]) -> tuple[Analysis, ...]:
        self.seen += [request.doc.text for request in requests]
        if any("hỏng máy" in request.doc.text for request in requests):
            raise RuntimeError(f"cannot read {requests[0].doc.text}")
        return tuple(self._analyze(request) for request in requests)

    def weigh(self, request: Request, facet: str) -> tuple[AssignedLabel, ...]:
        """What the rules find, or guess, before all others with 0.01."""
        known = self.taxonomy.facets[facet]
        codes = known.leaves("official" if request.kind == "official" else "opinion")
        answer = getattr(self._analyze(request), facet)
        labels = getattr(answer, "labels", ())
        first = (
            labels[0] if labels else AssignedLabel(answer.guess.code, answer.guess.probability, ())
        )
        return (first, *(AssignedLabel(code, 0.01, ()) for code in codes if code != first.code))

    def _analyze(self, request: Request) -> Analysis:
        kind: TextKind = "official" if "CHỈ THỊ" in request.doc.text else "opinion"
        if not any(char.isalpha() for char in request.doc.text):
            kind = "unknown"
        elif request.kind != "auto":
            kind = request.kind
        blank = Analysis(
            id=request.id,
            kind=kind,
            text_quality=TextQuality(readable=kind != "unknown"),
            task_area=NOT_ASKED,
            civic_field=NOT_ASKED,
            sentiment=SentimentResult("not_applicable"),
            intent=IntentResult("not_applicable"),
            segments=(),
            metadata=None,
            citations=(),
            duties=(),
            hints=None,
            provenance=self.provenance,
        )
        if kind == "official":
            return _as_official(blank, request.doc)
        return _as_opinion(blank, request.doc.text) if kind == "opinion" else blank


def _as_official(blank: Analysis, doc: Document) -> Analysis:
    text = doc.text
    at = max(text.find("CHỈ THỊ"), 0)
    return replace(
        blank,
        task_area=_categories(text, _AREAS),
        segments=tuple(
            Segment(block.start, block.end, tone=_tone(text[block.start : block.end]))
            for block in doc.blocks
        ),
        metadata=Metadata(
            kind=Field("Chỉ thị", at, at + 7),
            canonical=Field("07-CT/TU", None, None, inferred=True),
            date=Field("2021-10-01", None, None),
            recipients=Field(("Các ban Đảng", "Lưu VPTU"), None, None),
        ),
        citations=(Citation("25-NQ/TW", "Nghị quyết", "25", None, None, 0, 3, ambiguous=False),),
        duties=(Duty("1", ("Ban Dân vận",), 0, 7, None, "hằng năm", None),),
    )


def _tone(passage: str) -> Tone:
    return next((tone for word, tone in _TONES.items() if word in passage), "other")


def _as_opinion(blank: Analysis, text: str) -> Analysis:
    bad = _find(text, "hỏng")
    return replace(
        blank,
        task_area=_categories(text, _AREAS),
        civic_field=_categories(text, _FIELDS),
        sentiment=SentimentResult("labelled", "negative", Guess("negative", 0.8), evidence=bad)
        if bad
        else SentimentResult("abstain", guess=Guess("negative", 0.4)),
        intent=IntentResult("labelled", "complaint", Guess("complaint", 0.7)),
        segments=(
            Segment(
                0,
                len(text),
                # what no pipeline may say of a citizen's text: the service must withhold it
                task_area=("DV4.3",),
                sentiment="negative" if bad else None,
            ),
        ),
    )
