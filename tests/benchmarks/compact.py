"""Whether a small net of our own earns a place: taught here, measured beside the linear default.

Run: python -m tests.benchmarks.compact LAWS (.jsonl.gz with keys `heading` and `text`); needs the extra
`transformer`. `--layers 2` reads word order and is pre-trained on laws and own texts for `--minutes` of one
core; without layers it is static: embeddings of syllables, pooled. `--soft` is the share of the linear
model's answers, out of fold, beside the labels (distillation).

Net and linear model learn from folds 1 to 4 of the training texts. Fold 0 gives the calibration of both and
the share of the net where they are mixed; each fifth of it is measured with what the other four gave. With
`--test` the held-out tenth is measured instead.

Source: Hinton et al. 2015 (distillation).
"""

import argparse
import gzip
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from models.calibration import BoolArray
from models.corpus import Example, load_corpus, load_lexicon
from models.evaluate import measure
from models.fitting import calibrate_head, fit_weights, learn_vectorizer
from models.heads import Question, questions_of
from models.linear import Head
from models.recipe import Recipe, load_recipe
from nlp.features import IntArray
from nlp.protocols import FloatArray, HeadSpec
from nlp.taxonomy import load_pack
from nlp.text import fold, to_nfc
from tests.benchmarks.compact_net import (
    Lesson,
    Lines,
    Net,
    Read,
    Scores,
    Syllabary,
    marks_lost,
    net_scores,
    pretrain,
    read_keys,
    say,
    teach,
)

ROOT = Path(__file__).parents[2]
_LEXICON = 0.3  # weight of a term beside a text
_SHARES = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0)  # of the net beside the linear model
_PARTS, _DRAWS = 5, 1000


@dataclass(frozen=True, slots=True)
class Course:
    """Texts to learn from, then terms of the lexicon; and those texts to measure on."""

    recipe: Recipe
    questions: tuple[Question, ...]
    terms: Mapping[str, tuple[Example, ...]]
    learnt: tuple[Example, ...]
    measured: tuple[Example, ...]

    @property
    def all_terms(self) -> tuple[Example, ...]:
        """The lexicon of every head."""
        return tuple(chain(*self.terms.values()))

    def lesson(self, question: Question, *, soft: FloatArray | None, share: float) -> Lesson:
        """The labels of a head, `share` of them replaced by `soft`, one row a text that it concerns.

        Rare labels weigh more, by the root of how rare they are, and so do heads with few texts.
        """
        rows = (*self.learnt, *self.all_terms)
        number = {id(example): row for row, example in enumerate(rows)}
        own, terms = question.select(self.learnt), self.terms.get(question.name, ())
        at = [number[id(example)] for example in (*own, *terms)]
        gold = question.targets((*own, *terms)).astype(np.float32)
        particular = self.recipe.head(question.name)
        weights = np.array(
            [particular.plain if e.plain else particular.other for e in own]
            + [_LEXICON] * len(terms),
            dtype=np.float32,
        )
        if not question.multi:
            gold /= gold.sum(axis=1, keepdims=True)
            often = np.maximum(weights @ gold, 1)
            weights *= gold @ np.minimum(np.sqrt(often.mean() / often), 5)
        if soft is not None:
            gold[: len(own)] = share * soft + (1 - share) * gold[: len(own)]
        whole = torch.zeros((len(rows), gold.shape[1])), torch.zeros(len(rows))
        whole[0][at] = torch.from_numpy(gold)
        whole[1][at] = torch.from_numpy(weights)
        mean = whole[1][: len(self.learnt)].mean()
        return Lesson(question.multi, whole[0], whole[1] / mean.sqrt())


def linear_scores(
    course: Course, learnt: Sequence[Example], measured: Sequence[Example]
) -> tuple[Scores, Scores]:
    """Raw scores of the linear default, taught with the same texts: as they are, without diacritics."""
    vectorizer = learn_vectorizer([*learnt, *course.all_terms], recipe=course.recipe)
    contexts = [example.context for example in measured]
    matrices = [
        vectorizer.read([change(e.text) for e in measured], contexts=contexts).matrix
        for change in (str, fold)
    ]
    found: tuple[Scores, Scores] = {}, {}
    for question in course.questions:
        weights, bias = fit_weights(
            question,
            question.select(learnt),
            terms=course.terms.get(question.name, ()),
            vectorizer=vectorizer,
            recipe=course.recipe,
        )
        for own, matrix in zip(found, matrices, strict=True):
            own[question.name] = matrix @ weights + bias
    return found


