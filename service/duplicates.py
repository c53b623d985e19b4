"""Files that say the same: word for word, or nearly.

Nearly the same is told by MinHash over runs of five syllables (Broder 1997; datasketch): a Jaccard
similarity of 0.8 and more, which a scan of a text and the text itself still reach.
"""

import hashlib
from dataclasses import dataclass

from datasketch import MinHash, MinHashLSH

from nlp.text import fold

_RUN = 5
_SIMILARITY = 0.8
_N_HASHES = 128
_MIN_SYLLABLES = 30  # of shorter texts a run or two in common says nothing


@dataclass(frozen=True, slots=True)
class Twin:
    """An earlier file with the same text, or nearly the same."""

    name: str
    exact: bool


class Twins:
    """Remembers the texts of files and points out those that came before."""

    def __init__(self) -> None:
        self._exact: dict[str, str] = {}
        self._near = MinHashLSH(threshold=_SIMILARITY, num_perm=_N_HASHES)

    def remember(self, name: str, *, text: str) -> Twin | None:
        """Take in a text; the first file before it that says the same, if there is one."""
        syllables = fold(text).split()
        digest = hashlib.sha256(" ".join(syllables).encode()).hexdigest()
        if digest in self._exact:
            return Twin(self._exact[digest], exact=True)
        self._exact[digest] = name
        if len(syllables) < _MIN_SYLLABLES:
            return None
        sketch = MinHash(num_perm=_N_HASHES)
        runs = range(len(syllables) - _RUN + 1)
        sketch.update_batch([" ".join(syllables[i : i + _RUN]).encode() for i in runs])
        near = sorted(self._near.query(sketch))
        self._near.insert(f"{len(self._exact):06d} {name}", sketch, check_duplication=False)
        return Twin(near[0].partition(" ")[2], exact=False) if near else None
