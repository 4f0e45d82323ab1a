"""What was seen in each file, and how all files of one data folder are judged together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lesion.inputs.pairing import Pair


@dataclass
class Finding:
    """What was seen in one pair when its files were read, each of them once.

    Attributes:
        name: of the pair.
        size: height and width of the picture, None where it could not be read.
        coverage: share of the mask that is lesion, 0-1; None without a readable mask.
        inverted: the mask looks as if lesion and background were exchanged.
        fingerprint: of the picture's pixels.
        bits: of the picture's values in a 16-bit file, None for other files.
        turn_evidence: whether the mask has to be turned, see `stored.read_both_ways`.
        problem: one line, empty where all is well.
    """

    name: str
    size: tuple[int, int] | None = None
    coverage: float | None = None
    inverted: bool = False
    fingerprint: str = ""
    bits: int | None = None
    turn_evidence: float | None = None
    problem: str = ""


@dataclass
class Source:
    """The pairs of one data folder and what was seen in each: what a judge looks at as a whole.

    A judge is a function of a Source and the Legend that the person gave. It replaces pairs by
    such that say how they are to be read, completes findings and adds remarks.

    Attributes:
        path: the data folder.
        pairs: the pairs, in the order given.
        findings: of each of them.
        remarks: lines that are worth a look and stop nothing.
    """

    path: Path
    pairs: list[Pair]
    findings: list[Finding]
    remarks: list[str] = field(default_factory=list)


def by_source(pairs: Sequence[Pair], findings: Sequence[Finding]) -> list[Source]:
    """Return the Sources that pairs, with what was seen in each, come from."""
    sources = defaultdict(lambda: ([], []))
    for pair, finding in zip(pairs, findings, strict=True):
        for listed, one in zip(sources[pair.source], (pair, finding), strict=True):
            listed.append(one)
    return [Source(path, *listed) for path, listed in sources.items()]
