"""What was seen in each file, and how all files of one data folder are judged together."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lesion.inputs.looks import Look
from lesion.inputs.pairing import Pair
from lesion.masks import IGNORED


@dataclass
class Finding:
    """What was seen in one pair when its files were read, each of them once.

    Attributes:
        name: of the pair.
        size: height and width of the picture, None where it could not be read.
        coverage: share of the mask that is lesion, 0-1; None without a readable mask.
        inverted: the mask looks as if lesion and background were exchanged.
        looks: what was seen in each of its mask files.
        second_look: what was seen in the second annotator's.
        fingerprint: of the picture's pixels.
        perceptual_hash: of the picture as it is seen, see `seen.perceptual_hash`.
        bits: of the picture's values in a 16-bit file, None for other files.
        turn_evidence: whether the mask has to be turned, see `stored.read_both_ways`.
        problem: one line, empty where all is well.
    """

    name: str
    size: tuple[int, int] | None = None
    coverage: float | None = None
    inverted: bool = False
    looks: tuple[Look, ...] = ()
    second_look: Look | None = None
    fingerprint: str = ""
    perceptual_hash: bytes = b""
    bits: int | None = None
    turn_evidence: float | None = None
    problem: str = ""

    def set_mask(self, mask: np.ndarray) -> None:
        """Set what is told of a whole mask, uint8 (H, W) of 0, 1 and IGNORED."""
        counts = np.bincount(mask.ravel(), minlength=IGNORED + 1)
        frame = np.unique(np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]))
        self.set_counts(int(counts[0]), int(counts[1]), frame.tolist())

    def set_counts(self, background: int, lesion: int, frame: list[int]) -> None:
        """Set what is told of a mask, of which these are the pixels and the values at the frame."""
        counted = background + lesion
        if counted:
            self.coverage = lesion / counted
        else:
            self.problem = self.problem or f"{self.name}: every pixel of its mask is ignored"
        # A lesion leaves background at the frame; one exchanged with it leaves none there.
        self.inverted = frame == [1] and background > 0


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
