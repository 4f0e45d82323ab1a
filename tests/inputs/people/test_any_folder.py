"""Random folders with a known truth: understood rightly, or refused or remarked; never misread."""

import shutil
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import numpy as np
import pytest
from bring import ANY, REFUSED, Brought, Row, draw, encoded, palette, plain, ring, white
from conftest import ask, play_scoring, verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from lesion.masks import PREDICTED
from segment import main

pytestmark = pytest.mark.filterwarnings("ignore")

EIGHT = range(8)
PARTS = ["train"] * 4 + ["validation"] * 2 + ["test"] * 2

# In each table the first entries are those that must be understood whatever the others are; what is
# in doubt may be refused or remarked instead.
STEMS = ["m{}", "ISIC_00243{:02}", "mole ({})", "{}", "a.b.{}", "Größe {}", "train{}", "IMG_{:04}"]
RULES = [("", ""), ("", "_mask"), ("", "_segmentation"), ("", "_seg"), ("mask_", ""), ("", ".jpg")]
RULES_IN_DOUBT = [("", "_GT"), ("gt-", ""), ("", " copy"), ("", "_outline_by_anna"), ("x", "y")]
ROLES = [("image", "label"), ("images", "masks"), ("Images", "Ground Truth"), ("imgs", "labels")]
ROLES_IN_DOUBT = [("photos", "masks"), ("a", "b"), ("input", "target"), ("images", "truth")]
NESTS = ["{role}/{name}", "outer/{role}/{name}", "{role}/{kind}/{name}", "{kind}/{role}/{name}"]
DIVIDED = ["{part}/{role}/{name}", "{role}/{part}/{name}", "{part}_{role}/{name}",
           "{part}/{role}/{kind}/{name}"]  # fmt: skip
LEVELS = {
    "0 and 255": (white, None, ""),
    "0 and 1": (plain, None, ""),
    "0 and 254": (lambda mask: mask * np.uint8(254), None, ""),
    "a palette": (palette((128, 0, 0)), None, ""),
    "in colour": (lambda mask: np.repeat(white(mask)[..., None], 3, axis=2), None, ""),
    "classes": (lambda mask: mask + ring(mask) * np.uint8(2), REFUSED, ""),
    "a border": (lambda mask: mask + ring(mask) * np.uint8(255), REFUSED, ""),
    "gray classes": (lambda mask: mask * np.uint8(128) + white(ring(mask)), REFUSED, ""),
    "class 1": (lambda mask: mask + ring(mask) * np.uint8(2), None, "--lesion-level 1"),
    "no border": (lambda mask: mask + ring(mask) * np.uint8(255), "ignored",
                  "--lesion-level 1 --ignore-level 255"),
}  # fmt: skip
ENDS = ["jpg", "png", "bmp", "tif", "JPG", "webp", "jfif"]
MASK_ENDS = ["png", "bmp", "tif", "gif"]


@dataclass
class Table:
    """A dialect of metadata: what stands between cells, around them and behind the ids."""

    separator: str
    quote: str
    blanks: str
    suffix: str
    columns: tuple[str, str]
    start: str

    def write(self, folder, pictures):
        def line(cells):
            quoted = (f"{self.quote}{cell}{self.quote}" for cell in cells)
            return self.separator.join(quoted) + self.blanks

        rows = [line((Path(path).stem + self.suffix, f"L{k // 2}")) for k, path in pictures]
        folder.file("metadata.csv", self.start + "\n".join([line(self.columns), *rows]))
        folder.groups = {path: f"L{k // 2}" for k, path in pictures}


TABLES = st.builds(
    Table,
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["", '"']),
    st.sampled_from(["", " ", "\u00a0"]),
    st.sampled_from(["", ".jpg"]),
    st.sampled_from([("image_id", "lesion_id"), ("isic_id", "lesion_id"),
                     ("Image_ID", "Lesion_ID"), ("image_id", "patient_id")]),
    st.sampled_from(["", "\ufeff"]),
)  # fmt: skip


def predictions(folder, where="results"):
    from PIL import Image, PngImagePlugin

    note = PngImagePlugin.PngInfo()
    note.add_text(*PREDICTED)
    for path, k in [(path, k) for k, path in enumerate(folder.truth)][:4]:
        mask = white(draw(k + 40)[1])
        name = f"{where}/{Path(path).stem}_mask.png"
        folder.file(name, Image.fromarray(mask), pnginfo=note)


def lonely_picture(folder):
    beside = Path(next(iter(folder.truth)))
    folder.picture(60, f"{beside.parent.as_posix()}/lonely60{beside.suffix}")


def photograph_for_a_mask(folder):
    folder.file(folder.masks[2], draw(62)[0])
    folder.truth[folder.pictures[2]] = ANY


def damaged_picture(folder):
    path = folder.root / folder.pictures[1]
    path.write_bytes(path.read_bytes()[:120])


