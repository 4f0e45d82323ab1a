"""Masks mean what their folder says: levels, palettes, outlines, photographs among masks."""

import numpy as np
from bring import ANY, REFUSED, Table, draw, palette, plain, ring, white
from PIL import Image

from lesion.masks import IGNORED, draw_outline

levels = Table()
TEN = range(10)
PLACES = "image/m{}.jpg", "label/m{}.png"


def folder_of(folder, save, truth=lambda mask: mask, ks=TEN, places=PLACES):
    """Write pairs whose masks `save` makes of 0 and 1, and which mean what `truth` makes of it."""
    for k in ks:
        paths = (path.format(k) for path in places)
        folder.pair(k, *paths, save, truth(draw(k)[1]))


def core(mask):
    """The inner part of a lesion."""
    return mask - ring(1 - mask, 2)


def mapped(skin, lesion, inner):
    """Return what saves three levels: of the skin, of the lesion and of its inner part."""

    def save(mask):
        values = np.where(core(mask) == 1, inner, np.where(mask == 1, lesion, skin))
        return values.astype(np.uint8)

    return save


def bordered(lesion, border):
    """Return what saves a lesion with a border around it that nobody is sure of."""
    return lambda mask: (mask * lesion + ring(mask) * border).astype(np.uint8)


def without_border(mask):
    return mask + ring(mask) * np.uint8(IGNORED)


# --- lesion and background ------------------------------------------------------------------------

for its_name, its_save in {
    "levels_0_and_255": white,
    "levels_0_and_1": plain,
    "levels_0_and_254": lambda mask: mask * np.uint8(254),
    "sixteen_bits": lambda mask: mask * np.uint16(65535),
    "sixteen_bits_of_0_and_1": lambda mask: mask.astype(np.uint16),
    "one_bit": lambda mask: Image.fromarray(white(mask)).convert("1"),
    "palette_of_red": palette((128, 0, 0)),
    "red_on_black": lambda mask: mask[..., None] * np.uint8([255, 0, 0]),
    "white_in_colour": lambda mask: np.repeat(white(mask)[..., None], 3, axis=2),
    "lesion_in_the_transparency": lambda mask: np.dstack([white(mask | 1)] * 3 + [white(mask)]),
    "opaque_white_in_colour": lambda mask: np.dstack([white(mask)] * 3 + [white(mask | 1)]),
}.items():

    def binary(folder, save=its_save):
        folder_of(folder, save)

    binary.__name__ = its_name
    levels(quiet=True)(binary)


@levels(quiet=True)
def palette_with_unused_colours(folder):
    folder_of(folder, palette((128, 0, 0), (0, 128, 0), (128, 128, 0)))


@levels()
def jpeg_masks_with_ringing(folder):
    """Of quality 50, one empty and one with a tiny lesion."""
    folder.tolerance = 0.2
    for k in TEN:
        mask = folder.picture(k, f"image/m{k}.jpg")
        if k < 2:
            mask = np.zeros_like(mask)
            mask[20 : 20 + 3 * k, 30 : 30 + 3 * k] = 1
        folder.file(f"label/m{k}.jpg", white(mask), quality=50)
        folder.truth[f"image/m{k}.jpg"] = mask


@levels()
def noise_of_a_few_levels_is_an_empty_mask(folder):
    for k in TEN:
        mask = folder.picture(k, f"image/m{k}.jpg")
        noise = np.random.default_rng(k).integers(0, 7, mask.shape, np.uint8)
        if k in (3, 4):
            mask = np.zeros_like(mask)
        folder.file(f"label/m{k}.png", mask * np.uint8(245) + noise)
        folder.truth[f"image/m{k}.jpg"] = mask


@levels()
def noise_of_two_levels_in_one_empty_mask(folder):
    """{0, 3} alone would be a lesion at level 3."""
    folder_of(folder, white, ks=range(9))
    mask = folder.picture(9, "image/m9.jpg")
    folder.file("label/m9.png", ((draw(60)[1] == 1) * 3).astype(np.uint8))
    folder.truth["image/m9.jpg"] = np.zeros_like(mask)


