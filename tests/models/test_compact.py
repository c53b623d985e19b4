"""The experiment with a small net, on a handful of texts: the net learns, the better answer is taken."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the transformer extra is not installed")

from models.corpus import Example  # noqa: E402
from models.heads import Question  # noqa: E402
from models.recipe import Recipe  # noqa: E402
from tests.benchmarks.compact import Course, Match  # noqa: E402
from tests.benchmarks.compact_net import (  # noqa: E402
    Lines,
    Net,
    Read,
    Syllabary,
    marks_lost,
    net_scores,
    pretrain,
    read_keys,
    teach,
)

pytestmark = pytest.mark.transformer

GOOD, BAD = "cán bộ phường nhiệt tình", "đường ngập rác"
ROWS = (
    *(Example(GOOD, "opinion", sentiment="positive") for _ in range(40)),
    *(Example(BAD, "opinion", sentiment="negative") for _ in range(40)),
)
TERM = Example("chu đáo", "opinion", sentiment="positive")
QUESTION = Question(
    "sentiment",
    ("negative", "positive"),
    multi=False,
    kinds=("opinion",),
    answers=lambda example: (str(example.sentiment),),
)
RECIPE = Recipe(name="tiny", version="1", taxonomy=Path("pack"), corpus=Path("corpus"))
COURSE = Course(RECIPE, (QUESTION,), {"sentiment": (TERM,)}, ROWS, ())


@pytest.mark.slow
@pytest.mark.parametrize("n_layers", [0, 1])
def test_a_net_tells_two_texts_apart_also_without_diacritics(n_layers: int) -> None:
    rows = (*ROWS, TERM)
    syllabary = Syllabary.learn(read_keys([row.text for row in rows]))
    read = Read.of(rows, syllabary)
    torch.manual_seed(0)
    net = Net(syllabary, {"sentiment": 2}, size=16, n_layers=n_layers)

    pretrain(
        net, (read.texts, read.texts), bare_of=marks_lost(read, syllabary=syllabary), minutes=0.002
    )
    lesson = COURSE.lesson(QUESTION, soft=None, share=0.0)
    teach(net, read, {"sentiment": lesson}, n_texts=len(ROWS), epochs=20)

    asked, nothing = (
        syllabary.read([GOOD, "duong ngap rac", ""]),
        Lines(((np.zeros(0, int),) * 2,) * 3),
    )
    assert net_scores(net, asked, nothing)["sentiment"].argmax(axis=1)[:2].tolist() == [1, 0]


def test_what_the_soft_answers_replace_is_a_share_of_the_labels() -> None:
    soft = np.full((len(ROWS), 2), 0.5, dtype=np.float32)

    gold = COURSE.lesson(QUESTION, soft=soft, share=0.5).gold

    assert gold[0].tolist() == [0.25, 0.75]
    assert gold[-1].tolist() == [0.0, 1.0]  # a term of the lexicon stays as it is


@pytest.mark.parametrize("right", [0, 1])
def test_mixing_takes_the_rival_that_is_right(right: int) -> None:
    gold = QUESTION.targets(ROWS)
    noise = np.random.default_rng(0).normal(size=gold.shape).astype(np.float32)
    rivals = [(noise, noise), (noise[::-1], noise[::-1])]
    rivals[right] = (gold.astype(np.float32), gold.astype(np.float32))
    halves = np.arange(0, len(ROWS), 2), np.arange(1, len(ROWS), 2)

    answers = Match(QUESTION, RECIPE, ROWS, rivals, [halves]).answers()

    rows = halves[1]
    assert (answers[2][0][rows].argmax(axis=1) == gold[rows].argmax(axis=1)).all()
