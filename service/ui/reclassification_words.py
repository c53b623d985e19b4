"""What a re-classification comes to, in words: its scope, its state, and what it changes facet by facet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from nlp.taxonomy import Taxonomy
from service.messages import say, words_of
from service.reclassifying import Diff, Reclassification
from service.store.days import VIETNAM
from service.store.diff import NOT_READ, Agreement, Transition
from service.store.tables import FACETS

_A_MOMENT = timedelta(microseconds=1)
_RARELY_ASKED = {"labels", "intake", "dated_from", "dated_to"}  # by programs alone
_WITHOUT = "not_applicable"  # a facet that a text of this kind is never asked about
_NOTHING = {"abstain", NOT_READ}


@dataclass(frozen=True, slots=True)
class FacetDiff:
    """What changes in one facet: the steps from one label to another, the most frequent first."""

    name: str
    title: str
    n_read: int
    n_changed: int
    steps: tuple[Transition, ...]
    agreement: Agreement | None


class Names:
    """What labels are called, the newest version of a pack first: a code may be gone by now."""

    def __init__(self, packs: Iterable[Taxonomy]) -> None:
        self._names: dict[tuple[str, str], str] = {}
        for pack in packs:
            for facet in pack.facets.values():
                for own in facet.categories:
                    self._names.setdefault((facet.name, own.code), own.name)

    def of(self, facet: str, code: str) -> str:
        """The name of a label, or of a decision that gave none."""
        if code == "none_of_these":
            return say("page.none_of_fields" if facet == "civic_field" else "page.none_of_areas")
        if code in _NOTHING:
            return say(f"reclassifications.{code}")
        return self._names.get((facet, code), code)


def facet_diffs(diff: Diff, *, pack: Taxonomy) -> tuple[FacetDiff, ...]:
    """The diff by facet; facets that no text was asked about are left out."""
    agreed = {one.facet: one for one in diff.agreement}
    found = (_facet_diff(name, diff.transitions, agreed=agreed, pack=pack) for name in FACETS)
    return tuple(own for own in found if own.n_read)


def _facet_diff(
    name: str, steps: Sequence[Transition], *, agreed: Mapping[str, Agreement], pack: Taxonomy
) -> FacetDiff:
    own = [step for step in steps if step.facet == name and step.new != _WITHOUT]
    changed = tuple(step for step in own if step.old != step.new)
    return FacetDiff(
        name=name,
        title=pack.facets[name].title,
        n_read=sum(step.n_items for step in own),
        n_changed=sum(step.n_items for step in changed),
        steps=tuple(sorted(changed, key=lambda step: (-step.n_items, step.old, step.new))),
        agreement=agreed.get(name),
    )


def state_of(found: Reclassification) -> str:
    """The state as its message is called: a dry run that is done has nothing to promote."""
    is_tried = found.state == "done" and found.job.params["dry_run"]
    return "tried" if is_tried else found.state


def scope_words(scope: Mapping[str, Any]) -> str:
    """What was asked to be read again. `Any`: a filter of the store as JSON."""
    told: dict[str, Callable[[Any], str]] = {
        "ids": lambda ids: say("reclassifications.scope_sample", n=len(ids)),
        "kind": lambda kind: words_of("kind")[kind],
        "source": lambda name: say("reclassifications.scope_source", name=name),
        "text": lambda words: say("reclassifications.scope_text", words=words),
        "received_from": lambda at: say("reclassifications.scope_from", day=_day(at)),
        "received_to": lambda at: say("reclassifications.scope_to", day=_day(at, before=_A_MOMENT)),
        "any_of": lambda _: say("reclassifications.scope_affected"),
    }
    parts = [tell(scope[name]) for name, tell in told.items() if name in scope]
    if scope.keys() & _RARELY_ASKED:
        parts.append(say("reclassifications.scope_other"))
    return "; ".join(parts) or say("reclassifications.scope_all")


def _day(moment: str, *, before: timedelta = timedelta()) -> date:
    return (datetime.fromisoformat(moment) - before).astimezone(VIETNAM).date()


def time_left(seconds: float) -> str:
    """About how long, as a person would say it."""
    if seconds < 90:
        return say("reclassifications.left_seconds", n=max(1, round(seconds)))
    if seconds < 90 * 60:
        return say("reclassifications.left_minutes", n=round(seconds / 60))
    return say("reclassifications.left_hours", n=round(seconds / 3600))
