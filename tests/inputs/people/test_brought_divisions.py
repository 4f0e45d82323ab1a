"""A division that the person made is kept; one that is not understood is named."""

from bring import Table, draw, palette, plain, white

divisions = Table()
TEN = range(10)
RED = palette((128, 0, 0))
PARTS = {"train": range(6), "validation": (6, 7), "test": (8, 9)}
SHORT = {"train": "train", "validation": "val", "test": "test"}
LONG = {"train": "training", "validation": "validation", "test": "testing"}


def divided(folder, picture, mask, words=SHORT, parts=PARTS, save=white, **options):
    """Write the three parts; in the paths {part} stands for the word and {} for the number."""
    for part, ks in parts.items():
        for k in ks:
            word = words[part]
            paths = (path.format(k, part=word, Part=word.title()) for path in (picture, mask))
            folder.pair(k, *paths, save, part=part, **options)


def kept(name, picture, mask, words=SHORT, **more):
    def make(folder):
        divided(folder, picture, mask, words)

    make.__name__ = name
    divisions(**more)(make)


kept("parts_above_roles", "{part}/image/m{}.jpg", "{part}/label/m{}.png", quiet=True)
kept("parts_below_roles", "images/{part}/m{}.jpg", "masks/{part}/m{}.png")
kept("parts_of_a_dataset_folder", "dataset/{part}/images/m{}.jpg", "dataset/{part}/masks/m{}.png")
kept("parts_in_long_words", "{part}/images/m{}.jpg", "{part}/masks/m{}.png", LONG)
kept("parts_in_capitals", "{Part}/Images/m{}.jpg", "{Part}/Masks/m{}.png")
kept("parts_before_roles", "{part}_images/m{}.jpg", "{part}_masks/m{}.png")
kept("parts_behind_roles", "images_{part}/m{}.jpg", "masks_{part}/m{}.png")
kept("parts_behind_hyphens", "images-{part}/m{}.jpg", "labels-{part}/m{}.png")
kept(
    "parts_with_masks_beside",
    "{part}/ISIC_00000{:02}.jpg",
    "{part}/ISIC_00000{:02}_segmentation.png",
)
kept("ade20k", "images/{part}/m{}.jpg", "annotations/{part}/m{}.png", LONG)
kept(
    "mmsegmentation",
    "data/mole/img_dir/{part}/m{}.jpg",
    "data/mole/ann_dir/{part}/m{}.png",
    right="either",
    says=r"img_dir|no picture|ann_dir",
)
kept("parts_below_class_folders", "nevus/{part}/image/m{}.jpg", "nevus/{part}/label/m{}.png")


def same_names(folder, picture, mask, words=SHORT):
    for part, ks in PARTS.items():
        for number, k in enumerate(ks):
            paths = (path.format(number, part=words[part]) for path in (picture, mask))
            folder.pair(k, *paths, part=part)


@divisions()
def same_names_in_each_part(folder):
    same_names(folder, "{part}/images/{}.png", "{part}/masks/{}.png")


@divisions()
def same_names_in_each_part_below_roles(folder):
    same_names(folder, "images/{part}/{}.png", "masks/{part}/{}.png")


@divisions()
def same_names_in_train_images_and_test_images(folder):
    same_names(folder, "{part}_images/{}.png", "{part}_masks/{}.png")


@divisions()
def a_test_part_without_masks(folder):
    folder.pairs(range(8), "train_images/m{}.jpg", "train_masks/m{}.png", part="train")
    for k in (8, 9):
        folder.picture(k, f"test_images/m{k}.jpg", part="test")


@divisions()
def class_folders_in_each_part(folder):
    for part, ks in PARTS.items():
        for k in ks:
            place = f"{SHORT[part]}/{{}}/{'nevus' if k % 2 else 'melanoma'}/{k // 2}"
            folder.pair(
                k, place.format("images") + ".jpg", place.format("masks") + ".png", part=part
            )


