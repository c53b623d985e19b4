"""A small net over syllables: its vocabulary, pre-training, teaching and scores (`compact` measures it).

Each syllable counts twice, as written and without diacritics, so that a text without them is not strange.

Source: Devlin et al. 2019, section 3.1 (masked syllables); Yang et al. 2016 (attention pooling).
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.corpus import Example
from nlp.features import FeatureSpec, IntArray, extract_ngrams
from nlp.protocols import FloatArray
from nlp.text import fold

_SYLLABLES = FeatureSpec(written=(1,), folded=(1,), characters=(), opening_tokens=0)
_BREAK, _MASK, _UNKNOWN, _FIRST = 1, 2, 3, 4  # 0 fills up
_MIN_COUNT = 4  # of a syllable, in laws, texts and lexicon together
_WINDOW = 128  # syllables read at once in pre-training
_LONGEST = 128  # syllables read of a text
_HIDDEN, _QUERIES, _ATTENTION_HEADS = 256, 4, 4
_BATCH = 64  # texts
_RARE = 0.001
_MASKED, _BARE, _DROPPED = 0.2, 0.25, 0.08  # shares of syllables, texts, syllables

_NOTHING = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

Scores = dict[str, FloatArray]  # by head, shape (n_texts, n_labels)
Ids = tuple[IntArray, IntArray]
Pair = tuple[Tensor, Tensor]  # ids as written and folded, int64, shape (n_texts, n_syllables)


@dataclass(frozen=True, slots=True)
class Lines:
    """Texts as ids of syllables, as written and without diacritics, int64, shape (n_syllables,) each."""

    texts: tuple[Ids, ...]

    def batch(self, rows: Sequence[int], *, beside: "Lines") -> Pair:
        """Texts side by side, each with its heading."""
        return _side_by_side([_headed(self.texts[row], beside.texts[row]) for row in rows])


def _headed(text: Ids, heading: Ids) -> Ids:
    """The beginning of a text, and of its heading where it has one."""
    if not len(heading[0]):
        return text[0][:_LONGEST], text[1][:_LONGEST]
    written, folded = (
        np.concatenate([a[:_LONGEST], [_BREAK], b[:_LONGEST]])
        for a, b in zip(text, heading, strict=True)
    )
    return written, folded


def _side_by_side(found: Sequence[Ids]) -> Pair:
    """Texts filled up with 0 to one length; an empty one is a break, as it must be something."""
    size = max([1, *(len(written) for written, _ in found)])
    filled = np.zeros((2, len(found), size), dtype=np.int64)
    filled[0, :, 0] = _BREAK
    for i, (written, folded) in enumerate(found):
        filled[0, i, : len(written)], filled[1, i, : len(folded)] = written, folded
    return torch.from_numpy(filled[0]), torch.from_numpy(filled[1])


def read_keys(texts: Sequence[str]) -> list[Ids]:
    """The hashes of each text's syllables, as written and folded."""
    found = []
    for at in range(0, len(texts), 2000):
        part = texts[at : at + 2000]
        ngrams = extract_ngrams(part, _SYLLABLES)
        n = len(ngrams.starts)
        borders = np.searchsorted(ngrams.token_rows, np.arange(1, len(part)))
        written, folded = (
            np.split(ngrams.keys[i * n : (i + 1) * n].astype(np.int64), borders) for i in (0, 1)
        )
        found += list(zip(written, folded, strict=True))
    return found


@dataclass(frozen=True, slots=True)
class Syllabary:
    """The syllables that a net knows, as sorted hashes: as written and folded."""

    written: IntArray
    folded: IntArray

    @classmethod
    def learn(cls, keys: Sequence[Ids]) -> "Syllabary":
        """Keep what occurs `_MIN_COUNT` times."""
        known = []
        for i in (0, 1):
            own, counts = np.unique(np.concatenate([pair[i] for pair in keys]), return_counts=True)
            known.append(own[counts >= _MIN_COUNT])
        return cls(known[0], known[1])

    def read(self, texts: Sequence[str]) -> Lines:
        """Texts as ids; what is not known is `_UNKNOWN`."""
        return Lines(tuple(self.ids(pair) for pair in read_keys(texts)))

    def ids(self, keys: Ids) -> Ids:
        """One text as ids."""
        return _known(keys[0], self.written), _known(keys[1], self.folded)


def _known(keys: IntArray, known: IntArray) -> IntArray:
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[at] == keys, at + _FIRST, _UNKNOWN)