def soft_answers(course: Course) -> dict[str, FloatArray]:
    """The linear model's calibrated answers to the texts learnt from, each by folds without it."""
    scores = {
        q.name: np.zeros((len(course.learnt), len(q.labels)), np.float32) for q in course.questions
    }
    folds = np.array([example.fold for example in course.learnt])
    for i in sorted(set(folds.tolist())):
        seen = [e for e in course.learnt if e.fold != i]
        found, _ = linear_scores(course, seen, [e for e in course.learnt if e.fold == i])
        for name, fresh in found.items():
            scores[name][folds == i] = fresh
    row_of = {id(example): row for row, example in enumerate(course.learnt)}
    answers = {}
    for q in course.questions:
        own = q.select(course.learnt)
        chosen = scores[q.name][[row_of[id(example)] for example in own]]
        answers[q.name] = _calibrated(q, own, scores=chosen, recipe=course.recipe).calibrate(chosen)
    return answers


@dataclass(frozen=True, slots=True)
class Match:
    """A head and the texts that it is measured on: gold, and scores of linear model and net.

    Each of the two has scores of the texts as they are, and without diacritics. `parts`: the rows that
    calibrate, and the rows measured with what they gave.
    """

    question: Question
    recipe: Recipe
    examples: Sequence[Example]
    scores: Sequence[tuple[FloatArray, FloatArray]]
    parts: Sequence[tuple[IntArray, IntArray]]

    def answers(self) -> list[tuple[FloatArray, FloatArray]]:
        """Probabilities by the linear model, the net, and both mixed; as they are, without diacritics."""
        shape = self.scores[0][0].shape
        found = [(np.zeros(shape, np.float32), np.zeros(shape, np.float32)) for _ in range(3)]
        for fitted, measured in self.parts:
            seen = [self.examples[row] for row in fitted.tolist()]

            def calibrated(scores: FloatArray) -> Head:
                return _calibrated(self.question, seen, scores=scores[fitted], recipe=self.recipe)  # noqa: B023

            heads = [calibrated(own[0]) for own in self.scores]
            odds = [
                [h.slope * s + h.offset for s in own]
                for h, own in zip(heads, self.scores, strict=True)
            ]
            gold = self.question.targets(seen)
            mixes = [
                [(1 - share) * a + share * b for a, b in zip(*odds, strict=True)]
                for share in _SHARES
            ]
            best = int(np.argmin([_loss(mix[0][fitted], gold, self.question) for mix in mixes]))
            for own, mix in zip(found, (mixes[0], mixes[-1], mixes[best]), strict=True):
                head = calibrated(mix[0])
                for probabilities, each in zip(own, mix, strict=True):
                    probabilities[measured] = head.calibrate(each[measured])
        return found

    def line(self) -> str:
        """Accuracy (independent labels: micro-F1), macro-F1, ECE, the first without diacritics."""
        rows = np.concatenate([measured for _, measured in self.parts])
        answers = self.answers()
        gold = self.question.targets(self.examples)
        n = len(self.question.labels)
        spec = HeadSpec(self.question.name, self.question.labels, self.question.multi, (0.9,) * n)
        cells = [self.question.name, str(len(rows))]
        main = "micro_f1" if self.question.multi else "accuracy"
        for clean, bare in answers:
            own, other = (measure(each[rows], gold[rows], spec=spec) for each in (clean, bare))
            cells.append(
                " / ".join(
                    f"{x:.3f}" for x in (own[main], own["macro_f1"], own["ece"], other[main])
                )
            )
        cells.append(self._gain(answers, gold, rows))
        return f"| {' | '.join(cells)} |"

    def _gain(
        self, answers: Sequence[tuple[FloatArray, FloatArray]], gold: BoolArray, rows: IntArray
    ) -> str:
        """What mixing adds to the linear model: its 95 % interval over texts drawn again."""
        dice = np.random.default_rng(0)
        gains = []
        for _ in range(_DRAWS):
            drawn = dice.choice(rows, len(rows))
            old, new = (_right(answers[i][0][drawn], gold[drawn], self.question) for i in (0, 2))
            gains.append(new - old)
        low, high = np.percentile(gains, [2.5, 97.5])
        return f"{low:+.3f} to {high:+.3f}"


def _calibrated(
    question: Question, examples: Sequence[Example], *, scores: FloatArray, recipe: Recipe
) -> Head:
    nothing = np.zeros(0, dtype=np.float32)
    return calibrate_head(
        question, examples, scores=scores, learnt=(nothing, nothing), recipe=recipe
    )[0]


def _right(probabilities: FloatArray, gold: BoolArray, question: Question) -> float:
    if not question.multi:
        return float(gold[np.arange(len(gold)), probabilities.argmax(axis=1)].mean())
    predicted = probabilities >= 0.5
    return float(2 * (predicted & gold).sum() / max(1, predicted.sum() + gold.sum()))


