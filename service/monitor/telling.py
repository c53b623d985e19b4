"""From exact counts to what may be told of them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from models.reference import Confusion
from service.monitor.correction import Answers, Estimate, correct
from service.monitor.counts import Cell, Series, Tally
from service.monitor.dimensions import Dimension, Group
from service.monitor.figures import count_range, share_of
from service.monitor.periods import Period
from service.monitor.suppression import disclose
from service.monitor.told import Corrected, Figure, Part, Point, Trend

_MAX_CORRECTED = 60  # periods; beyond that the whole alone is corrected
_Figures = tuple[Figure, tuple[Point, ...]]
_Corrections = Sequence[Corrected | None]  # of the whole, then of each period


@dataclass(frozen=True, slots=True)
class Teller:
    """The counts of one question, and the rules by which they are told.

    `first` is by the first dimension, `both` by the two where there are two; `whole` is of all opinions.
    `asked` are the filters as the list of opinions takes them. `periods` is empty where only the whole
    is asked for.
    """

    period: Period
    periods: tuple[Period, ...]
    dimensions: tuple[Dimension, ...]
    first: Tally
    both: Tally | None
    whole: Series
    k: int
    asked: Mapping[str, str]

    @property
    def n_figures(self) -> int:
        """How many there will be, at most."""
        n_cells = len(self._groups(0, among=self.first))
        if self.both is not None:
            n_cells *= 1 + len(self._groups(1, among=self.both))
        return n_cells * (1 + len(self.periods))

    def total(self) -> _Figures:
        """All opinions."""
        return self._tell(self.whole, of=None, cell=())

    def trends(self, confusions: Mapping[str, Confusion]) -> Iterator[Trend]:
        """The groups of the first dimension, those of the second within them."""
        groups = self._groups(0, among=self.first)
        corrected = self._correct(groups, confusions)
        for group in groups:
            own = self.first.of((group.code,))
            figures = self._tell(
                own, of=self.whole, cell=(group.code,), corrected=corrected.get(group.code, ())
            )
            yield Trend(group.code, group.name, *figures, tuple(self._parts(group, of=own)))

    def _parts(self, group: Group, *, of: Series) -> Iterator[Part]:
        if self.both is None:
            return
        within = {cell: own for cell, own in self.both.cells.items() if cell[:1] == (group.code,)}
        for part in self._groups(1, among=Tally(self.both.n_periods, within, {}, {})):
            cell = (group.code, part.code)
            yield Part(part.code, part.name, *self._tell(self.both.of(cell), of=of, cell=cell))

    def _groups(self, place: int, *, among: Tally) -> list[Group]:
        """The known groups of a dimension, then those that only the texts know and that may be told."""
        dimension = self.dimensions[place]
        known = {group.code for group in dimension.groups}
        found: dict[str, int] = {}
        for cell, own in among.cells.items():
            if len(cell) == place + 1 and cell[place] not in known:
                found[cell[place]] = max(found.get(cell[place], 0), sum(own.once))
        told = [code for code, n in found.items() if disclose(n, k=self.k) is not None]
        told.sort(key=lambda code: (-(disclose(found[code], k=self.k) or 0), code))
        return [*dimension.groups, *(Group(code, dimension.name_of(code)) for code in told)]

    def _tell(
        self, own: Series, *, of: Series | None, cell: Cell, corrected: _Corrections = ()
    ) -> _Figures:
        """The figure over the whole time and those of its periods; shares are `of` another series."""
        spans = [self.period, *self.periods]
        counts, again = (_spread(kind, n=len(spans)) for kind in (own.once, own.again))
        wholes = _spread(of.once, n=len(spans)) if of is not None else [0] * len(spans)
        fixed = corrected or [None] * len(spans)
        figures = [
            self._figure(disclose(n, k=self.k), again=repeated, whole=disclose(whole, k=self.k))
            for n, repeated, whole in zip(counts, again, wholes, strict=True)
        ]
        told = [
            figure
            if figure.suppressed
            else replace(figure, corrected=right, list=self._link(cell, span))
            for figure, right, span in zip(figures, fixed, spans, strict=True)
        ]
        points = (Point(*pair) for pair in zip(self.periods, told[1:], strict=True))
        return told[0], tuple(points)

    def _figure(self, told: int | None, *, again: int, whole: int | None) -> Figure:
        if told is None:
            return Figure(None, suppressed=True)
        return Figure(
            told,
            suppressed=False,
            reposts=disclose(again, k=self.k),
            share=share_of(told, whole, k=self.k),
            interval=count_range(told, k=self.k),
        )

    def _link(self, cell: Cell, span: Period) -> str | None:
        """The list of the opinions of a cell; None where its filters cannot say which they are."""
        values = dict(self.asked)
        for dimension, code in zip(self.dimensions, cell, strict=False):
            wanted = values.get(dimension.name)
            if wanted is not None and wanted not in dimension.codes_of((code,)):
                return None
            values[dimension.name] = code
        days = {"day_from": str(span.day_from), "day_to": str(span.day_to), "reposts": "once"}
        return f"/v1/opinions?{urlencode(values | days)}"

    def _correct(
        self, groups: Sequence[Group], confusions: Mapping[str, Confusion]
    ) -> dict[str, list[Corrected | None]]:
        """Of each group that a model's errors can be corrected for, the whole and each period."""
        confusion = confusions.get(self.dimensions[0].name)
        if confusion is None or self.both is not None:
            return {}
        of_groups = [group for group in groups if group.truth]
        many = len(self.periods) > _MAX_CORRECTED
        spans = 1 if many else 1 + len(self.periods)
        wholes = _spread(self.whole.once, n=1 + len(self.periods))[:spans]
        by_answer = [self._answered([answer]) for answer in confusion.answers]
        seen = [
            Answers(tuple(disclose(own[i], k=self.k) for own in by_answer), disclose(n, k=self.k))
            for i, n in enumerate(wholes)
        ]
        estimates = correct(seen, confusion, groups=[own.truth for own in of_groups], k=self.k)
        found: dict[str, list[Corrected | None]] = {}
        for place, group in enumerate(of_groups):
            answered = self._answered([*group.truth, group.code])
            found[group.code] = [
                self._corrected(answered[i], own[place]) if own is not None else None
                for i, own in enumerate(estimates)
            ] + [None] * (1 + len(self.periods) - spans)
        return found

    def _answered(self, labels: Sequence[str]) -> list[int]:
        """How many opinions got one of these primary labels: in the whole time, then in each period."""
        none = (0,) * self.first.n_periods
        own = (self.first.labels.get(label, none) for label in dict.fromkeys(labels))
        return _spread(tuple(map(sum, zip(*own, strict=True))), n=1 + self.first.n_periods)

    def _corrected(self, answered: int, estimate: Estimate) -> Corrected | None:
        told = disclose(answered, k=self.k)
        if told is None:
            return None
        count = disclose(round(estimate.count), k=self.k)
        return Corrected(told, count, math.floor(estimate.low), math.ceil(estimate.high))


def _spread(counts: Sequence[int], *, n: int) -> list[int]:
    """The sum, then each period, as many as are told."""
    return [sum(counts), *counts][:n]