class Net(nn.Module):
    """Syllables to states, states to one vector a text, and a linear head a question."""

    def __init__(
        self, syllabary: Syllabary, sizes: Mapping[str, int], *, size: int, n_layers: int
    ) -> None:
        super().__init__()
        self.written = nn.Embedding(len(syllabary.written) + _FIRST, size, padding_idx=0)
        self.folded = nn.Embedding(len(syllabary.folded) + _FIRST, size, padding_idx=0)
        self.places = nn.Embedding(2 * _LONGEST + 1, size)
        layer = nn.TransformerEncoderLayer(
            size, _ATTENTION_HEADS, 4 * size, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, n_layers, nn.LayerNorm(size), False)
        self.n_layers = n_layers
        for embedding in (self.written, self.folded, self.places):
            nn.init.normal_(embedding.weight, std=0.04 if n_layers else 0.25)
        self.guess = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.LayerNorm(size))
        self.dropout, self.look = nn.Dropout(0.25), nn.Linear(size, _QUERIES)
        self.mix = nn.Linear(size * (_QUERIES + 2), _HIDDEN)
        self.heads = nn.ModuleDict({name: nn.Linear(_HIDDEN, n) for name, n in sizes.items()})

    def states(self, pair: Pair) -> Tensor:
        """float32, shape (n_texts, n_syllables, size)."""
        x: Tensor = self.written(pair[0]) + self.folded(pair[1])
        if not self.n_layers:
            return x
        x = x + self.places.weight[: x.shape[1]]
        read: Tensor = self.layers(x, src_key_padding_mask=pair[0] == 0)
        return read

    def forward(self, pair: Pair) -> dict[str, Tensor]:
        """Raw scores of each head: attention, mean and maximum over the states, mixed once."""
        states, real = self.states(pair).float(), (pair[0] != 0)[..., None]
        weights = self.look(states).masked_fill(~real, -1e4).softmax(dim=1)
        looked = torch.einsum("ntq,nts->nqs", weights, states).flatten(1)
        mean = (states * real).sum(dim=1) / real.sum(dim=1)
        top = states.masked_fill(~real, -1e4).amax(dim=1)
        pooled = self.dropout(torch.cat([looked, mean, top], dim=1))
        hidden = self.dropout(functional.gelu(self.mix(pooled)))
        return {name: head(hidden) for name, head in self.heads.items()}


def pretrain(net: Net, kinds: Sequence[Lines], *, bare_of: IntArray, minutes: float) -> None:
    """Guess masked syllables, in windows half of which come from each kind of text.

    A quarter of the windows are without diacritics; there half of what is masked only lost its marks.
    """
    streams = [_windows(lines, seed=i) for i, lines in enumerate(kinds)]
    dice = np.random.default_rng(0)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1.2e-3, betas=(0.9, 0.98))
    began, done, step, told = time.process_time(), 0.0, 0, list[float]()
    while done < 1:
        done = (time.process_time() - began) / (60 * minutes)
        optimizer.param_groups[0]["lr"] = 1.2e-3 * min(
            1, (step + 1) / 100, max(0.01, 5 * (1 - done))
        )
        written, folded = (np.concatenate(part) for part in zip(*map(next, streams), strict=True))
        gold = written.copy()
        bare = dice.random((len(gold), 1)) < _BARE
        written = np.where(bare, bare_of[written], written)
        masked = (dice.random(gold.shape) < _MASKED) & (gold > _BREAK)
        hidden = masked & ~(bare & (dice.random(gold.shape) < 0.5))
        written[hidden] = folded[hidden] = _MASK
        with torch.autocast("cpu", dtype=torch.bfloat16):
            states = net.states((torch.from_numpy(written), torch.from_numpy(folded)))
            guess = net.guess(states[torch.from_numpy(masked)]) @ net.written.weight.T
        loss = functional.cross_entropy(guess.float(), torch.from_numpy(gold[masked]))
        _step(optimizer, loss, net)
        step, told = step + 1, [*told[-99:], float(loss.detach())]
    say(f"pre-trained: {step * gold.size / 1e6:.1f} M syllables, loss {np.mean(told):.2f}")


