"""What became of a file that somebody handed in, in words: at once, or once a worker has read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from service.actions import KEPT_APART, Desk
from service.messages import say
from service.store.jobs import Fault, Job, list_faults
from service.store.twins import find_twin
from service.store.views import Stored, read_item
from service.ui.view import category_name
from service.uploading import Taken

_ENDED = ("done", "failed", "cancelled")
_FILES_TOLD = 100  # of an archive
_ASIDE_TOLD = 5  # of them in its row; its page has them all
# What the readers say of a file, by a telling part, and the message that says so here; the first that fits.
_REASONS = (
    ("danger to life", "apart_urgent"),
    (KEPT_APART, "apart"),
    ("is not installed", "no_ocr"),
    ("does not answer; install", "no_ocr"),
    ("encrypted", "locked"),
    ("recognised in the picture", "no_words"),
    ("text that could be recognised", "no_words"),
    ("recognition failed", "no_words"),
    ("holds no text", "no_words"),
    ("has no text", "no_words"),
    ("is empty", "empty"),
    ("not registered", "no_source"),
    ("is gone", "gone"),
    ("took longer", "slow"),
    ("process", "slow"),  # it ended those that read it
    ("more memory", "slow"),
    ("no reader for", "kind"),
    ("that is no document", "kind"),
    ("of a kind that is not read", "kind"),
    ("is binary", "kind"),
    ("bytes; at most", "large_file"),
    ("at most", "large"),
    ("unpacks to", "large"),
    ("more than", "large"),
    ("the model could not read", "no_model"),
    ("broke its reader", "damaged"),
    ("damaged", "damaged"),
    ("of that format", "damaged"),
    ("known encoding", "damaged"),
)
_PASSING = ("gone", "other")  # no fault of the file
State = Literal["done", "partial", "twin", "waiting", "apart", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a file is. `text` says it or what the file is, `href` leads to it.

    `state`: done, partial (an archive of which some was not read), twin (it had been handed in before),
    waiting (a worker reads it), apart (sealed), failed. `aside` are the first files of an archive that were
    not taken, each by its number with the reason, `n_more` how many there are besides. `may_go_again`:
    sending the file as it is may help.
    """

    state: State
    text: str
    href: str | None = None
    job_id: str | None = None
    name: str = ""
    may_go_again: bool = False
    aside: tuple[tuple[int, str], ...] = ()
    n_more: int = 0


def outcome_of(desk: Desk, taken: Taken, *, name: str = "") -> Outcome:
    """What became of a file just now."""
    if taken.item is None:
        return Outcome("waiting", say("upload.queued"), job_id=taken.job_id, name=name)
    return replace(_of_item(desk, taken.item, is_new=taken.is_new), name=name)


def outcome_of_job(desk: Desk, job: Job) -> Outcome:
    """How far the job is that reads a file, or the files of an archive."""
    page = Outcome("waiting", say("upload.queued"), job_id=job.id)
    if job.state not in _ENDED:
        return page if job.state == "queued" else replace(page, text=say("upload.running"))
    faults = list_faults(desk.engine, job.id, limit=_FILES_TOLD)
    if job.state != "done":
        if job.state == "cancelled":
            told = say("upload.why_stopped")
            return replace(page, state="failed", text=told, may_go_again=True)
        return replace(outcome_of_reason(desk, job.reason or ""), job_id=job.id)
    found: Sequence[dict[str, object]] = job.result["items"]
    if len(found) == 1 and not faults:
        [one] = found
        item = read_item(desk.engine, str(one["id"]))
        if item is None:
            return Outcome("failed", say("upload.why_erased"))
        return replace(_of_item(desk, item, is_new=bool(one["is_new"])), job_id=job.id)
    if len(faults) == 1 and not found:
        return replace(outcome_of_reason(desk, faults[0].reason), job_id=job.id)
    return _of_archive(desk, job, faults=faults)


def _of_archive(desk: Desk, job: Job, *, faults: Sequence[Fault]) -> Outcome:
    """What became of the files of an archive; one with faults is not done, for somebody has to look."""
    found: Sequence[dict[str, object]] = job.result["items"]
    n_known = sum(not one["is_new"] for one in found)
    n_apart = sum(fault.reason.startswith(KEPT_APART) for fault in faults)
    counts = {
        "done": len(found) - n_known,
        "twin": n_known,
        "apart": n_apart,
        "failed": len(faults) - n_apart,
    }
    told = ", ".join(say(f"upload.n_{name}", n=n) for name, n in counts.items() if n)
    state: State = "done" if not faults else "partial" if found else "failed"
    aside = sorted((number_of(fault), why_of(desk, fault.reason)) for fault in faults)
    return Outcome(
        state,
        say("upload.archive", counts=told),
        f"/jobs/{job.id}",
        job.id,
        aside=tuple(aside[:_ASIDE_TOLD]),
        n_more=len(aside[_ASIDE_TOLD:]),
    )


def number_of(fault: Fault) -> int:
    """Which file of an upload was set aside, from 1."""
    return int(fault.subject.rpartition(" ")[2])


def outcome_of_reason(desk: Desk, reason: str, *, name: str = "") -> Outcome:
    """A file that was refused, or that a worker set aside."""
    state: State = "apart" if reason.startswith(KEPT_APART) else "failed"
    may_go_again = _name_of(reason) in _PASSING
    return Outcome(state, why_of(desk, reason), name=name, may_go_again=may_go_again)


def why_of(desk: Desk, reason: str) -> str:
    """Why a file was not taken, and what to do, in Vietnamese."""
    return say(f"upload.why_{_name_of(reason)}", n_mb=desk.limits.max_upload_bytes // 1_048_576)


def _name_of(reason: str) -> str:
    return next((name for part, name in _REASONS if part in reason), "other")


def what_it_is(desk: Desk, item: Stored) -> str:
    """An item in half a line: what it is called, and how much was found in it."""
    analysis = item.analysis
    if item.kind == "official":
        form = analysis.get("metadata") or {}
        parts = [form[key]["value"] for key in ("kind", "canonical") if form.get(key)]
        name = " ".join(parts) or item.file_name or say("page.official")
        n_areas = len(analysis["task_area"]["labels"]) if analysis else 0
        return f"{name}, {say('upload.n_areas', n=n_areas)}" if n_areas else name
    name = say("page.opinion" if item.kind == "opinion" else "page.unknown")
    code = analysis["civic_field"]["primary"] if analysis else None
    if code is None:
        return name
    field = category_name(desk.pipeline.taxonomy, "civic_field", code=code)
    return f"{name}, {field.lower()}"


def _of_item(desk: Desk, item: Stored, *, is_new: bool) -> Outcome:
    told = what_it_is(desk, item)
    if not is_new:
        return Outcome("twin", told, f"/documents/{item.id}")
    twin = find_twin(desk.engine, item.seq)
    if twin is not None:
        return Outcome("twin", told, f"/documents/{twin}")
    return Outcome("done", told, f"/documents/{item.id}")
