"""Monitoring at a desk: trends and drift, with what lies on the disk beside the model that answers."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from models.reference import Confusion, Reference, read_reference
from nlp.errors import InputError
from nlp.gazetteer import load_gazetteer
from service.actions import Desk
from service.messages import words_of
from service.monitor.counts import answering_model
from service.monitor.dimensions import PLACES, WORDS, Lexicon
from service.monitor.drift import Drift, read_drift
from service.monitor.periods import Period, this_monday
from service.monitor.told import Trends
from service.monitor.trends import Question, find_trends
from service.store.days import VIETNAM

_DAYS = 7 * 12


def period_of(day_from: date | None, day_to: date | None, *, now: datetime) -> Period:
    """The days asked for, `day_to` not included; without it up to this Monday, else twelve weeks.

    Raises:
        InputError: there is no day among them.
    """
    end = day_to or this_monday(now)
    first = date.fromordinal(max(end.toordinal() - _DAYS, 1))
    period = Period(day_from or first, end)
    if period.day_from >= period.day_to:
        raise InputError("`from` must be a day before `to`; `to` itself does not belong to it")
    return period


def ask_trends(desk: Desk, question: Question, *, registers: Path) -> Trends:
    """Answer a question; counts are corrected where the errors of the model were measured.

    Raises:
        InputError: as `find_trends`.
    """
    names_places = {question.by, question.then} & {*PLACES}
    places = _places(registers) if names_places else {}
    words = {section: words_of(section) for section in WORDS}
    lexicon = Lexicon(desk.pipeline.taxonomy, words, places)
    confusions = find_confusions(desk, question.by)
    return find_trends(desk.engine, question, lexicon=lexicon, confusions=confusions)


def find_confusions(desk: Desk, facet: str) -> Mapping[str, Confusion]:
    """The measured confusions of the model that answers a facet; none where they were not measured."""
    sha256 = answering_model(desk.engine, facet, else_run=desk.run_id)
    reference = _reference(desk, sha256=sha256)
    return reference.confusions if reference else {}


def find_drift(desk: Desk, *, days: int, k: int) -> Drift | None:
    """What has shifted within so many days up to yesterday; None where the model has no reference."""
    reference = _reference(desk, sha256=desk.pipeline.provenance.model_sha256)
    if reference is None:
        return None
    until = desk.now().astimezone(VIETNAM).date()
    with desk.engine.connect() as connection:
        return read_drift(connection, reference, until=until, days=days, k=k)


def _places(registers: Path) -> Mapping[tuple[str, str], str]:
    names = load_gazetteer(registers).names
    return {(kind, code): name for (kind, code), name in names.items()}


def _reference(desk: Desk, *, sha256: str | None) -> Reference | None:
    """What the model with this manifest was measured against."""
    folders = (info.folder for info in desk.models() if info.sha256 == sha256)
    folder = next(folders, None)
    return None if folder is None else read_reference(folder)
