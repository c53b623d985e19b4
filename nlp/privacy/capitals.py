"""What a capital is, and a run of words that begin with one."""

import re

UPPER = "A-ZÀÁÂÃÈÉÊÌÍÒÓÔÕÙÚÝĂĐĨŨƠƯ" + "".join(map(chr, range(0x1EA0, 0x1EFA, 2)))
CAPITALISED = rf"[{UPPER}](?:['’][{UPPER}]?)?[^\W\d_]*"
CAPITALS = re.compile(rf"{CAPITALISED}(?: {{1,2}}{CAPITALISED})*")
SYLLABLE = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
# One that begins a word, with the charset first: the search skips to it.
OPENING = CAPITALISED.replace("]", r"](?<![^\W_].)", 1)