def _windows(lines: Lines, *, seed: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Batches of windows over texts in ever new order, without end."""
    dice = np.random.default_rng(seed)
    while True:
        order = dice.permutation(len(lines.texts)).tolist()
        gap = np.array([_BREAK])
        written, folded = (
            np.concatenate([part for row in order for part in (lines.texts[row][i], gap)])
            for i in (0, 1)
        )
        n = max(1, len(written) // _WINDOW)
        shaped = np.resize(written, (n, _WINDOW)), np.resize(folded, (n, _WINDOW))
        for rows in np.array_split(dice.permutation(n), max(1, n // 16)):
            yield shaped[0][rows], shaped[1][rows]


def _step(optimizer: torch.optim.Optimizer, loss: Tensor, net: Net) -> None:
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call] # torch leaves it open
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a head learns: answers in [0, 1], shape (n_rows, n_labels), and the weight of each row."""

    multi: bool
    gold: Tensor
    weights: Tensor

    def lost(self, scores: Tensor, rows: IntArray) -> Tensor:
        """The loss of a batch a text: cross-entropy, of independent labels summed over them."""
        gold, weights = self.gold[rows], self.weights[rows]
        if self.multi:
            lost = functional.binary_cross_entropy_with_logits(scores, gold, reduction="none")
        else:
            lost = -gold * scores.log_softmax(dim=1)
        return (lost.sum(dim=1) * weights).sum() / len(rows)


@dataclass(frozen=True, slots=True)
class Read:
    """Texts with their headings, as they are and without diacritics."""

    texts: Lines
    bare: Lines
    headings: Lines

    @classmethod
    def of(cls, examples: Sequence[Example], syllabary: Syllabary) -> "Read":
        texts = [example.text for example in examples]
        return cls(
            syllabary.read(texts),
            syllabary.read([fold(text) for text in texts]),
            syllabary.read([example.context for example in examples]),
        )


def teach(
    net: Net, read: Read, lessons: Mapping[str, Lesson], *, n_texts: int, epochs: int
) -> None:
    """All heads together; some texts without diacritics or heading, all with syllables left out."""
    for name, lesson in lessons.items():  # begins with how often each label holds
        often = (lesson.weights @ lesson.gold) / lesson.weights.sum()
        net.heads[name].bias.data = torch.logit(often, eps=_RARE)
    dice = np.random.default_rng(0)
    slow = {"written", "folded", "places", "layers"} if net.n_layers else set[str]()
    groups: list[list[Tensor]] = [[], []]
    for name, own in net.named_parameters():
        groups[name.partition(".")[0] in slow].append(own)
    peaks = (1e-3, 4e-4) if net.n_layers else (3e-3, 3e-3)
    optimizer = torch.optim.AdamW([{"params": g} for g in groups], weight_decay=0.1)
    sizes = np.array([len(written) for written, _ in read.texts.texts])
    for epoch in range(epochs):
        batches = list(_batches(sizes, n_texts=n_texts, dice=dice))
        for step, rows in enumerate(batches):
            done = (epoch + step / len(batches)) / epochs
            for group, peak in zip(optimizer.param_groups, peaks, strict=True):
                group["lr"] = peak * min(1, 20 * epochs * done + 0.01, max(0.02, 1 - done))
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bool(net.n_layers)):
                scores = net(_damaged(read, rows, dice=dice))
            parts = [lessons[name].lost(own.float(), rows) for name, own in scores.items()]
            _step(optimizer, torch.stack(parts).sum(), net)
        say(f"epoch {epoch + 1} of {epochs}: {time.process_time():.0f} s")


def _batches(sizes: IntArray, *, n_texts: int, dice: np.random.Generator) -> Iterator[IntArray]:
    """Rows of texts of like length together, in any order, and terms by themselves."""
    found: list[IntArray] = []
    for part in np.array_split(dice.permutation(n_texts), max(1, n_texts // (32 * _BATCH))):
        part = part[np.argsort(sizes[part], kind="stable")]
        found += np.array_split(part, max(1, len(part) // _BATCH))
    terms = n_texts + dice.permutation(len(sizes) - n_texts)
    if len(terms):
        found += np.array_split(terms, max(1, len(terms) // (4 * _BATCH)))
    for i in dice.permutation(len(found)).tolist():
        yield found[i]


def _damaged(read: Read, rows: IntArray, *, dice: np.random.Generator) -> Pair:
    bare, headed, chosen = dice.random(len(rows)) < _BARE, dice.random(len(rows)) < 0.5, []
    for row, is_bare, is_headed in zip(rows.tolist(), bare, headed, strict=True):
        own = (read.bare if is_bare else read.texts).texts[row]
        chosen.append(_headed(own, read.headings.texts[row] if is_headed else _NOTHING))
    written, folded = _side_by_side(chosen)
    lost = torch.from_numpy(dice.random(written.shape) < _DROPPED) & (written > _BREAK)
    return written.masked_fill(lost, _MASK), folded.masked_fill(lost, _MASK)


def net_scores(net: Net, lines: Lines, headings: Lines) -> Scores:
    """Raw scores of every text."""
    net.eval()
    order = np.argsort([len(written) for written, _ in lines.texts], kind="stable")
    parts: dict[str, list[FloatArray]] = {name: [] for name in net.heads}
    with (
        torch.inference_mode(),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=bool(net.n_layers)),
    ):
        for rows in np.array_split(order, max(1, len(order) // 128)):
            for name, own in net(lines.batch(rows.tolist(), beside=headings)).items():
                parts[name].append(own.float().numpy())
    back = np.argsort(order)
    return {name: np.concatenate(own)[back] for name, own in parts.items()}


def marks_lost(read: Read, *, syllabary: Syllabary) -> IntArray:
    """For each written syllable its id without diacritics, where a text shows it."""
    bare_of = np.full(len(syllabary.written) + _FIRST, _UNKNOWN)
    bare_of[: _UNKNOWN + 1] = np.arange(_UNKNOWN + 1)
    for (written, _), (bare, _) in zip(read.texts.texts, read.bare.texts, strict=True):
        if len(written) == len(bare):
            bare_of[written] = bare
    return bare_of


def say(text: str) -> None:
    """Report how it goes, beside the table."""
    sys.stderr.write(f"{text}\n")
