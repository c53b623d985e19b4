"""Fine-tuning: a checkpoint and a linear head a question learn together, each text what it has labels for.

What is needed to go on after a break is kept in a folder of its own: weights and moments as safetensors, the
rest as JSON. Every step throws its own dice, so that a run that was broken off ends with the weights of one
that was not.

Source: Devlin et al. 2019, section 4 (fine-tuning); Loshchilov & Hutter 2019 (AdamW); Caruana 1997 (several
tasks together).
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.encoded import CutText, shares
from models.lessons import Lessons
from models.recipe import EncoderRecipe
from models.transformer import TorchEncoder, pool
from nlp.errors import ArtifactError
from nlp.features import IntArray
from nlp.protocols import FloatArray
from nlp.text import fold

STATE = "state.json"
_HEADED = 0.5  # share of texts read under their heading: at work a text comes either way
_LONGEST_STEP = 1.0  # of the gradient's norm
_REPORT_S = 10.0
_ROUNDED = 6
_RARE = 0.001
_MOMENTS = "optimizer."
_FAR = 1_000_003  # between the dice of two seeds

Report = Callable[[str], None]


class Network(nn.Module):
    """An encoder and the head of every question over its pooled states."""

    def __init__(self, encoder: TorchEncoder, lessons: Lessons, *, dropout: float) -> None:
        super().__init__()
        self.model = encoder.model
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict()
        for name, gold in lessons.gold.items():
            head = nn.Linear(encoder.size, gold.shape[1])
            # begins with how often each label holds, so that rare ones are not unlearnt first
            often = gold[lessons.weights[name] > 0].mean(axis=0, dtype=np.float32)
            head.bias.data = torch.logit(torch.from_numpy(often), eps=_RARE)
            head.weight.data.normal_(std=0.02)
            self.heads[name] = head

    def forward(self, cuts: Sequence[CutText]) -> dict[str, Tensor]:
        """Raw scores of each head, shape (n_texts, n_labels)."""
        states = pool(self.model, [window for cut in cuts for window in cut.windows])
        parts = torch.from_numpy(np.concatenate([shares(cut) for cut in cuts])).to(states.device)
        sizes = torch.tensor([len(cut.windows) for cut in cuts], device=states.device)
        rows = torch.repeat_interleave(torch.arange(len(cuts), device=states.device), sizes)
        vectors = torch.zeros((len(cuts), states.shape[1]), device=states.device)
        vectors = self.dropout(vectors.index_add(0, rows, states * parts[:, None]))
        return {name: head(vectors) for name, head in self.heads.items()}


def masked_loss(
    scores: Mapping[str, Tensor], lessons: Lessons, *, rows: IntArray, multi: Mapping[str, bool]
) -> Tensor:
    """The loss of a batch a text: the sum over heads of what each text that teaches a head loses, weighed.

    Independent labels: binary cross-entropy, summed over them. Exclusive ones: cross-entropy, for which any
    gold label is right, as in the calibration.
    """
    total = torch.zeros((), device=next(iter(scores.values())).device)
    for name, own in scores.items():
        gold = torch.from_numpy(lessons.gold[name][rows]).to(own.device)
        weight = torch.from_numpy(lessons.weights[name][rows]).to(own.device)
        taught = weight > 0
        if not taught.any():
            continue
        own, gold, weight = own[taught].float(), gold[taught], weight[taught]
        if multi[name]:
            lost = nn.functional.binary_cross_entropy_with_logits(
                own, gold.float(), reduction="none"
            ).sum(dim=1)
        else:
            right = own.masked_fill(~gold, -torch.inf)
            lost = own.logsumexp(dim=1) - right.logsumexp(dim=1)
        total = total + (lost * weight).sum()
    return total / len(rows)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: steps done, and the loss on validation after each epoch."""

    fingerprint: str
    step: int = 0
    losses: tuple[float, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # name in the folder, and SHA-256

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, with the lowest loss; 0 before the first is over."""
        return self.losses.index(min(self.losses)) + 1 if self.losses else 0


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be learnt, what is looked at after each epoch, and where a broken run goes on."""

    lessons: Lessons
    validation: Lessons
    multi: Mapping[str, bool]
    recipe: EncoderRecipe
    seed: int
    folder: Path


def fine_tune(
    encoder: TorchEncoder, task: Task, *, report: Report
) -> tuple[TorchEncoder, dict[str, tuple[FloatArray, FloatArray]], Progress]:
    """Train, or go on where a broken run stopped; the weights with the lowest loss on validation win.

    Returns:
        The encoder, the weights (size, n_labels) and bias of each head, and how it went.

    Raises:
        ArtifactError: what lies in the folder is of another recipe or corpus, or damaged.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(task.seed)
    network = Network(encoder, task.lessons, dropout=task.recipe.dropout).to(device)
    run = _Run(task, network=network, encoder=encoder, report=report)
    progress = run.resume()
    while not run.is_over(progress):
        progress = run.epoch(progress)
    network.load_state_dict(load_file(task.folder / _best_file(progress)))
    network.eval().to("cpu")
    return encoder, {name: _matrix(head) for name, head in network.heads.items()}, progress


def _matrix(head: nn.Module) -> tuple[FloatArray, FloatArray]:
    """The weights, shape (size, n_labels), and bias of a head."""
    own = head.state_dict()
    return own["weight"].numpy().T.copy(), own["bias"].numpy().copy()


class _Run:
    """One training run: its network, its optimizer, and its folder."""

    def __init__(
        self, task: Task, *, network: Network, encoder: TorchEncoder, report: Report
    ) -> None:
        self.task, self.network, self.encoder, self.report = task, network, encoder, report
        recipe = task.recipe
        self.per_epoch = math.ceil(len(task.lessons.texts) / recipe.batch)
        self.n_steps = self.per_epoch * recipe.epochs
        groups = [
            {"params": list(network.model.parameters()), "lr": recipe.learning_rate},
            {"params": list(network.heads.parameters()), "lr": recipe.head_learning_rate},
        ]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.device = next(network.parameters()).device
        self.fingerprint = _fingerprint(task, encoder)

    def is_over(self, progress: Progress) -> bool:
        n_epochs = len(progress.losses)
        is_tired = n_epochs - progress.best_epoch >= self.task.recipe.patience
        return n_epochs >= self.task.recipe.epochs or is_tired

    def epoch(self, progress: Progress) -> Progress:
        """Learn to the end of an epoch, look at validation, and keep everything."""
        number, size = len(progress.losses), self.task.recipe.batch
        n_texts = len(self.task.lessons.texts)
        order = np.random.default_rng((self.task.seed, number)).permutation(n_texts)
        told = began = time.monotonic()
        first = progress.step
        while progress.step < (number + 1) * self.per_epoch:
            at = (progress.step % self.per_epoch) * size
            loss = self._step(order[at : at + size], step=progress.step)
            progress = replace(progress, step=progress.step + 1)
            if time.monotonic() - told > _REPORT_S:
                told = time.monotonic()
                pace = (told - began) / (progress.step - first)
                left_min = pace * (self.n_steps - progress.step) / 60
                self.report(
                    f"epoch {number + 1} of {self.task.recipe.epochs}, step {progress.step} of"
                    f" {self.n_steps}: loss {loss:.3f}, at most {left_min:.0f} minutes left"
                )
            if progress.step % self.task.recipe.save_every == 0:
                progress = self._keep(progress)
        return self._look(progress)

    def _step(self, rows: IntArray, *, step: int) -> float:
        torch.manual_seed(self.task.seed * _FAR + step)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * self._slope(step)
        self.network.train()
        dice = np.random.default_rng((self.task.seed, step, 1))
        loss = self._loss(self.task.lessons, rows=rows, dice=dice)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call] # torch leaves it open
        nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_STEP)
        self.optimizer.step()
        return float(loss.detach())

    def _slope(self, step: int) -> float:
        """Rises to 1 while it warms up, then falls to 0 at the end."""
        rise = self.task.recipe.warmup * self.n_steps
        return min(
            (step + 1) / max(1.0, rise), (self.n_steps - step) / max(1.0, self.n_steps - rise)
        )

    def _loss(
        self, lessons: Lessons, *, rows: IntArray, dice: np.random.Generator | None
    ) -> Tensor:
        cuts = [self._cut(lessons, row, dice=dice) for row in rows.tolist()]
        with torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.task.recipe.bfloat16
        ):
            scores = self.network(cuts)
        return masked_loss(scores, lessons, rows=rows, multi=self.task.multi)

    def _cut(self, lessons: Lessons, row: int, *, dice: np.random.Generator | None) -> CutText:
        """A text as windows; with dice sometimes without its heading, or without diacritics."""
        text, context = lessons.texts[row], lessons.contexts[row]
        if dice is not None:
            headed, bare = dice.random(2) < (_HEADED, self.task.recipe.bare)
            context = context if headed else ""
            text, context = (fold(text), fold(context)) if bare else (text, context)
        return spread(self.encoder.cut(text, context=context), n=self.task.recipe.windows)

    def _look(self, progress: Progress) -> Progress:
        """The loss on validation, in parts as large as a batch, each by its number of texts."""
        self.network.eval()
        n, size = len(self.task.validation.texts), self.task.recipe.batch
        total = 0.0
        with torch.inference_mode():
            for at in range(0, n, size):
                rows = np.arange(at, min(at + size, n))
                total += float(self._loss(self.task.validation, rows=rows, dice=None)) * len(rows)
        loss = round(total / n, _ROUNDED)
        if not math.isfinite(loss):
            raise ArtifactError("the loss is no number any more; try a lower `learning_rate`")
        number = len(progress.losses) + 1
        self.report(f"epoch {number} of {self.task.recipe.epochs}: validation loss {loss:.4f}")
        return self._keep(replace(progress, losses=(*progress.losses, loss)))

    def _keep(self, progress: Progress) -> Progress:
        """Write beside what is there, then let the state name it: a break leaves one or the other."""
        folder, best = self.task.folder, _best_file(progress)
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: part.cpu() for name, part in self.network.state_dict().items()}
        _save(weights | _moments(self.optimizer), folder / _last_file(progress))
        kept = [_last_file(progress)]
        if progress.best_epoch:
            kept.append(best)
            if best not in progress.files:
                _save(weights, folder / best)
        files = {name: _sha256(folder / name) for name in kept}
        progress = replace(progress, files=files)
        fresh = folder / f"{STATE}.new"
        fresh.write_text(json.dumps(asdict(progress), indent=1) + "\n", encoding="utf-8")
        fresh.replace(folder / STATE)
        for path in folder.glob("*.safetensors"):
            if path.name not in kept:
                path.unlink()
        return progress

    def resume(self) -> Progress:
        """Where a broken run stopped, its weights and moments put back; the beginning where there is none."""
        folder = self.task.folder
        if not (folder / STATE).exists():
            return Progress(self.fingerprint)
        progress = _read_state(folder)
        if progress.fingerprint != self.fingerprint:
            raise ArtifactError(
                f"{folder}: what was begun there is of another recipe, corpus or checkpoint; delete the"
                " folder to begin anew"
            )
        tensors = load_file(folder / _last_file(progress))
        moments = {key: tensors.pop(key) for key in list(tensors) if key.startswith(_MOMENTS)}
        self.network.load_state_dict(tensors)
        _put_back(self.optimizer, moments)
        self.report(f"going on after step {progress.step} of {self.n_steps}")
        return progress


def spread(cut: CutText, *, n: int) -> CutText:
    """At most `n` of the windows of a text, evenly spread, the first and the last among them."""
    if len(cut.windows) <= n:
        return cut
    kept = np.linspace(0, len(cut.windows) - 1, n).round().astype(int).tolist()
    return CutText(cut.spans, tuple(cut.windows[i] for i in kept))


def _last_file(progress: Progress) -> str:
    return f"last-{progress.step}.safetensors"


def _best_file(progress: Progress) -> str:
    return f"best-{progress.best_epoch}.safetensors"


def _save(tensors: Mapping[str, Tensor], path: Path) -> None:
    save_file({name: part.contiguous() for name, part in tensors.items()}, path)


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """What the optimizer remembers of each parameter, by number and name."""
    return {
        f"{_MOMENTS}{number}.{name}": part.cpu()
        for number, own in optimizer.state_dict()["state"].items()
        for name, part in own.items()
    }


def _put_back(optimizer: torch.optim.Optimizer, moments: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, part in moments.items():
        number, name = key.removeprefix(_MOMENTS).split(".")
        state.setdefault(int(number), {})[name] = part
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _read_state(folder: Path) -> Progress:
    try:
        kept = json.loads((folder / STATE).read_text(encoding="utf-8"))
        progress = Progress(**kept | {"losses": tuple(kept["losses"])})
        sound = all(_sha256(folder / name) == known for name, known in progress.files.items())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ArtifactError(f"{folder}: cannot be read; delete the folder to begin anew") from error
    if not sound:
        raise ArtifactError(f"{folder}: a file was changed; delete the folder to begin anew")
    return progress


def _fingerprint(task: Task, encoder: TorchEncoder) -> str:
    """One SHA-256 over all that decides how a run goes."""
    hashed = hashlib.sha256(task.recipe.model_dump_json(exclude={"save_every"}).encode())
    hashed.update(json.dumps([task.seed, asdict(encoder.spec)]).encode())
    for lessons in (task.lessons, task.validation):
        hashed.update(json.dumps([lessons.texts, lessons.contexts]).encode())
        for own in (lessons.gold, lessons.weights):
            for name, part in own.items():
                hashed.update(name.encode() + part.tobytes())
    for part in encoder.model.state_dict().values():
        hashed.update(part.detach().cpu().contiguous().numpy().tobytes())
    return hashed.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as lines:
        return hashlib.file_digest(lines, "sha256").hexdigest()
