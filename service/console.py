"""Analyses as a person wants to read them in a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from nlp.taxonomy import Taxonomy
from nlp.types import Analysis, CategoryResult, Citation, Duty, Field, Metadata, Span
from service.messages import all_words

if TYPE_CHECKING:
    from service.duplicates import Twin  # datasketch takes a second to load

_MARK = "bold black on yellow"
_TONES = {
    "achievement": "green",
    "limitation": "red",
    "cause": "magenta",
    "directive": "blue",
    "other": "dim",
}
_SENTIMENTS = {"negative": "red", "neutral": "cyan", "positive": "green"}
_SNIPPET = 96


@dataclass(frozen=True, slots=True)
class Printer:
    """Prints analyses with the names of a pack and the words of `service/texts/vi.toml`."""

    console: Console
    taxonomy: Taxonomy
    words: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, console: Console, *, taxonomy: Taxonomy) -> "Printer":
        """A printer with the Vietnamese words."""
        return cls(console, taxonomy, all_words())

    def show(self, analysis: Analysis, *, text: str) -> None:
        """Print one analysis; `text` is the NFC text that its offsets count in."""
        title = f"{self.words['kind'][analysis.kind]}: {analysis.id}"
        parts = list(self._parts(analysis, text=text))
        panel = Panel(Group(*parts), title=Text(title), title_align="left", padding=(1, 2))
        self.console.print(panel)

    def table(self, rows: Sequence[tuple[Analysis, "Twin | None"]]) -> None:
        """Print many analyses, a line each; `Twin` is an earlier file with the same text."""
        words = self.words["table"]
        table = Table(box=None, pad_edge=False, padding=(0, 1))
        for name in ("file", "what", "number", "date", "issuer", "areas", "note"):
            table.add_column(words[name], overflow="fold")
        for analysis, twin in rows:
            meta = analysis.metadata or Metadata()
            areas = analysis.task_area if analysis.kind == "official" else analysis.civic_field
            table.add_row(
                analysis.id,
                str(meta.kind.value) if meta.kind else self.words["kind"][analysis.kind],
                str(meta.canonical.value) if meta.canonical else "",
                _vietnamese_date(str(meta.date.value)) if meta.date else "",
                str(meta.issuer.value) if meta.issuer else "",
                " ".join(label.code for label in areas.labels),
                self._note(analysis, twin=twin),
            )
        self.console.print(table)

    def _note(self, analysis: Analysis, *, twin: "Twin | None") -> str:
        words = self.words["table"]
        notes = [self.words["issues"].get(i, i) for i in analysis.text_quality.issues]
        if twin is not None:
            notes.insert(0, words["same" if twin.exact else "near"].format(name=twin.name))
        return "; ".join(notes)

    def _parts(self, analysis: Analysis, *, text: str) -> Iterator[RenderableType]:
        if analysis.metadata is not None:
            yield self._metadata(analysis.metadata)
        else:
            yield Padding(self._marked(analysis, text=text), (0, 0, 1, 0))
        if analysis.kind == "opinion":
            yield self._categories("civic_field", analysis.civic_field, text=text)
            yield self._sentiment(analysis)
        if analysis.kind != "unknown":
            yield self._categories("task_area", analysis.task_area, text=text)
        if analysis.kind == "official":
            yield self._tones(analysis, text=text)
            yield from self._duties(analysis.duties, text=text)
            yield from self._citations(analysis.citations)
        if analysis.text_quality.issues:
            names = [self.words["issues"].get(i, i) for i in analysis.text_quality.issues]
            yield Text(f"{self.words['headings']['quality']}: {', '.join(names)}", style="yellow")
        line = self.words["headings"]["provenance"]
        yield Text(
            line.format(
                model=analysis.provenance.model,
                model_version=analysis.provenance.model_version,
                taxonomy=analysis.provenance.taxonomy,
                taxonomy_version=analysis.provenance.taxonomy_version,
            ),
            style="dim",
        )

    def _metadata(self, metadata: Metadata) -> Table:
        table = Table.grid(padding=(0, 2))
        for name in ("kind", "canonical", "date", "place", "issuer", "subject", "signer"):
            table.add_row(
                Text(self.words["metadata"][name], style="bold"), self._field(metadata, name)
            )
        recipients = metadata.recipients.value if metadata.recipients else ()
        listed = "; ".join([recipients] if isinstance(recipients, str) else recipients)
        table.add_row(
            Text(f"{self.words['metadata']['recipients']} ({len(recipients)})", style="bold"),
            listed,
        )
        table.add_row("", "")
        return table

    def _field(self, metadata: Metadata, name: str) -> Text:
        field: Field | None = getattr(metadata, name)
        if field is None:
            return Text(self.words["metadata"]["missing"], style="dim italic")
        shown = Text(_vietnamese_date(str(field.value)) if name == "date" else str(field.value))
        if name == "signer" and metadata.signer_title is not None:
            shown.append(f", {metadata.signer_title.value}")
        if field.inferred:
            shown.append(f" ({self.words['metadata']['inferred']})", style="dim italic")
        return shown

    def _categories(self, facet: str, result: CategoryResult, *, text: str) -> RenderableType:
        headings = self.words["headings"]
        title = Text(headings[facet], style="bold underline")
        if not result.labels:
            said = self.words["decision"][result.decision].format(what=headings[facet].lower())
            line = Text(f"  {said}", style="italic")
            if result.guess is not None and result.decision == "abstain":
                name = self._name(facet, result.guess.code)
                line.append(f" ({headings['guess']}: {name}, {_percent(result.guess.probability)})")
            return Group(title, line, "")
        table = Table(box=None, pad_edge=False, padding=(0, 1))
        for column in ("", headings[facet], headings["probability"], headings["evidence"]):
            table.add_column(column, style="default")
        for label in result.labels:
            table.add_row(
                Text(label.code, style="bold"),
                self._name(facet, label.code),
                _percent(label.probability),
                _quotes(label.evidence, text=text),
            )
        return Group(title, table, "")

    def _sentiment(self, analysis: Analysis) -> Text:
        headings = self.words["headings"]
        line = Text()
        for facet, label, guess in (
            ("sentiment", analysis.sentiment.label, analysis.sentiment.guess),
            ("intent", analysis.intent.label, analysis.intent.guess),
        ):
            line.append(f"{headings[facet]}: ", style="bold")
            if label is not None and guess is not None:
                style = _SENTIMENTS.get(label, "default")
                line.append(
                    f"{self._name(facet, label)} {_percent(guess.probability)}", style=style
                )
            else:
                line.append(self.words["decision"]["abstain"], style="italic")
            line.append("    ")
        if analysis.sentiment.mixed:
            line.append(f"({headings['mixed']})", style="italic")
        return line.append("\n")

    def _tones(self, analysis: Analysis, *, text: str) -> RenderableType:
        headings = self.words["headings"]
        table = Table(box=None, pad_edge=False, padding=(0, 1))
        table.add_column(headings["tone"], no_wrap=True)
        table.add_column(headings["task_area"])
        table.add_column(headings["text"])
        for segment in analysis.segments:
            tone = segment.tone
            name = self._name("tone", tone) if tone else self.words["decision"]["abstain"]
            table.add_row(
                Text(name, style=_TONES.get(tone or "", "italic")),
                " ".join(segment.task_area),
                _snippet(text[segment.start : segment.end]),
            )
        return Group(Text(headings["tones"], style="bold underline"), table, "")

    def _duties(self, duties: Sequence[Duty], *, text: str) -> Iterator[RenderableType]:
        if not duties:
            return
        headings = self.words["headings"]
        table = Table(box=None, pad_edge=False, padding=(0, 1))
        for name in ("number", "actors", "text", "deadline", "recurrence", "report_to"):
            table.add_column(headings[name])
        for duty in duties:
            table.add_row(
                duty.task_number or "",
                "; ".join(duty.actors) or "–",
                _snippet(text[duty.text_start : duty.text_end]),
                _vietnamese_date(duty.deadline) if duty.deadline else "–",
                duty.recurrence or "–",
                duty.report_to or "–",
            )
        yield Group(Text(headings["duties"], style="bold underline"), table, "")

    def _citations(self, citations: Sequence[Citation]) -> Iterator[RenderableType]:
        if not citations:
            return
        headings = self.words["headings"]
        table = Table(box=None, pad_edge=False, padding=(0, 1), show_header=False)
        for citation in citations:
            note = headings["ambiguous"] if citation.ambiguous else ""
            table.add_row(
                citation.kind,
                citation.canonical or citation.subject or "–",
                _vietnamese_date(citation.date) if citation.date else "",
                Text(note, style="italic"),
            )
        title = f"{headings['citations']} ({len(citations)})"
        yield Group(Text(title, style="bold underline"), table, "")

    def _marked(self, analysis: Analysis, *, text: str) -> Text:
        """The whole text with the proving words marked."""
        shown = Text(text)
        for label in (*analysis.civic_field.labels, *analysis.task_area.labels):
            for span in label.evidence:
                shown.stylize(_MARK, span.start, span.end)
        for span in analysis.sentiment.evidence:
            shown.stylize("underline", span.start, span.end)
        return shown

    def _name(self, facet: str, code: str) -> str:
        return self.taxonomy.facets[facet].category(code).name


def _vietnamese_date(iso: str) -> str:
    """2026-03-05 as 05/3/2026: the month has two digits only below 3 (Decree 30/2020/NĐ-CP, annex I)."""
    year, month, day = iso.split("-")
    return f"{day}/{month if int(month) < 3 else int(month)}/{year}"


def _percent(probability: float) -> str:
    return "> 99 %" if 0.995 <= probability < 1 else f"{round(100 * probability)} %"


def _quotes(spans: Sequence[Span], *, text: str) -> Text:
    """The proving words, each once, marked."""
    shown = Text()
    quotes = dict.fromkeys(" ".join(text[span.start : span.end].split()) for span in spans)
    for quote, following in pairwise([*list(quotes)[:6], None]):
        shown.append(quote or "", style=_MARK)
        shown.append(" · " if following is not None else "")
    return shown


def _snippet(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _SNIPPET else flat[: _SNIPPET - 1] + "…"
