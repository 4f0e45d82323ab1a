"""Names and places: which mask belongs to which picture, and what is neither."""

import shutil

import numpy as np
from bring import ANY, Table, draw, plain, white
from PIL import Image

from lesion.masks import PREDICTED, draw_outline

names, results = Table(), Table()
TEN = range(10)


# --- one naming rule for the whole folder ---------------------------------------------------------


@names(quiet=True)
def image_and_label(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")


@names()
def roboflow_masks_beside_pictures(folder):
    """X_mask.png beside X.jpg, with the levels 0 and 1, in train/, valid/ and test/."""
    for part, its_name, ks in (
        ("train", "train", range(8)),
        ("validation", "valid", (8, 9)),
        ("test", "test", (10, 11)),
    ):
        stem = f"{its_name}/mole{{0}}_jpg.rf.{{0:08x}}"
        folder.pairs(ks, f"{stem}.jpg", f"{stem}_mask.png", plain, part=part)
        folder.file(f"{its_name}/_classes.csv", "Pixel Value, Class\n0, background\n1, lesion\n")


@names(says=r"_mask_1|united")
def busi_two_masks_of_one_picture(folder):
    folder.pairs(range(1, 7), "benign ({}).png", "benign ({})_mask.png")
    second = draw(31, centre=(0.8, 0.8), radius=5)[1]
    folder.file("benign (2)_mask_1.png", white(second))
    folder.truth["benign (2).png"] = folder.truth["benign (2).png"] | second


@names(says=r"_mask_2|united")
def busi_three_masks_of_one_picture(folder):
    busi_two_masks_of_one_picture(folder)
    third = draw(32, centre=(0.9, 0.1), radius=4)[1]
    folder.file("benign (2)_mask_2.png", white(third))
    folder.truth["benign (2).png"] = folder.truth["benign (2).png"] | third


@names()
def masks_named_after_the_whole_file(folder):
    folder.pairs(TEN, "images/m{}.jpg", "masks/m{}.jpg.png")


@names()
def whole_file_names_of_three_kinds(folder):
    for k, end in enumerate(("jpg", "JPG", "png", "jpeg", "tif")):
        folder.pair(k, f"images/m{k}.{end}", f"masks/m{k}.{end}.png")


@names()
def seg_behind_the_name(folder):
    folder.pairs(TEN, "images/X{}.jpg", "masks/X{}_seg.png")


@names()
def seg_beside_the_picture(folder):
    folder.pairs(TEN, "X{}.jpg", "X{}_seg.png")


@names()
def mask_behind_a_hyphen(folder):
    folder.pairs(TEN, "photos/X{}.jpg", "photos/X{}-mask.png")


@names()
def segmentation_beside_numbered_pictures(folder):
    folder.pairs(range(1, 13), "train{}.jpg", "train{}_segmentation.png")


@names()
def mask_1_and_image_1(folder):
    folder.pairs(range(1, 12), "images/image_{}.png", "masks/mask_{}.png")


@names()
def prefixes_in_one_folder(folder):
    folder.pairs(range(1, 12), "image_{}.png", "mask_{}.png")


@names("either", says=r"seg0")
def img001_and_seg001(folder):
    folder.pairs(range(1, 8), "img{:03}.png", "seg{:03}.png")


@names("either", says=r"lesion_0|skin_0")
def both_folders_with_words_of_their_own(folder):
    folder.pairs(range(1, 8), "photos/skin_{:03}.jpg", "masks/lesion_{:03}.png")


@names("either", says=r"photos|no picture")
def folders_called_photos_and_masks(folder):
    folder.pairs(range(1, 8), "photos/{}.jpg", "masks/{}.png")


@names("either", says=r"clinic_a|no picture")
def folders_whose_names_say_nothing(folder):
    """By the names of their files alone, the one holds the masks of the other."""
    folder.pairs(range(1, 8), "clinic_a/{}.jpg", "clinic_a_drawn/{}.png")


@names()
def mask_before_the_name(folder):
    folder.pairs(TEN, "images/ISIC_00100{:02}.jpg", "masks/mask_ISIC_00100{:02}.png")


@names()
def mask_before_the_name_of_a_camera(folder):
    folder.pairs(TEN, "images/IMG_{:04}.jpg", "masks/mask_IMG_{:04}.png")


@names()
def masks_named_after_the_whole_file_beside_it(folder):
    folder.pairs(TEN, "m{}.jpg", "m{}.jpg.png")


@names()
def downsampled_pictures(folder):
    folder.pairs(
        TEN, "images/ISIC_00000{:02}_downsampled.jpg", "masks/ISIC_00000{:02}_segmentation.png"
    )


@names()
def suffixes_in_capitals(folder):
    folder.pairs(TEN, "IMAGES/M{}.JPG", "MASKS/M{}_MASK.PNG")


@names(quiet=True)
def dots_within_names(folder):
    folder.pairs(TEN, "image/mole.{}.v2.jpg", "label/mole.{}.v2.png")


@names(quiet=True)
def pictures_whose_own_names_end_in_mask(folder):
    folder.pairs(TEN, "image/smile{}_mask.jpg", "label/smile{}_mask.png")


@names("either", says=r"01\.jpg|1\.png")
def zeros_before_numbers_on_one_side_only(folder):
    folder.pairs(range(1, 12), "images/{:03}.jpg", "masks/{}.png")


@names("either", says=r"b\d+\.png|a\d+\.jpg")
def numbers_that_only_seem_to_fit(folder):
    """The masks of other pictures: what is alike is the number only, and not of all."""
    for k in range(5):
        folder.picture(k, f"images/a{k}.jpg")
        folder.file(f"masks/b{k + 2}.png", white(draw(40 + k)[1]))


@names("either", says=r"m4_mask|m3_seg|several")
def two_rules_in_one_folder(folder):
    for k in TEN:
        folder.pair(k, f"images/m{k}.jpg", f"masks/m{k}_{'seg' if k % 2 else 'mask'}.png")


@names("named", says=r"m3")
def two_different_masks_by_two_names(folder):
    folder.pairs(TEN, "images/m{}.jpg", "masks/m{}_mask.png")
    folder.file("masks/m3_segmentation.png", white(draw(50)[1]))


@names("named", says=r"m7\.jpg")
def one_mask_is_missing_beside_the_pictures(folder):
    folder.pairs(range(7), "m{}.jpg", "m{}_mask.png")
    folder.picture(7, "m7.jpg")


@names("named", says=r"m9_mask\.png")
def one_picture_is_missing_beside_the_masks(folder):
    folder.pairs(range(7), "m{}.jpg", "m{}_mask.png")
    folder.file("m9_mask.png", white(draw(9)[1]))


@names("named", says=r"task-\d")
def label_studio_brush_names_without_its_json(folder):
    for k in range(6):
        folder.picture(k, f"images/{k:08x}-mole_{k}.jpg")
        folder.truth[f"images/{k:08x}-mole_{k}.jpg"] = ANY
        for tag in range(1 + (k == 1)):
            folder.file(
                f"masks/task-{k + 3}-annotation-{k + 3}-by-1-tag-lesion-{tag}.png",
                white(draw(k + 20 * tag)[1]),
            )


# --- class folders --------------------------------------------------------------------------------


def both_classes(folder, picture, mask, **options):
    for name, ks in (("melanoma", range(5)), ("nevus", range(50, 55))):
        for number, k in enumerate(ks):
            paths = (path.format(name, number) for path in (picture, mask))
            folder.pair(k, *paths, **options)


@names()
def class_folders_below_image_and_label(folder):
    both_classes(folder, "image/{}/{:03}.jpg", "label/{}/{:03}.png")


@names()
def image_and_label_below_class_folders(folder):
    both_classes(folder, "{}/image/{:03}.jpg", "{}/label/{:03}.png")


@names()
def class_folders_with_masks_beside_the_pictures(folder):
    """BUSI as unpacked: benign/, malignant/ and, with empty masks, normal/."""
    for name, ks in (("benign", range(1, 5)), ("malignant", range(11, 15))):
        for number, k in enumerate(ks, 1):
            stem = f"Dataset_BUSI_with_GT/{name}/{name} ({number})"
            folder.pair(k, f"{stem}.png", f"{stem}_mask.png")
    for number in range(1, 4):
        stem = f"Dataset_BUSI_with_GT/normal/normal ({number})"
        picture = np.random.default_rng(number).integers(150, 200, (36, 48, 3), np.uint8)
        empty = np.zeros((36, 48), np.uint8)
        folder.pair(
            60 + number, f"{stem}.png", f"{stem}_mask.png", np.zeros_like, empty, drawn=picture
        )


@names()
def class_folders_of_classes_below_both(folder):
    for k, inner in enumerate(("a/b", "a/c", "d/b", "d/c") * 3):
        folder.pair(k, f"images/{inner}/{k // 4}.jpg", f"masks/{inner}/{k // 4}.png")


@names("named", says=r"001\.jpg|several")
def class_folders_of_pictures_but_not_of_masks(folder):
    """Two pictures are called 001, one mask is: nobody can know of which it is."""
    for name, ks in (("melanoma", range(5)), ("nevus", range(50, 55))):
        for number, k in enumerate(ks):
            folder.picture(k, f"image/{name}/{number:03}.jpg")
    for number in range(5):
        folder.file(f"label/{number:03}.png", white(draw(number)[1]))


@names()
def patients_and_visits(folder):
    for k in TEN:
        place = f"patient_{k // 3}/visit_{k % 3}"
        folder.pair(k, f"{place}/image/lesion.jpg", f"{place}/mask/lesion.png")


# --- what `predict` wrote -------------------------------------------------------------------------


def predictions(folder, place, ks=TEN, stem="m{}", mark=True, overlay=True, table=True):
    """Write into a folder what `predict` does; mark: the text that it writes into its masks."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    if mark:
        info.add_text(*PREDICTED)
    for k in ks:
        picture, mask = draw(k)
        mask = np.roll(mask, 3, axis=1)  # a prediction is never quite right
        path = folder.root / place / f"{stem.format(k)}_mask.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(white(mask)).save(path, pnginfo=info)
        if overlay:
            outlined = draw_outline(picture, {"prediction": mask})
            Image.fromarray(outlined).save(path.with_name(f"{stem.format(k)}_overlay.png"))
    if table:
        rows = "".join(f"{stem.format(k)},36,48,0.1,0.9\n" for k in ks)
        folder.file(f"{place}/lesions.csv", "name,height,width,area,quality\n" + rows)


def unlabelled(folder, path="m{}.jpg"):
    for k in TEN:
        folder.picture(k, path.format(k))


NO_TRUTH = r"lesions\.csv|predict"


@results("named", says=NO_TRUTH)
def own_predictions_in_masks(folder):
    unlabelled(folder)
    predictions(folder, "masks", mark=False)


@results("named", says=NO_TRUTH)
def own_predictions_in_label_beside_image(folder):
    unlabelled(folder, "image/m{}.jpg")
    predictions(folder, "label")


@results("named", says=NO_TRUTH)
def own_predictions_beside_the_pictures(folder):
    unlabelled(folder)
    predictions(folder, ".")


@results("named", says=NO_TRUTH)
def own_predictions_without_their_table(folder):
    unlabelled(folder, "images/m{}.jpg")
    predictions(folder, "masks", mark=False, table=False)


@results("named", says=NO_TRUTH)
def own_predictions_without_overlays_or_table(folder):
    unlabelled(folder, "images/m{}.jpg")
    predictions(folder, "ground_truth", overlay=False, table=False)


@results("named", says=NO_TRUTH)
def own_predictions_renamed_after_their_pictures(folder):
    unlabelled(folder, "image/m{}.jpg")
    predictions(folder, "label", overlay=False, table=False)
    for path in sorted((folder.root / "label").iterdir()):
        path.rename(path.with_name(path.name.replace("_mask", "")))


@results("named", says=NO_TRUTH)
def own_predictions_renamed_as_segmentations(folder):
    unlabelled(folder, "ISIC_00000{:02}.jpg")
    predictions(folder, ".", stem="ISIC_00000{:02}", overlay=False, table=False)
    for path in sorted(folder.root.glob("*_mask.png")):
        path.rename(path.with_name(path.name.replace("_mask", "_segmentation")))


@results("named", says=NO_TRUTH)
def own_predictions_below_a_run_folder(folder):
    unlabelled(folder, "image/m{}.jpg")
    predictions(folder, "runs/masks-2026-01-01")


@results()
def own_predictions_beside_the_truth(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    predictions(folder, "masks")


@results()
def own_predictions_among_the_pictures_of_a_labelled_folder(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    predictions(folder, "image")


@results()
def own_predictions_in_the_folder_of_the_truth(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    predictions(folder, "label")


@results("either", says=r"m3")
def one_prediction_among_the_truth(folder):
    """A person fills the gap of the one picture that has no mask yet."""
    folder.pairs([k for k in TEN if k != 3], "image/m{}.jpg", "label/m{}.png")
    folder.picture(3, "image/m3.jpg")
    predictions(folder, "label", [3], overlay=False, table=False)
    (folder.root / "label/m3_mask.png").rename(folder.root / "label/m3.png")


@results()
def predictions_corrected_by_hand_are_truth(folder):
    """Saved anew by a paint program, which keeps no text, and moved to label/."""
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}_mask.png")


# --- further neighbours ---------------------------------------------------------------------------


@names("either", says=r"several|m0")
def jpeg_picture_and_png_mask_of_one_name_in_one_folder(folder):
    folder.pairs(TEN, "m{}.jpg", "m{}.png")


@names("either", says=r"_img|_seg|no picture has a mask")
def words_behind_both_names(folder):
    folder.pairs(TEN, "X{}_img.png", "X{}_seg.png")


@names("either", says=r"_image|_label")
def words_behind_both_names_in_two_folders(folder):
    folder.pairs(TEN, "images/X{}_image.png", "labels/X{}_label.png")


@names("either", says=r"united|several")
def two_numbered_masks_of_every_picture(folder):
    for k in TEN:
        folder.pair(k, f"images/m{k}.jpg", f"masks/m{k}_mask_0.png")
        second = draw(k, centre=(0.9, 0.9), radius=3)[1]
        folder.file(f"masks/m{k}_mask_1.png", white(second))
        folder.truth[f"images/m{k}.jpg"] = folder.truth[f"images/m{k}.jpg"] | second


@names("either", says=r"image\.jpg|several|no picture")
def one_folder_for_each_picture(folder):
    folder.pairs(TEN, "case{:02}/image.jpg", "case{:02}/mask.png")


@names("either", says=r"c1\.jpg|no picture")
def one_folder_for_each_named_picture(folder):
    folder.pairs(TEN, "c{0}/c{0}.jpg", "c{0}/c{0}_mask.png")


@names("either", says=r"img_1|IMG_1", always=False)
def capitals_on_one_side_only(folder):
    folder.pairs(TEN, "images/IMG_{}.JPG", "masks/img_{}.png")


@names("named", says=r"m0|label_old|several")
def an_older_version_of_the_masks(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    for k in TEN:
        folder.file(f"label_old/m{k}.png", white(draw(k + 30)[1]))


@names("either", says=r"m0|several|label_B", always=True)
def two_annotators_in_folders_of_their_own(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label_A/m{}.png")
    for k in TEN:
        folder.file(f"label_B/m{k}.png", white(np.roll(draw(k)[1], 2, 1)))
        folder.truth[f"image/m{k}.jpg"] = ANY


@names("either", says=r"masked|several|m0")
def pictures_with_a_blackened_background_beside(folder):
    """masked_images/ holds cut-outs, which are neither pictures of their own nor masks."""
    for k in TEN:
        picture, mask = draw(k)
        folder.pair(k, f"images/m{k}.png", f"masks/m{k}.png")
        folder.file(f"masked_images/m{k}.png", picture * mask[..., None])


@names("either", says=r"unlabel", always=True)
def unlabelled_pictures_beside(folder):
    folder.pairs(TEN, "image/m{}.jpg", "label/m{}.png")
    for k in range(60, 65):
        folder.file(f"unlabeled/u{k}.jpg", draw(k)[0])


@names("either", says=r"augment|several|m0")
def augmented_copies_beside(folder):
    folder.pairs(TEN, "images/m{}.png", "masks/m{}.png")
    for k in TEN:
        picture, mask = draw(k)
        folder.file(f"images_augmented/m{k}.png", picture[:, ::-1].copy())
        folder.file(f"masks_augmented/m{k}.png", white(mask[:, ::-1].copy()))
        folder.truth[f"images_augmented/m{k}.png"] = mask[:, ::-1]


@names()
def copies_that_a_browser_numbered(folder):
    folder.pairs(TEN, "images (1)/m{}.jpg", "masks (1)/m{}.png")


@names("either", says=r"original|segmented|no picture")
def original_and_segmented(folder):
    folder.pairs(TEN, "original/m{}.jpg", "segmented/m{}.png")


@names("either", says=r"m[0-4]_|several", always=True)
def masks_of_two_people_beside_the_pictures(folder):
    """m0_anna.png and m0_ben.png: two truths of one picture, not two lesions."""
    for k in range(5):
        folder.picture(k, f"images/m{k}.jpg")
        folder.truth[f"images/m{k}.jpg"] = ANY
        for name, shift in (("anna", 0), ("ben", 3)):
            folder.file(f"masks/m{k}_{name}.png", white(np.roll(draw(k)[1], shift, 1)))


@names("either", says=r"m\d", always=False)
def masks_numbered_from_another_start(folder):
    """Pictures 0 to 9, masks 1 to 10: the names that agree belong to other lesions."""
    for k in TEN:
        folder.picture(k, f"images/m{k}.jpg")
        folder.file(f"masks/m{k + 1}.png", white(draw(k)[1]))
        folder.truth[f"images/m{k}.jpg"] = ANY


@results()
def a_run_folder_with_its_figures_among_the_data(folder):
    """What `train --out DATA/runs/mine` leaves: curves and galleries are no pictures of skin."""
    for k in TEN:
        folder.pair(k, f"image/m{k}.jpg", f"label/m{k}.png", group=f"L{k // 2}")
    folder.file("metadata.csv", "image_id,lesion_id\n" + "".join(f"m{k},L{k // 2}\n" for k in TEN))
    for name in ("curves", "gallery", "worst", "architecture", "errors"):
        folder.file(f"runs/mine/figures/{name}.png", draw(60)[0])
        folder.file(f"runs/mine/{name}.png", draw(61)[0])
    folder.file("runs/mine/model.json", "{}")
    folder.file("runs/mine/scores.csv", "name,dice\n")


@results("named", says=NO_TRUTH)
def own_predictions_in_class_folders(folder):
    for k in TEN:
        folder.picture(k, f"images/{'nevus' if k % 2 else 'melanoma'}/m{k}.jpg")
    for k in TEN:
        predictions(folder, f"masks/{'nevus' if k % 2 else 'melanoma'}", [k])


@results("named", says=NO_TRUTH)
def own_predictions_of_which_one_was_corrected(folder):
    """Nine of ten are as they were: one corrected mask is too little to train on."""
    unlabelled(folder, "images/m{}.jpg")
    predictions(folder, "masks", overlay=False, table=False)
    folder.file("masks/m3_mask.png", white(draw(3)[1]))
    folder.truth["images/m3.jpg"] = draw(3)[1]


@names.parametrize
def test_names(row, judge):
    judge(row)


@results.parametrize
def test_results_of_predict_are_neither_truth_nor_pictures(row, judge):
    judge(row)


def test_what_predict_really_wrote_is_no_truth_wherever_it_lies(
    brought, run_command, scored, tmp_path
):
    unlabelled(brought, "images/m{}.jpg")
    out, data = tmp_path / "out", tmp_path / "data"
    assert run_command("predict", data / "images", "--out", out)[0] == 0
    assert len(list(out.glob("*_mask.png"))) == 10
    for number, name in enumerate(("masks", "label", "truth", "images", "annotations/mine")):
        folder = tmp_path / f"copy{number}"
        shutil.copytree(data, folder)
        shutil.copytree(out, folder / name, dirs_exist_ok=True)
        (folder / name / "lesions.csv").unlink()
        for overlay in (folder / name).glob("*_overlay.png"):
            overlay.unlink()
        code, output, _ = run_command("check", folder)
        assert "10, of which 0 with a mask" in output, (name, output)
        assert code == 1 or "passed over" in output, (name, output)


def test_predict_does_not_predict_its_own_results(brought, run_command, scored, tmp_path):
    unlabelled(brought)
    for place in (".", "masks", "label", "results"):
        predictions(brought, place, mark=False)
    code, output, _ = run_command("predict", brought.root, "--out", tmp_path / "out")
    assert code == 0, output
    assert len(list((tmp_path / "out").glob("*_mask.png"))) == 10


def test_no_result_overwrites_another(brought, run_command, scored, tmp_path):
    both_classes(brought, "image/{}/{:03}.jpg", "label/{}/{:03}.png")
    code, _, errors = run_command("predict", brought.root, "--out", tmp_path / "out")
    assert code == 0, errors
    masks = sorted((tmp_path / "out").rglob("*_mask.png"))
    assert len(masks) == 10
    truths = {truth.tobytes() for truth in brought.truth.values()}
    shapes = {np.asarray(Image.open(mask)).shape for mask in masks}
    assert (len(truths), shapes) == (10, {(36, 48)})
    for path in masks:  # each is nearest to the truth of the picture that it is named after
        number = int("".join(c for c in path.name if c.isdigit()))
        kind = "melanoma" if "melanoma" in path.as_posix() else "nevus"
        predicted = np.asarray(Image.open(path)) > 0
        apart = {k: (truth != predicted).sum() for k, truth in brought.truth.items()}
        assert min(apart, key=apart.get) == f"image/{kind}/{number:03}.jpg"