@levels()
def soft_edges(folder):
    folder.tolerance = 0.25

    def blurred(mask):
        large = Image.fromarray(white(mask)).resize((96, 72), Image.Resampling.BICUBIC)
        return large.resize((48, 36), Image.Resampling.BICUBIC)

    folder_of(folder, blurred)


@levels("either", says=r"m3")
def one_file_of_0_and_1_among_0_and_255(folder):
    for k in TEN:
        folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", plain if k == 3 else white)


@levels("either", says=r"m3")
def one_inverted_palette(folder):
    """0 is white and 1 is black: the colours say the opposite of the indices."""

    def reversed_palette(mask):
        picture = Image.fromarray(mask)
        picture.putpalette([255, 255, 255, 0, 0, 0])
        return picture

    for k in TEN:
        save = reversed_palette if k == 3 else white
        folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", save, ANY if k == 3 else None)


@levels(says=r"remark .*inverted")
def lesions_black_on_white(folder):
    folder_of(folder, lambda mask: white(1 - mask), lambda mask: 1 - mask)


# --- class maps -----------------------------------------------------------------------------------

MAPS = {  # levels of skin, lesion and inner part
    "0_1_2": (0, 1, 2),
    "0_128_255": (0, 128, 255),
    "0_85_170": (0, 85, 170),
    "1_2_3": (1, 2, 3),
    "0_50_100": (0, 50, 100),
    "0_200_255": (0, 200, 255),
}


def class_map(its_name, values):
    """Add three rows: refused, the inner part chosen, both chosen."""
    save = mapped(*values)
    shown = ".*".join(rf"\b{level}\b" for level in values)

    def make(truth):
        def written(folder):
            folder_of(folder, save, truth)

        written.__name__ = f"class_map_{its_name}"
        return written

    levels("named", says=(shown, "--lesion-level"))(make(lambda mask: ANY))
    levels(options=f"--lesion-level {values[2]}")(make(core))
    levels(options=f"--lesion-level {values[1]} {values[2]}")(make(lambda mask: mask))


for its_name, its_map in MAPS.items():
    class_map(its_name, its_map)


@levels("named", says=(r"\b85\b.*\b170\b.*\b255\b", "--lesion-level"))
def class_map_0_85_170_255(folder):
    def save(mask):
        values = mapped(0, 85, 170)(mask)
        values[:3, :3] = 255
        return values

    folder_of(folder, save, lambda mask: ANY)


@levels("named", says=(r"\b255\b", "--lesion-level"))
def void_border_of_255(folder):
    folder_of(folder, bordered(1, 255), lambda mask: ANY)


@levels(options="--lesion-level 1 --ignore-level 255")
def void_border_ignored(folder):
    folder_of(folder, bordered(1, 255), without_border)


@levels(options="--lesion-level 255 --ignore-level 128")
def uncertain_border_of_128_ignored(folder):
    folder_of(folder, bordered(255, 128), without_border)


@levels("named", says="--lesion-level")
def two_classes_no_file_holds_both(folder):
    """{0, 1} here and {0, 2} there: each file alone would be a mask."""
    for k in TEN:
        save = palette((128, 0, 0), (0, 128, 0)) if k % 3 else plain
        level = np.uint8(2 - k % 2)
        folder.pair(
            k, f"image/m{k}.jpg", f"label/m{k}.png",
            lambda mask, save=save, level=level: save(mask * level), ANY,
        )  # fmt: skip


@levels(options="--lesion-level 1")
def two_classes_no_file_holds_both_one_chosen(folder):
    for k in TEN:
        level = np.uint8(2 - k % 2)
        truth = draw(k)[1] * (level == 1)
        folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", lambda m, by=level: m * by, truth)


@levels("named", says="--lesion-level")
def a_second_class_in_two_of_ten(folder):
    for k in TEN:
        save = mapped(0, 1, 2) if k in (4, 7) else plain
        folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", save, ANY)


@levels("either", says=r"\bm4\b|--lesion-level")
def one_file_holds_its_second_class_alone(folder):
    """Nine masks of {0, 1} and one of {0, 2}."""
    for k in TEN:
        save = (lambda mask: mask * np.uint8(2)) if k == 4 else plain
        folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", save, ANY if k == 4 else None)


