"""A learned score beside the rules of triage: does a text read like a denunciation (tố cáo)?

The rules know the words of an accusation; most denunciations have none of them and only tell what somebody
did. One linear head over syllables and their pairs, as written and folded, reads those. A text is found where
its score is at or above a threshold that was chosen on texts the score had not learnt from.

Run `python -m models.denunciation` to train it again from `corpus/labelled/triage`: the same texts give the
same bytes. It is no model of `models.registry`: it answers one question, knows no taxonomy, and goes with the
code as the rules do.
"""

import hashlib
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.linear import Head, LinearReading, Vectorizer, Vocabulary
from nlp.errors import ArtifactError, CorpusError
from nlp.evidence import pick_evidence
from nlp.features import FeatureSpec, extract_ngrams
from nlp.hints import DENUNCIATION, TriageRules, find_hints, load_triage
from nlp.protocols import FloatArray, HeadSpec
from nlp.text import fold, to_nfc
from nlp.types import Span

NAME, VERSION = "denunciation", "0.1.0"
ARTIFACT = Path(__file__).parent / "artifacts" / NAME / VERSION
FILES = ("development", "development_b", "development_c", "development_d", "read")  # to learn from
READ = "read"  # opinions of the corpus, nearly all of which accuse nobody
MAX_SEALED = 0.007  # share of the clear negatives of READ that rules and score may seal together
_ROOT = Path(__file__).parents[1]
_SCORE, _WEIGHTS = (
    "score.json",
    "score.safetensors",
)  # no manifest: it is not listed among the models
_FORMAT = 1
_SPEC = FeatureSpec(written=(1, 2), folded=(1, 2), characters=(), opening_tokens=6)
_COST = 1.0
_MIN_TEXTS = 2
_N_FOLDS = 10
_DIGITS = 4  # of the threshold
_VOCABULARY = ("keys", "idf", "blocks")
_QUESTION = HeadSpec(NAME, labels=(DENUNCIATION,), multi=True, assert_at=(0.5,))

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class DenunciationScore:
    """The score with its threshold."""

    vectorizer: Vectorizer
    head: Head
    threshold: float

    def scores(self, texts: Sequence[str]) -> FloatArray:
        """How much each text reads like a denunciation, float32, shape (n_texts,).

        Expects masked NFC. A raw margin; a text's score does not depend on the others of its batch.
        """
        return self.head.scores(self.vectorizer.read(texts).matrix)[:, 0]

    def find(self, texts: Sequence[str]) -> list[tuple[Span, ...] | None]:
        """Of each text that reads like a denunciation the words that say so most; None for the others."""
        rows = self.vectorizer.read(texts)
        found = np.flatnonzero(self.head.scores(rows.matrix)[:, 0] >= self.threshold).tolist()
        reading = LinearReading(rows, {NAME: self.head})
        proofs = pick_evidence(reading.attribute([(row, DENUNCIATION) for row in found], head=NAME))
        spans = dict(zip(found, proofs, strict=True))
        return [spans.get(row) for row in range(len(texts))]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text that somebody labelled, in NFC; `file` is where it stands."""

    file: str
    text: str
    denounces: bool
    is_doubtful: bool


def load_lessons(folder: Path) -> list[Lesson]:
    """The labelled texts to learn from, those in doubt among them.

    Raises:
        CorpusError: a file is missing or malformed.
    """
    return [lesson for name in FILES for lesson in read_lessons(folder / f"{name}.jsonl")]


def read_lessons(path: Path) -> list[Lesson]:
    """The labelled texts of one file. In doubt are those of READ that carry a note.

    Raises:
        CorpusError: the file is missing or malformed.
    """
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [_lesson(row, file=path.stem) for row in rows]
    except (OSError, KeyError, ValueError) as error:
        raise CorpusError(f"{path}: cannot be read as labelled texts of triage") from error


def _lesson(row: dict[str, Any], *, file: str) -> Lesson:
    """`Any`: a line of JSON."""
    text = to_nfc(row["text"])
    if file == READ:
        return Lesson(file, text, row["denunciation"], "note" in row)
    return Lesson(file, text, row["channel"] == DENUNCIATION, is_doubtful=False)


@cache
def load_score(folder: Path = ARTIFACT) -> DenunciationScore:
    """Read the artifact in `folder`, once.

    Raises:
        ArtifactError: it is missing or damaged.
    """
    try:
        facts = json.loads((folder / _SCORE).read_bytes())
        weights = (folder / _WEIGHTS).read_bytes()
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{folder}: the score for denunciations cannot be read; install danvan anew, or make it"
            " with `python -m models.denunciation`"
        ) from error
    if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
        raise ArtifactError(f"{folder / _SCORE}: not a score of format {_FORMAT}; train it again")
    if hashlib.sha256(weights).hexdigest() != facts.get("sha256"):
        raise ArtifactError(
            f"{folder / _WEIGHTS}: its SHA-256 is not that of {_SCORE}; fetch it again"
        )
    try:
        return _from_tensors(load(weights), facts=facts)
    except (KeyError, TypeError, ValueError, SafetensorError) as error:
        raise ArtifactError(
            f"{folder}: {_SCORE} and its weights do not fit together; train it again"
        ) from error


def _from_tensors(tensors: dict[str, Any], *, facts: dict[str, Any]) -> DenunciationScore:
    """`Any`: numpy arrays by name, and values of JSON; their hash was checked."""
    vocabulary = Vocabulary(*(tensors[part] for part in _VOCABULARY))
    vectorizer = Vectorizer(vocabulary, spec=FeatureSpec.of(facts["features"]))
    head = _head(tensors["weights"].astype(np.float32), tensors["bias"])
    return DenunciationScore(vectorizer, head, float(facts["threshold"]))


def _head(weights: FloatArray, bias: FloatArray) -> Head:
    """A head that is not calibrated: only its scores are asked for."""
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    return Head(_QUESTION, weights, bias, slope=one, offset=zero, confidence=np.append(one, zero))


def save_score(score: DenunciationScore, *, folder: Path, training: dict[str, Any]) -> None:
    """Write an artifact; `training` (any JSON values) is kept beside the threshold."""
    vocabulary = score.vectorizer.vocabulary
    tensors = {part: np.ascontiguousarray(getattr(vocabulary, part)) for part in _VOCABULARY}
    tensors |= {"weights": score.head.weights.astype(np.float16), "bias": score.head.bias}
    weights = save(tensors)
    facts = {
        "format": _FORMAT,
        "name": NAME,
        "version": VERSION,
        "features": asdict(score.vectorizer.spec),
        "threshold": score.threshold,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "training": training,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _WEIGHTS).write_bytes(weights)
    text = json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (folder / _SCORE).write_text(text, encoding="utf-8")


def fit_score(lessons: Sequence[Lesson], *, threshold: float = 0.0) -> DenunciationScore:
    """Learn from each text and its copy without diacritics; those in doubt teach nothing."""
    from sklearn.svm import LinearSVC

    clear = [lesson for lesson in lessons if not lesson.is_doubtful]
    texts = [lesson.text for lesson in clear]
    texts += [fold(text) for text in texts]
    # a text and its copy count as two, so that what stands in one text alone is not kept
    ngrams = extract_ngrams(texts, _SPEC)
    vectorizer = Vectorizer(Vocabulary.learn(ngrams, min_texts=2 * _MIN_TEXTS), spec=_SPEC)
    # sums and products only, from a fixed seed: the same bytes everywhere (Hsieh et al. 2008)
    separator = LinearSVC(C=_COST, dual=True, random_state=0, max_iter=10_000)
    separator.fit(
        vectorizer.read(texts).matrix.astype(np.float64), [lesson.denounces for lesson in clear] * 2
    )
    weights = separator.coef_.T.astype(np.float16).astype(np.float32)  # as they are kept
    head = _head(np.ascontiguousarray(weights), separator.intercept_.astype(np.float32))
    return DenunciationScore(vectorizer, head, threshold)


def scores_out_of_fold(
    lessons: Sequence[Lesson], *, change: Callable[[str], str] = str
) -> FloatArray:
    """The score of each text by one that learnt from the other nine tenths, float32, shape (n,).

    `change` is done to a text before it is scored, not before it is learnt from.
    """
    folds = [_fold_of(lesson.text) for lesson in lessons]
    scores = np.zeros(len(lessons), dtype=np.float32)
    for number in range(_N_FOLDS):
        others = [one for one, its in zip(lessons, folds, strict=True) if its != number]
        own = [i for i, its in enumerate(folds) if its == number]
        scores[own] = fit_score(others).scores([change(lessons[i].text) for i in own])
    return scores


def _fold_of(text: str) -> int:
    """By hash, so that a new text moves no other; copies without diacritics lie in the same fold."""
    return int(hashlib.sha256(fold(text).encode()).hexdigest()[:8], 16) % _N_FOLDS


def is_negative(lessons: Sequence[Lesson]) -> BoolArray:
    """Which of the texts are clear negatives of READ, shape (n,)."""
    return np.array(
        [
            lesson.file == READ and not lesson.denounces and not lesson.is_doubtful
            for lesson in lessons
        ],
        dtype=np.bool_,
    )


def choose_threshold(scores: FloatArray, *, n_allowed: int) -> float:
    """The lowest threshold that at most `n_allowed` of these scores, of negatives, reach."""
    if len(scores) <= n_allowed:
        raise CorpusError(f"{len(scores)} texts are too few to choose a threshold on")
    first_out = float(np.sort(scores)[::-1][n_allowed])
    step = 10.0**-_DIGITS
    return round((math.floor(first_out / step) + 1) * step, _DIGITS)


def train(lessons: Sequence[Lesson], *, rules: TriageRules, folder: Path) -> dict[str, Any]:
    """Choose the threshold out of fold, learn from all, write the artifact; what is kept of it (JSON values).

    Raises:
        CorpusError: there are too few negatives to choose a threshold on.
    """
    ruled = np.array(
        [find_hints(one.text, rules=rules).channel == DENUNCIATION for one in lessons], dtype=bool
    )
    negative = is_negative(lessons)
    n_allowed = max(0, int(MAX_SEALED * negative.sum()) - int(ruled[negative].sum()))
    scores = scores_out_of_fold(lessons)
    threshold = choose_threshold(scores[negative & ~ruled], n_allowed=n_allowed)
    score = fit_score(lessons, threshold=threshold)
    training = {
        "n_texts": sum(not lesson.is_doubtful for lesson in lessons),
        "n_denunciations": sum(one.denounces and not one.is_doubtful for one in lessons),
        "texts_sha256": _hash(lessons),
        "n_negatives": int(negative.sum()),
        "n_negatives_sealed": int((ruled | (scores >= threshold))[negative].sum()),
    }
    save_score(score, folder=folder, training=training)
    return {"threshold": threshold, **training}


def _hash(lessons: Sequence[Lesson]) -> str:
    lines = [f"{one.file}\t{one.denounces}\t{one.is_doubtful}\t{one.text}" for one in lessons]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def main() -> None:
    """Make the committed artifact again."""
    corpus = _ROOT / "corpus"
    lessons = load_lessons(corpus / "labelled" / "triage")
    told = train(lessons, rules=load_triage(corpus / "registers"), folder=ARTIFACT)
    sys.stdout.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