def another_level(folder):
    """One mask of another class alone: a lesion only to somebody who looks at no other file."""
    folder.file(folder.masks[3], draw(63)[1] * np.uint8(7))
    folder.truth[folder.pictures[3]] = ANY


HARMLESS = [
    lambda folder: folder.file("notes.txt", "my notes"),
    lambda folder: folder.file(".hidden/x.png", encoded(draw(70)[0])),
    lambda folder: folder.file("__MACOSX/._x.jpg", b"Mac"),
    predictions,
]
HOSTILE = [
    lonely_picture,
    photograph_for_a_mask,
    damaged_picture,
    another_level,
    lambda folder: predictions(folder, "masks/mine"),
    lambda folder: folder.file(f"{Path(folder.masks[0]).parent}/lonely.png", white(draw(61)[1])),
    lambda folder: folder.file("image/film.mp4", b"film"),
    lambda folder: folder.file("train.txt", "\n".join(Path(p).stem for p in folder.pictures[:5])),
    lambda folder: folder.file("fold_1.txt", "m1\n"),
]


@dataclass
class Plan:
    """How to write one folder; sure: nothing in it is in doubt."""

    stem: str
    rule: tuple[str, str]
    roles: tuple[str, str]
    place: str
    levels: str
    ends: tuple[str, str]
    restart: bool
    table: Table | None
    extras: list
    sure: bool

    def write(self, folder):
        save, truth, options = LEVELS[self.levels]
        folder.pictures, folder.masks = [], []
        for k in EIGHT:
            number = k % 2 if self.restart else k
            name = self.stem.format(number)
            words = {"kind": ("nevus", "melanoma")[k // 2 % 2], "part": PARTS[k]}
            if self.restart:
                words["kind"] = f"kind{k // 2}"
            paths = [
                self.place.format(role=role, name=name, **words).lstrip("/")
                for role, name in zip(
                    self.roles, (name, self.rule[0] + name + self.rule[1]), strict=True
                )
            ]
            picture, mask_path = (f"{p}.{end}" for p, end in zip(paths, self.ends, strict=True))
            mask = draw(k)[1]
            known = {None: mask, "ignored": mask + ring(mask) * np.uint8(255)}
            folder.pair(k, picture, mask_path, save, known.get(truth, truth))
            if "{part}" in self.place:
                folder.parts[picture] = PARTS[k]
            folder.pictures.append(picture)
            folder.masks.append(mask_path)
        if self.table:
            self.table.write(folder, list(enumerate(folder.pictures)))
        for extra in self.extras:
            extra(folder)
        right = "understood" if self.sure and truth != REFUSED else "either"
        said = r"^(remark|problem |passed over|error)"
        always = ANY in [truth for truth in folder.truth.values() if isinstance(truth, str)]
        return Row(self.write, right, (said,) * (right == "either"), tuple(options.split()), always)


@st.composite
def plans(choose):
    def pick(values):
        return choose(st.sampled_from(values))

    doubt = choose(st.booleans())
    flat = choose(st.booleans()) and choose(st.booleans())
    divided = choose(st.booleans()) and not flat
    rule = pick(RULES + RULES_IN_DOUBT * doubt)
    roles = ("", "") if flat else pick(ROLES + ROLES_IN_DOUBT * doubt)
    place = "{role}/{name}" if flat else pick(DIVIDED if divided else NESTS)
    ends = [pick(ENDS), pick(MASK_ENDS)]
    if rule[1] == ".jpg":
        ends[0] = "jpg"
    if flat and rule == ("", ""):
        rule = ("", "_mask")
    extras = choose(st.lists(st.sampled_from(HARMLESS + HOSTILE * doubt), max_size=2, unique=True))
    restart = "{kind}" in place and not divided and choose(st.booleans())
    table = choose(TABLES) if not (divided or restart) and choose(st.booleans()) else None
    return Plan(pick(STEMS), rule, roles, place, pick(list(LEVELS)), tuple(ends), restart, table,
                extras, not doubt)  # fmt: skip


def run(*arguments):
    errors, output = StringIO(), TextIOWrapper(BytesIO(), encoding="utf-8")
    with redirect_stderr(errors), redirect_stdout(output):
        code = main([str(argument) for argument in arguments])
    output.flush()
    text = output.buffer.getvalue().decode()
    assert "Traceback" not in text + errors.getvalue()
    return code, text, [line for line in errors.getvalue().splitlines() if "error" in line]


@settings(max_examples=80, deadline=None)
@given(plans())
def test_any_folder_is_understood_or_named(tmp_path_factory, plan):
    place = tmp_path_factory.getbasetemp() / "any folder"
    shutil.rmtree(place, ignore_errors=True)
    folder = Brought(place / "data")
    row = plan.write(folder)
    with pytest.MonkeyPatch.context() as patch:
        planned = []
        patch.setattr("lesion.workflow.train", lambda split, *_, **__: planned.append(split))
        answers = ask(run, row.options, place, planned, play_scoring(patch))
    verdict(row, folder, *answers)
