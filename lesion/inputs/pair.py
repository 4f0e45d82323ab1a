"""One picture with what belongs to it, and what was found in a folder of them."""

from dataclasses import dataclass, field
from pathlib import Path

from lesion.inputs.annotations.shapes import Annotation
from lesion.inputs.legend import PLAIN, Legend


@dataclass(frozen=True)
class Pair:
    """One picture with what belongs to it.

    name: the picture's file name without suffix, unique in its folder. mask: None where there is
    no truth. group: what no split may divide, the lesion where the metadata names it, else the
    name. prediction: another model's mask, shown but never used as truth. metadata: the picture's
    row of the metadata file, by column name. second_mask: another annotator's mask, against which
    the first is scored, or None. more_masks: further files of the same truth, united with the
    first. annotation: shapes drawn in an annotation tool, of which `mask` is the file. source: the
    data folder, over which it is judged what masks mean. legend: what the levels of the mask mean,
    and second_legend those of the second annotator's.
    bits: of the values in a deep picture of this folder, None for those that its own highest shows.
    turn_mask: the mask is turned as the picture's rotation note says.
    perceptual_hash: `seen.perceptual_hash` of the picture, empty until somebody has looked at it.
    """

    name: str
    image: Path
    mask: Path | None = None
    group: str = ""
    prediction: Path | None = None
    metadata: dict = field(default_factory=dict, hash=False)
    second_mask: Path | None = None
    more_masks: tuple[Path, ...] = ()
    annotation: Annotation | None = None
    source: Path = Path()
    legend: Legend = PLAIN
    second_legend: Legend = PLAIN
    bits: int | None = None
    turn_mask: bool = False
    perceptual_hash: bytes = field(default=b"", compare=False)

    def __post_init__(self):
        object.__setattr__(self, "group", self.group or self.name)


@dataclass(frozen=True)
class DataFolder:
    """What `find_pairs` found: the layout in words, the pairs in natural order, what is wrong.

    A picture without a mask stays among the pairs, with mask None; a name with two different
    pictures or masks is left out.

    Attributes:
        root: the folder, or that of a part of it.
        layout: in words.
        pairs: in natural order.
        problems: one line each: file, finding, remedy.
        remarks: lines on what was understood; they need no remedy.
        passed_over: a line for each kind of files that are not used.
        division: what looks like a division of the pictures and is not understood, or "".
        unit: what the pairs' groups are, lesions or patients.
    """

    root: Path
    layout: str
    pairs: list[Pair]
    problems: list[str]
    remarks: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    division: str = ""
    unit: str = "lesions"

    @property
    def labelled(self) -> list[Pair]:
        """The pairs that have a mask."""
        return [pair for pair in self.pairs if pair.mask is not None]