@divisions()
def nnunet_raw(folder):
    """`imagesTr/X_0000.png` + `labelsTr/X.png` of 0 and 1, `imagesTs/` without labels."""
    folder.pairs(
        TEN, "imagesTr/mole_{:03}_0000.png", "labelsTr/mole_{:03}.png", plain, part="train"
    )
    folder.picture(60, "imagesTs/mole_100_0000.png", part="test")
    folder.file("dataset.json", '{"labels": {"background": 0, "lesion": 1}, "numTraining": 10}')


@divisions()
def nnunet_raw_with_labels_of_the_test(folder):
    folder.pairs(range(8), "imagesTr/m_{:03}_0000.png", "labelsTr/m_{:03}.png", plain, part="train")
    folder.pairs((8, 9), "imagesTs/m_{:03}_0000.png", "labelsTs/m_{:03}.png", plain, part="test")
    folder.file("dataset.json", "{}")


@divisions("either", says=r"_0001|channel|several")
def nnunet_raw_of_two_channels(folder):
    """The second channel of a picture is no picture of its own."""
    folder.pairs(range(8), "imagesTr/m_{:03}_0000.png", "labelsTr/m_{:03}.png", plain)
    for k in range(8):
        folder.file(f"imagesTr/m_{k:03}_0001.png", draw(k)[0][..., 0])


def id_lists(folder, place, **lists):
    for name, ks in lists.items():
        folder.file(f"{place}{name}.txt", "".join(f"m{k}\n" for k in ks))


@divisions(quiet=True)
def id_lists_beside_image_and_label(folder):
    divided(folder, "image/m{}.jpg", "label/m{}.png")
    id_lists(folder, "", train=range(6), val=(6, 7), test=(8, 9))


@divisions()
def id_lists_beside_the_one_folder_of_the_data(folder):
    divided(folder, "dataset/image/m{}.jpg", "dataset/label/m{}.png")
    id_lists(folder, "", train=range(6), val=(6, 7), test=(8, 9))


@divisions("either", says=r"train\.txt")
def id_lists_with_paths(folder):
    divided(folder, "image/m{}.jpg", "label/m{}.png")
    for part, ks in PARTS.items():
        folder.file(f"{SHORT[part]}.txt", "".join(f"image/m{k}.jpg\n" for k in ks))


@divisions("either", says=r"val_ids\.txt|lists|splits|divi")
def id_lists_in_a_folder_of_their_own(folder):
    divided(folder, "image/m{}.jpg", "label/m{}.png")
    id_lists(folder, "splits/", train=range(6), val=(6, 7), test=(8, 9))


def voc(folder, save=RED, **lists):
    for k in TEN:
        part = next((part for part, ks in lists.items() if k in ks), None)
        folder.pair(k, f"JPEGImages/m{k}.jpg", f"SegmentationClass/m{k}.png", save, part=part)
        folder.file(f"SegmentationObject/m{k}.png", draw(k)[1])
    words = {SHORT[part]: ks for part, ks in lists.items()}
    id_lists(folder, "ImageSets/Segmentation/", **words)
    folder.file(
        "labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\nlesion:128,0,0::\n"
    )


@divisions()
def voc_with_one_list(folder):
    """What CVAT exports: every picture is in train.txt."""
    voc(folder, train=TEN)


@divisions()
def voc_with_three_lists(folder):
    voc(folder, **PARTS)


@divisions("either", says=r"labelmap\.txt")
def voc_with_indices_instead_of_colours(folder):
    voc(folder, plain, **PARTS)


@divisions("either", says=r"default\.txt")
def voc_with_a_list_of_cvat(folder):
    voc(folder)
    id_lists(folder, "ImageSets/Segmentation/", default=TEN)


# --- seen, but not understood ---------------------------------------------------------------------