def _loss(odds: FloatArray, gold: BoolArray, question: Question) -> float:
    scores, wanted = torch.from_numpy(odds), torch.from_numpy(gold)
    if question.multi:
        return float(functional.binary_cross_entropy_with_logits(scores, wanted.float()))
    among = scores.masked_fill(~wanted, -torch.inf).logsumexp(1)
    return float((scores.logsumexp(1) - among).mean())


def compare(course: Course, *, laws: Sequence[str], asked: argparse.Namespace) -> Iterator[str]:
    """Pre-train, teach, measure; one line a head."""
    soft = soft_answers(course) if asked.soft else {}
    linear = linear_scores(course, course.learnt, course.measured)
    rows = (*course.learnt, *course.all_terms)
    syllabary = Syllabary.learn(read_keys([*laws, *(example.text for example in rows)]))
    read, measured = Read.of(rows, syllabary), Read.of(course.measured, syllabary)
    torch.manual_seed(0)
    sizes = {q.name: len(q.labels) for q in course.questions}
    net = Net(syllabary, sizes, size=asked.size, n_layers=asked.layers)
    if asked.minutes:
        own = Lines(read.texts.texts[: len(course.learnt)])
        bare_of = marks_lost(read, syllabary=syllabary)
        pretrain(net, (syllabary.read(laws), own), bare_of=bare_of, minutes=asked.minutes)
    lessons = {
        q.name: course.lesson(q, soft=soft.get(q.name), share=asked.soft) for q in course.questions
    }
    teach(net, read, lessons, n_texts=len(course.learnt), epochs=asked.epochs)
    began = time.process_time()
    texts = syllabary.read([example.text for example in course.measured])
    own_scores = net_scores(net, texts, measured.headings)
    say(f"{len(course.measured) / (time.process_time() - began):.0f} texts a second and core")
    bare_scores = net_scores(net, measured.bare, measured.headings)
    row_of = {id(example): row for row, example in enumerate(course.measured)}
    for question in course.questions:
        examples = question.select(course.measured)
        at = [row_of[id(example)] for example in examples]
        scores = [
            (a[question.name][at], b[question.name][at])
            for a, b in (linear, (own_scores, bare_scores))
        ]
        parts = _parts(question, examples, recipe=course.recipe, is_test=asked.test)
        yield Match(question, course.recipe, examples, scores, parts).line()


def _parts(
    question: Question, examples: Sequence[Example], *, recipe: Recipe, is_test: bool
) -> list[tuple[IntArray, IntArray]]:
    """Fold 0 calibrates and the held-out tenth is measured; or each fifth of fold 0 by the others.

    Of fold 0 those texts are measured that the card's cross-validation measures.
    """
    held_out = np.array([example.split == "test" for example in examples])
    if is_test:
        return [(np.flatnonzero(~held_out), np.flatnonzero(held_out))]
    on_plain = recipe.head(question.name).calibrated_on == "plain"
    counts = np.array([not on_plain or e.plain or e.kind == "other" for e in examples]) & ~held_out
    part = np.array([int(example.sha256[4:6], 16) % _PARTS for example in examples])
    return [
        (np.flatnonzero(~held_out & (part != i)), np.flatnonzero(counts & (part == i)))
        for i in range(_PARTS)
    ]


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compact")
    parser.add_argument("laws", type=Path)
    parser.add_argument("--layers", type=int, default=0)
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--soft", type=float, default=0.0)
    parser.add_argument("--test", action="store_true")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    recipe = load_recipe(ROOT / "models" / "recipes" / "default.toml")
    taxonomy = load_pack(ROOT / recipe.taxonomy)
    examples = load_corpus(ROOT / recipe.corpus, taxonomy=taxonomy)
    training = [example for example in examples if example.split == "train"]
    measured = [example for example in training if example.fold == 0]
    if asked.test:
        measured += [example for example in examples if example.split == "test"]
    course = Course(
        recipe,
        questions_of(taxonomy),
        load_lexicon(ROOT / "corpus" / "lexicons" / "ct07", taxonomy=taxonomy),
        tuple(example for example in training if example.fold != 0),
        tuple(measured),
    )
    sys.stdout.write(
        "| head | texts | linear | net | both | gain of both |\n|---|---|---|---|---|---|\n"
    )
    for line in compare(course, laws=_read_laws(asked.laws), asked=asked):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _read_laws(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [to_nfc(f"{row['heading'] or ''}. {row['text']}") for row in rows]


if __name__ == "__main__":
    main(sys.argv[1:])