@levels("named", says="--lesion-level")
def palette_of_two_colours(folder):
    save = mapped(0, 1, 2)
    folder_of(folder, lambda m: palette((128, 0, 0), (0, 128, 0))(save(m)), lambda mask: ANY)


@levels(options="--lesion-level 1")
def palette_of_two_colours_first(folder):
    save = mapped(0, 1, 2)
    folder_of(
        folder, lambda m: palette((128, 0, 0), (0, 128, 0))(save(m)), lambda m: m - core(m)
    )  # fmt: skip


@levels("named", says="--lesion-level")
def palette_of_two_colours_of_one_luminance(folder):
    """As gray the two classes look the same."""
    save = mapped(0, 1, 2)
    folder_of(folder, lambda m: palette((100, 0, 0), (0, 51, 0))(save(m)), lambda mask: ANY)


def red_and_green(mask):
    red, green = (mask - core(mask)), core(mask)
    return white(np.dstack([red, green, np.zeros_like(mask)]))


@levels("named", says=(r"#?ff0000|#?00ff00|red|255, 0, 0", "--lesion-level"))
def red_and_green_lesions(folder):
    folder_of(folder, red_and_green, lambda mask: ANY)


@levels(options="--lesion-level #00ff00")
def red_and_green_lesions_green(folder):
    folder_of(folder, red_and_green, core)


@levels("named", says=r"7", options="--lesion-level 7")
def a_level_that_no_mask_has(folder):
    folder_of(folder, mapped(0, 1, 2), lambda mask: ANY)


@levels("named", says="--lesion-level")
def instances_of_several_lesions(folder):
    def numbered(mask):
        second, third = (
            draw(70, centre=(0.9, 0.9), radius=3)[1],
            draw(71, (36, 48), (0.9, 0.1), 3)[1],
        )
        return np.maximum.reduce([mask, second * np.uint8(2), third * np.uint8(3)])

    folder_of(folder, numbered, lambda mask: ANY)


# --- what is no mask ------------------------------------------------------------------------------


@levels(says=r"outline")
def outlines_not_filled(folder):
    def outline(mask):
        return mask - core(mask) if core(mask).any() else ring(mask)

    folder_of(folder, lambda mask: white(outline(mask)), outline)


@levels("either", says=r"m[012]", always=True)
def photographs_among_masks(folder):
    folder_of(folder, white, ks=range(3, 10))
    for k in range(3):
        folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.png", draw(k)[0])
        folder.truth[f"image/m{k}.jpg"] = ANY


@levels("either", says=r"photo|picture|no mask|levels", always=True)
def nothing_but_photographs_for_masks(folder):
    for k in TEN:
        folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.jpg", draw(k)[0])
        folder.truth[f"image/m{k}.jpg"] = ANY


@levels("either", says=r"m[45]", always=True)
def overlays_among_masks(folder):
    folder_of(folder, white, ks=[k for k in TEN if k not in (4, 5)])
    for k in (4, 5):
        picture, mask = draw(k)
        folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.png", draw_outline(picture, {"prediction": mask}))
        folder.truth[f"image/m{k}.jpg"] = ANY


@levels("either", says=r"same|identical", always=True)
def one_mask_for_all_pictures(folder):
    folder_of(folder, lambda mask: white(draw(3)[1]), lambda mask: draw(3)[1])


@levels("either", says=r"47 x 36.*48 x 36", always=True)
def masks_one_pixel_narrower(folder):
    folder_of(folder, lambda mask: white(mask[:, :-1]), lambda mask: ANY)


@levels("either", says=r"24 x 18.*48 x 36", always=True)
def masks_of_half_the_size(folder):
    folder_of(folder, lambda mask: white(mask[::2, ::2]), lambda mask: ANY)


# --- further neighbours ---------------------------------------------------------------------------


@levels("named", says="--lesion-level")
def classes_of_which_the_test_part_holds_one(folder):
    """Scored alone, the masks of the test part would be {0, 2}: lesion and background."""
    for part, ks, save in (
        ("train", range(6), mapped(0, 1, 2)),
        ("test", range(6, 10), lambda mask: mask * np.uint8(2)),
    ):
        for k in ks:
            folder.pair(k, f"{part}/image/m{k}.jpg", f"{part}/label/m{k}.png", save, REFUSED)