@divisions("either", says=r"fold[_ ]?\d|folds", always=True, undivided=True)
def folds_as_folders(folder):
    for k in TEN:
        folder.pair(k, f"fold_{k % 5}/image/m{k}.jpg", f"fold_{k % 5}/label/m{k}.png")


@divisions("either", says=r"fold[_ ]?\d|folds", always=True, undivided=True)
def folds_below_roles(folder):
    for k in TEN:
        folder.pair(k, f"images/fold{k % 5}/m{k}.jpg", f"masks/fold{k % 5}/m{k}.png")


@divisions("either", says=r"fold[_ ]?\d|folds", always=True, undivided=True)
def folds_as_lists(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    for fold in range(5):
        id_lists(folder, "", **{f"fold_{fold}": (2 * fold, 2 * fold + 1)})


def in_a_column(folder, name, column, word):
    """Write ten pairs and a table with a column that divides them."""
    for k in TEN:
        part = "test" if k > 7 else "train"
        folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", part=part)
    rows = "".join(f"m{k}.jpg,L{k},{word('test' if k > 7 else 'train', k)}\n" for k in TEN)
    folder.file(name, f"image_id,lesion_id,{column}\n" + rows)


@divisions(says=r"metadata\.csv")
def a_column_of_the_metadata(folder):
    in_a_column(folder, "metadata.csv", "split", lambda part, k: part)


@divisions(says=r"split\.csv")
def a_table_of_its_own(folder):
    in_a_column(folder, "split.csv", "set", lambda part, k: part.title())


@divisions("either", says=r"fold", always=True, undivided=True)
def a_column_of_numbered_folds(folder):
    in_a_column(folder, "metadata.csv", "fold", lambda part, k: str(k % 5))


@divisions("either", says=r"splits_final\.json", always=True, undivided=True)
def a_division_of_nnunet(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    folder.file("splits_final.json", '[{"train": ["m0", "m1"], "val": ["m2", "m3"]}]')


@divisions("either", says=r"\bdev\b|holdout", always=True, undivided=True)
def parts_in_words_of_their_own(folder):
    for part, ks in (("train", range(6)), ("dev", (6, 7)), ("holdout", (8, 9))):
        folder.pairs(ks, part + "/image/m{}.jpg", part + "/label/m{}.png")


@divisions("either", says=r"only_here|train")
def one_part_only(folder):
    folder.pairs(TEN, "only_here/train/image/m{}.jpg", "only_here/train/label/m{}.png")


# --- no division ----------------------------------------------------------------------------------


@divisions(quiet=True)
def a_name_with_test_in_it(folder):
    folder.pairs(TEN, "test_of_2023/image/contest{}.jpg", "test_of_2023/label/contest{}.png")


@divisions()
def pictures_named_after_parts(folder):
    for k in TEN:
        name = f"{'test' if k > 7 else 'train'}_{k}"
        folder.pair(k, f"image/{name}.jpg", f"label/{name}.png")


@divisions("either", says=r"train and test share", always=True, check_only=True)
def one_picture_in_two_parts(folder):
    divided(folder, "images/{part}/m{}.jpg", "masks/{part}/m{}.png")
    picture, mask = draw(3)
    folder.file("images/train/m3.png", picture)
    folder.file("images/test/copy.png", picture)
    folder.file("masks/test/copy.png", white(mask))
    (folder.root / "images/train/m3.jpg").unlink()
    for name, part in (("images/train/m3.png", "train"), ("images/test/copy.png", "test")):
        folder.truth[name], folder.parts[name] = mask, part
    del folder.truth["images/train/m3.jpg"], folder.parts["images/train/m3.jpg"]


@divisions("either", says=r"train_ids|divi|list", always=False)
def id_lists_called_ids(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    id_lists(folder, "", train_ids=range(6), val_ids=(6, 7), test_ids=(8, 9))
    folder.parts.update({f"image/m{k}.jpg": part for part, ks in PARTS.items() for k in ks})


@divisions("either", says=r"train\.csv|divi", always=False)
def tables_of_paths_for_each_part(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    for part, ks in PARTS.items():
        rows = "".join(f"image/m{k}.jpg,label/m{k}.png\n" for k in ks)
        folder.file(f"{SHORT[part]}.csv", "image,mask\n" + rows)
    folder.parts.update({f"image/m{k}.jpg": part for part, ks in PARTS.items() for k in ks})


@divisions("either", says=r"fold", always=True, undivided=True)
def lists_of_folds(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    for fold in range(2):
        id_lists(folder, "", **{f"train_fold{fold}": range(6), f"val_fold{fold}": range(6, 10)})


@divisions("either", says=r"train\.txt|list", always=True)
def lists_that_contradict_the_folders(folder):
    divided(folder, "{part}/image/m{}.jpg", "{part}/label/m{}.png")
    id_lists(folder, "", train=range(4, 10), val=(0, 1), test=(2, 3))
    folder.parts = {}


@divisions()
def a_test_part_without_masks_below_roles(folder):
    folder.pairs(range(8), "images/train/m{}.jpg", "masks/train/m{}.png", part="train")
    for k in (8, 9):
        folder.picture(k, f"images/test/m{k}.jpg", part="test")


@divisions("either", says=r"trainval|train_val", always=True, undivided=True)
def training_and_validation_in_one_folder(folder):
    for part, ks in (("trainval", range(8)), ("test", (8, 9))):
        folder.pairs(ks, part + "/image/m{}.jpg", part + "/label/m{}.png")


@divisions("either", says=r"train\.txt", always=True)
def id_lists_of_names_that_two_pictures_share(folder):
    for kind, first in (("melanoma", 0), ("nevus", 50)):
        for number in range(5):
            place = f"{{}}/{kind}/{number:03}"
            folder.pair(
                first + number, place.format("image") + ".jpg", place.format("label") + ".png"
            )
    folder.file("train.txt", "000\n001\n002\n")
    folder.file("test.txt", "003\n004\n")


@divisions("either", says=r"m[5-9]", always=True)
def id_lists_that_leave_pictures_out(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    id_lists(folder, "", train=range(5))


@divisions("either", says=r"train_1|train_2|divi", always=False)
def a_training_part_in_two_folders(folder):
    for part, word, ks in (("train", "train_1", range(3)), ("train", "train_2", range(3, 6)),
                           ("test", "test", range(6, 10))):  # fmt: skip
        folder.pairs(ks, word + "/image/m{}.jpg", word + "/label/m{}.png", part=part)


@divisions("either", says=r"train|divi", always=False)
def train_and_val_below_train(folder):
    for part, ks in PARTS.items():
        place = "test" if part == "test" else f"train/{SHORT[part]}"
        folder.pairs(ks, place + "/image/m{}.jpg", place + "/label/m{}.png", part=part)


@divisions("either", says=r"holdout|eval", always=True, undivided=True)
def holdout_and_eval(folder):
    for word, ks in (("train", range(6)), ("holdout", (6, 7)), ("eval", (8, 9))):
        folder.pairs(ks, word + "/image/m{}.jpg", word + "/label/m{}.png")


@divisions("either", says=r"set_a|set_b|clinic", always=False)
def two_clinics(folder):
    for word, ks in (("clinic_a", range(5)), ("clinic_b", range(5, 10))):
        folder.pairs(ks, word + "/image/m{}.jpg", word + "/label/m{}.png")


@divisions.parametrize
def test_divisions(row, judge):
    judge(row)


def test_predict_takes_the_pictures_of_every_part(brought, run_command, scored, tmp_path):
    same_names(brought, "images/{part}/{}.png", "masks/{part}/{}.png")
    code, _, errors = run_command("predict", brought.root, "--out", tmp_path / "out")
    assert code == 0, errors
    assert len(list((tmp_path / "out").rglob("*_mask.png"))) == 10
