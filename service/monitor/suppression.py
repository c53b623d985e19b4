"""What may be told of a group: nothing of a small one, nor that by which it could be worked out.

A count below k is not given, none and few alike; any other is rounded to the nearest multiple of k. So two
figures, of whatever filters and periods, differ by nothing or by k and more: no difference is a group of 1 to
k - 1, and where one group holds another, what lies between may always be empty or as large as k. All else
that is told (shares, intervals, corrected counts) is worked out from the rounded counts.

Source: Hundepool et al., Statistical Disclosure Control, Wiley 2012, chapter 5 (tables of frequencies: the
threshold rule, conventional and controlled rounding).
"""


def disclose(n: int, *, k: int) -> int | None:
    """The count as it may be told; None when it is below `k`. A half is rounded up."""
    return (n + k // 2) // k * k if n >= k else None


def behind(told: int | None, *, k: int) -> tuple[int, int]:
    """The least and the most that may be behind what `disclose` told."""
    return (0, k - 1) if told is None else (max(k, told - k // 2), told + (k - 1) // 2)