@levels("either", says=r"level|m\d", always=False)
def parts_of_other_levels(folder):
    for part, ks, save in (("train", range(6), plain), ("test", range(6, 10), white)):
        for k in ks:
            folder.pair(k, f"{part}/image/m{k}.jpg", f"{part}/label/m{k}.png", save)


@levels(options="--lesion-level 0")
def lesions_black_on_white_chosen(folder):
    folder_of(folder, lambda mask: white(1 - mask))


@levels("named", says="--lesion-level|photograph|levels")
def jpeg_of_three_levels(folder):
    for k in TEN:
        folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.jpg", mapped(0, 128, 255)(draw(k)[1]), quality=92)
        folder.truth[f"image/m{k}.jpg"] = REFUSED


@levels("either", says=r"m3")
def one_stray_pixel_of_another_level(folder):
    for k in TEN:
        mask = folder.picture(k, f"image/m{k}.jpg")
        values = white(mask)
        if k == 3:
            values[0, 0] = 1
        folder.file(f"label/m{k}.png", values)
        folder.truth[f"image/m{k}.jpg"] = mask


@levels("either", says=r"m\d|photo|picture|level", always=True)
def lesions_cut_out_on_black(folder):
    for k in TEN:
        picture, mask = draw(k)
        folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.png", picture * mask[..., None])
        folder.truth[f"image/m{k}.jpg"] = ANY


@levels("either", says=r"m\d|photo|picture|level|invert", always=True)
def lesions_cut_out_on_white(folder):
    for k in TEN:
        picture, mask = draw(k)
        folder.picture(k, f"image/m{k}.jpg")
        folder.file(f"label/m{k}.png", np.where(mask[..., None] == 1, picture, np.uint8(255)))
        folder.truth[f"image/m{k}.jpg"] = ANY


@levels("either", says=r"m\d|photo|picture|level", always=True)
def probabilities_as_masks(folder):
    """Smooth from 0 to 255, as a network's output: where the lesion ends is anybody's guess."""
    for k in TEN:
        folder.picture(k, f"image/m{k}.jpg")
        y, x = np.mgrid[:36, :48]
        distance = np.hypot(x - 20 - k, y - 18)
        folder.file(f"label/m{k}.png", (255 * np.exp(-distance / 9)).astype(np.uint8))
        folder.truth[f"image/m{k}.jpg"] = ANY


@levels("either", says=r"m\d|colour|level|photo", always=True)
def heat_maps_as_masks(folder):
    import cv2

    for k in TEN:
        folder.picture(k, f"image/m{k}.jpg")
        y, x = np.mgrid[:36, :48]
        values = (255 * np.exp(-np.hypot(x - 20 - k, y - 18) / 9)).astype(np.uint8)
        folder.file(f"label/m{k}.png", cv2.applyColorMap(values, cv2.COLORMAP_JET))
        folder.truth[f"image/m{k}.jpg"] = ANY


@levels("either", says=r"m[0-4]", always=True)
def half_of_the_masks_inverted(folder):
    for k in TEN:
        save = (lambda mask: white(1 - mask)) if k < 5 else white
        folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", save, ANY if k < 5 else None)


@levels("either", says=r"empty", always=True)
def most_masks_empty(folder):
    for k in TEN:
        empty = np.zeros((36, 48), np.uint8)
        if k < 7:
            folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", np.zeros_like, empty)
        else:
            folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png")


@levels("either", says=r"box|rectangle", always=False)
def boxes_as_masks(folder):
    """Filled boxes around lesions are masks as they are drawn."""

    def box(mask):
        rows, columns = np.nonzero(mask)
        filled = np.zeros_like(mask)
        filled[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 1
        return filled

    folder_of(folder, lambda mask: white(box(mask)), box)


@levels("named", says=r"label|same|mask|picture")
def masks_that_are_the_pictures_themselves(folder):
    for k in TEN:
        folder.picture(k, f"image/m{k}.png")
        folder.file(f"label/m{k}.png", draw(k)[0])
        folder.truth[f"image/m{k}.png"] = REFUSED


@levels.parametrize
def test_levels(row, judge):
    judge(row)
