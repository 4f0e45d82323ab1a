"""find_pairs: every published layout, exact pairing, clear complaints."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import write_mask, write_pairs, write_picture

from lesion.console import InputError
from lesion.inputs.folders import natural_key
from lesion.inputs.pairing import find_pairs


def as_written(folder, root):
    """{name: (picture, mask)} with paths relative to root."""
    return {
        pair.name: tuple(
            path and path.relative_to(root).as_posix() for path in (pair.image, pair.mask)
        )
        for pair in folder.pairs
    }


def write_files(root, *files):
    for file in files:
        stem = Path(file).stem.casefold()
        is_mask = stem.endswith(("_segmentation", "_lesion")) or "label/" in file.casefold()
        (write_mask if is_mask else write_picture)(root / file)


# --- layouts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image_folder", "mask_folder"),
    [
        ("image", "label"),
        ("images", "masks"),
        ("images", "labels"),
        ("Image", "Mask"),
        ("IMAGES", "GT"),
        ("imgs", "ground_truth"),
        ("input images", "segmentation masks"),
    ],
)
def test_two_folders(tmp_path, image_folder, mask_folder):
    for name in ("10", "2", "1"):
        write_picture(tmp_path / image_folder / f"{name}.jpg")
        write_mask(tmp_path / mask_folder / f"{name}.png")
    folder = find_pairs(tmp_path)
    assert as_written(folder, tmp_path) == {
        name: (f"{image_folder}/{name}.jpg", f"{mask_folder}/{name}.png")
        for name in ("1", "2", "10")
    }
    assert [pair.name for pair in folder.pairs] == ["1", "2", "10"]
    assert folder.layout == f"{image_folder}/ + {mask_folder}/"
    assert folder.problems == []
    assert folder.labelled == folder.pairs
    assert all(pair.group == pair.name for pair in folder.pairs)


@pytest.mark.parametrize(
    "files",
    [
        ("ISIC_0000001.jpg", "ISIC_0000001_segmentation.png"),
        ("isic_0000001.JPG", "ISIC_0000001_Segmentation.PNG"),
        ("images/ISIC_0000001.jpg", "masks/ISIC_0000001_segmentation.png"),
        ("images/ISIC_0000001.jpg", "images/ISIC_0000001_segmentation.png"),
        ("ISIC_0000001.jpg", "masks/ISIC_0000001_segmentation.png"),
        (
            "ISIC2018_Task1-2_Training_Input/ISIC_0000001.jpg",
            "ISIC2018_Task1_Training_GroundTruth/ISIC_0000001_segmentation.png",
        ),
        (
            "ISBI2016_ISIC_Part1_Training_Data/ISIC_0000001.jpg",
            "ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_0000001_Segmentation.png",
        ),
        (
            "ISIC-2017_Training_Data/ISIC-2017_Training_Data/ISIC_0000001.jpg",
            "ISIC-2017_Training_Part1_GroundTruth/x/ISIC_0000001_segmentation.png",
        ),
    ],
)
def test_isic_as_published(tmp_path, files):
    write_files(tmp_path, *files)
    write_picture((tmp_path / files[0]).with_name("ISIC_0000001_superpixels.png"))
    write_picture((tmp_path / files[1]).with_name("ISIC_0000001_attribute_globules.png"))
    folder = find_pairs(tmp_path)
    assert as_written(folder, tmp_path) == {Path(files[0]).stem: files}
    assert folder.problems == []


def test_challenge_parts_side_by_side_are_one_data_set(tmp_path):
    write_files(
        tmp_path,
        "ISIC2018_Task1-2_Training_Input/ISIC_0000002.jpg",
        "ISIC2018_Task1-2_Validation_Input/ISIC_0000001.jpg",
        "ISIC2018_Task1_Training_GroundTruth/ISIC_0000002_segmentation.png",
        "ISIC2018_Task1_Validation_GroundTruth/ISIC_0000001_segmentation.png",
    )
    folder = find_pairs(tmp_path)
    assert [pair.name for pair in folder.labelled] == ["ISIC_0000001", "ISIC_0000002"]


HAM_ROWS = (
    "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
    "HAM_0000002,ISIC_0024307,nv,histo,40.0,male,back\n"
    "HAM_0000001,ISIC_0024306,mel,histo,,female,face\n"
    "HAM_0000002,ISIC_0024308,nv,histo,40.0,male,back\n"
    "HAM_0000009,ISIC_0099999,nv,histo,40.0,male,back\n"
)
HAM_PLACES = [
    ("images/", "images/", "masks/"),
    ("HAM10000_images_part_1/", "HAM10000_images_part_2/", "HAM10000_segmentations_lesion_x/"),
    ("part_1/", "part_2/", "anything/else/"),
    ("", "", ""),
]


@pytest.mark.parametrize("places", HAM_PLACES)
@pytest.mark.parametrize("table", ["HAM10000_metadata.csv", "HAM10000_metadata", "metadata.csv"])
def test_ham10000_groups_by_lesion(tmp_path, places, table):
    first, second, masks = places
    names = ["ISIC_0024306", "ISIC_0024307", "ISIC_0024308"]
    for name, place in zip(names, (first, first, second), strict=True):
        write_files(tmp_path, f"{place}{name}.jpg", f"{masks}{name}_segmentation.png")
    rows = HAM_ROWS if table.endswith("csv") else HAM_ROWS.replace(",", "\t")
    (tmp_path / table).write_text("\ufeff" + rows, encoding="utf-8")
    folder = find_pairs(tmp_path)
    assert [pair.name for pair in folder.labelled] == names
    assert [pair.group for pair in folder.pairs] == ["HAM_0000001", "HAM_0000002", "HAM_0000002"]
    assert folder.pairs[0].metadata["dx"] == "mel"
    assert folder.pairs[0].metadata["age"] == ""
    assert table in folder.layout
    assert folder.problems == []


def test_the_same_picture_in_two_folders_counts_once(tmp_path):
    # One mirror of HAM10000 unpacks each picture twice.
    for part in ("HAM10000_images_part_1", "ham10000_images_part_1x"):
        write_picture(tmp_path / part / "ISIC_0024306.jpg", seed=1)
    write_mask(tmp_path / "masks" / "ISIC_0024306_segmentation.png")
    (tmp_path / "HAM10000_metadata.csv").write_text(HAM_ROWS)
    folder = find_pairs(tmp_path)
    assert len(folder.labelled) == 1
    assert folder.problems == []
    assert "1 exact copies of other pictures are not used: ISIC_0024306.jpg" in folder.remarks


@pytest.mark.parametrize("above", ["", "PH2 Dataset images", "PH2Dataset/PH2 Dataset images"])
def test_ph2(tmp_path, above):
    for name in ("IMD002", "IMD010", "IMD003"):
        write_files(
            tmp_path / above / name,
            f"{name}_Dermoscopic_Image/{name}.bmp",
            f"{name}_lesion/{name}_lesion.bmp",
            f"{name}_roi/{name}_R1_Label2.bmp",
        )
    folder = find_pairs(tmp_path)
    assert [pair.name for pair in folder.labelled] == ["IMD002", "IMD003", "IMD010"]
    assert folder.pairs[0].mask.name == "IMD002_lesion.bmp"
    assert folder.layout.startswith("PH2")
    assert folder.problems == []


def test_predictions_are_never_truth(tmp_path):
    write_files(tmp_path, "10.png", "2.png", "10_predict.png", "2_predict.png")
    folder = find_pairs(tmp_path)
    assert [pair.name for pair in folder.pairs] == ["2", "10"]
    assert [pair.prediction.name for pair in folder.pairs] == ["2_predict.png", "10_predict.png"]
    assert folder.labelled == []
    assert "predictions" in folder.layout
    assert folder.problems == []


def test_plain_folder_passes_over_results_of_an_earlier_run(tmp_path):
    write_files(tmp_path, "b.png", "a.jpg", "a_mask.png", "a_overlay.png")
    folder = find_pairs(tmp_path)
    assert as_written(folder, tmp_path) == {"a": ("a.jpg", None), "b": ("b.png", None)}
    assert folder.layout == "pictures, no masks"


def test_hidden_and_system_files_are_passed_over(tmp_path):
    write_pairs(tmp_path, ["1"])
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "notes.txt", "._1.png"):
        (tmp_path / "image" / name).write_bytes(b"x")
    write_picture(tmp_path / "__MACOSX" / "image" / "2.png")
    write_picture(tmp_path / "image" / ".ipynb_checkpoints" / "3.png")
    write_picture(tmp_path / "figure.png")
    folder = find_pairs(tmp_path)
    assert [pair.name for pair in folder.pairs] == ["1"]
    assert folder.problems == []


# --- pairing ------------------------------------------------------------------------------------


def test_only_exact_stems_pair(tmp_path):
    for name in ("train1", "train10", "Train1", "a.b"):
        write_picture(tmp_path / "image" / f"{name}.png")
    for name in ("train10", "train1", "a.b", "a"):
        write_mask(tmp_path / "label" / f"{name}.png")
    folder = find_pairs(tmp_path)
    masks = {pair.name: pair.mask and pair.mask.stem for pair in folder.pairs}
    assert masks == {"train1": "train1", "train10": "train10", "Train1": None, "a.b": "a.b"}
    assert len(folder.problems) == 2


def test_endings_are_cut_only_where_no_picture_has_them(tmp_path):
    write_files(tmp_path / "images", "x.png", "y.png", "z_label.png", "z.png")
    for name in ("x_mask", "y", "z_label"):
        write_mask(tmp_path / "masks" / f"{name}.png")
    masks = {pair.name: pair.mask and pair.mask.stem for pair in find_pairs(tmp_path).pairs}
    assert masks == {"x": "x_mask", "y": "y", "z_label": "z_label", "z": None}


def test_accents_match_composed_or_apart(tmp_path):
    write_picture(tmp_path / "image" / (unicodedata.normalize("NFC", "Mädchen é") + ".png"))
    write_mask(tmp_path / "label" / (unicodedata.normalize("NFD", "Mädchen é") + ".png"))
    folder = find_pairs(tmp_path)
    assert len(folder.labelled) == 1
    assert folder.problems == []


def test_problems_name_file_finding_and_remedy(tmp_path):
    write_pairs(tmp_path, ["1"])
    for name in range(2, 10):
        write_picture(tmp_path / "image" / f"{name}.png")
    write_mask(tmp_path / "label" / "99.png")
    folder = find_pairs(tmp_path)
    assert folder.problems == [
        f"{tmp_path}/label/99.png: mask without a picture; "
        "give the mask its picture's name, add the picture or remove the mask",
        f"{tmp_path}/image/2.png and 7 more (3.png, 4.png, 5.png, 6.png, ...): picture without a "
        "mask; add the mask of that name or remove the picture",
    ]
    assert len(folder.pairs) == 9
    assert len(folder.labelled) == 1


@pytest.mark.parametrize("kind", ["picture", "mask"])
def test_two_files_for_one_name_leave_the_pair_out(tmp_path, kind):
    write_pairs(tmp_path, ["1", "2"])
    write_picture(tmp_path / {"picture": "image", "mask": "label"}[kind] / "2.bmp")
    folder = find_pairs(tmp_path)
    assert [pair.name for pair in folder.pairs] == ["1"]
    (problem,) = folder.problems
    assert f"several {kind}s of one name" in problem
    assert "2.bmp" in problem
    assert "2.png" in problem


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ("lesion_id,image_id\nL1,1\nL1,1\nL2,2\n", "more than one row of metadata: 1.png"),
        ("lesion_id,image_id\nL1,1\n", "no lesion_id in metadata.csv: 2.png"),
        ("lesion_id,image_id\nL1,1\n,2\n", "no lesion_id in metadata.csv: 2.png"),
        ("lesion_id,image_id\nL1,1\n,2", "no lesion_id in metadata.csv: 2.png"),
        ("image_id,lesion_id\n1,L1\n2\n", "no lesion_id in metadata.csv: 2.png"),
        ("image,label\n1,0\n2,0\n", "has the columns image, label but not"),
        ("", "has the columns .none. but not"),
    ],
)
def test_incomplete_metadata_is_named_but_no_obstacle(tmp_path, rows, finding):
    write_pairs(tmp_path, ["1", "2"])
    (tmp_path / "metadata.csv").write_text(rows)
    folder = find_pairs(tmp_path)
    assert len(folder.labelled) == 2
    assert folder.pairs[1].group in ("2", "L2")
    with pytest.raises(ValueError, match=finding):
        raise ValueError("\n".join(folder.problems + folder.remarks))


def test_metadata_that_would_leak_or_is_no_table_is_refused(tmp_path):
    write_pairs(tmp_path, ["1", "2"])
    table = tmp_path / "HAM10000_metadata.csv"
    table.write_text("lesion_id,image_id\nL1,1\nL2,1\nL2,2\n")
    with pytest.raises(ValueError, match="1 belongs to two lesions, L1 and L2"):
        find_pairs(tmp_path)
    table.write_bytes(b"\xff\xfe\x00lesion")
    with pytest.raises(ValueError, match="save it as CSV in UTF-8"):
        find_pairs(tmp_path)


# --- folders ------------------------------------------------------------------------------------


def test_folders_without_pictures_say_what_they_hold(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        find_pairs(tmp_path / "missing")
    with pytest.raises(
        ValueError, match=r"is empty; put .* into image/ and their masks into label/"
    ):
        find_pairs(tmp_path)
    for name in ("a.svg", "b.svg", "c.mp4"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(ValueError, match=r"only: 2 \.svg, 1 \.mp4"):
        find_pairs(tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        find_pairs(tmp_path / "a.svg")
    with pytest.raises(ValueError, match="too long"):
        find_pairs(tmp_path / ("n" * 300))
    write_mask(tmp_path / "label" / "1.png")
    with pytest.raises(ValueError, match="holds masks but no pictures"):
        find_pairs(tmp_path)


def test_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    def refuse(folder):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ValueError, match="cannot be listed"):
        find_pairs(tmp_path)


def test_loops_of_links_end_and_linked_folders_are_followed(tmp_path):
    write_pairs(tmp_path / "real", ["1", "2"])
    data = tmp_path / "data set"
    data.mkdir()
    (data / "image").symlink_to(tmp_path / "real" / "image")
    (data / "label").symlink_to(tmp_path / "real" / "label")
    (tmp_path / "real" / "image" / "again").symlink_to(tmp_path / "real" / "image")
    (data / "images of myself").symlink_to(data)
    (data / "self").symlink_to(data / "self")
    folder = find_pairs(data)
    assert [pair.name for pair in folder.labelled] == ["1", "2"]
    assert folder.problems == []


@pytest.mark.parametrize("inner", ["download/data-main", "skin_images", "my_data", "masks"])
def test_folder_in_a_folder_stands_for_it(tmp_path, inner):
    write_pairs(tmp_path / inner, ["1"])
    folder = find_pairs(tmp_path)
    assert folder.root == tmp_path / inner
    assert folder.layout == "image/ + label/"
    assert find_pairs(tmp_path / inner / "image").labelled == []


def test_what_a_drive_holds_besides_is_no_data(tmp_path):
    write_pairs(tmp_path / "pictures", ["1", "2"])
    for name in ("lost+found", "System Volume Information", "$RECYCLE.BIN"):
        write_picture(tmp_path / name / "3.png")
    folder = find_pairs(tmp_path)
    assert (folder.root, len(folder.labelled)) == (tmp_path / "pictures", 2)
    assert folder.passed_over == []


def test_an_empty_name_is_no_folder(tmp_path, monkeypatch):
    write_pairs(tmp_path, ["1", "2"])
    monkeypatch.chdir(tmp_path)
    assert len(find_pairs(".").pairs) == 2
    with pytest.raises(FileNotFoundError, match="name of the folder is empty; give"):
        find_pairs("")


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    for name in ("1", "2"):
        write_picture(tmp_path / f"{name}.png")
    (tmp_path / "locked").mkdir()
    listed = Path.iterdir

    def iterdir(path):
        if path.name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(InputError, match=r"locked: cannot be listed \(Permission denied\); check"):
        find_pairs(tmp_path)


# --- names --------------------------------------------------------------------------------------


def test_natural_order():
    names = ["10", "9", "a10b2", "a10b10", "a2", "A3", "", "²", "x٣"]
    ordered = sorted(names, key=natural_key)
    assert ordered[1:3] == ["9", "10"]
    assert [name for name in ordered if name[:1] in "aA" and name] == [
        "a2",
        "A3",
        "a10b2",
        "a10b10",
    ]


@settings(max_examples=200)
@given(st.lists(st.text(max_size=12), unique=True, max_size=8), st.randoms())
def test_natural_order_is_total_whatever_the_names(names, random):
    shuffled = random.sample(names, len(names))
    assert sorted(shuffled, key=natural_key) == sorted(names, key=natural_key)


FILE_NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20
)


@settings(max_examples=60, deadline=None)
@given(st.lists(FILE_NAMES.filter(lambda name: not name.startswith(".")), max_size=5))
def test_any_file_names_pair_with_themselves(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("names")
    for folder in ("image", "label"):
        (root / folder).mkdir()
        for name in ["base", *names]:
            (root / folder / f"{name}.png").write_bytes(name.encode())
    folder = find_pairs(root)
    for pair in folder.labelled:
        assert pair.image.name == pair.mask.name
    skipped = len(folder.problems) + sum("_" in name for name in names)
    assert skipped or {pair.image.stem for pair in folder.labelled} == {
        Path(f"{name}.png").stem for name in ["base", *names]
    }


# --- real data ----------------------------------------------------------------------------------


def test_real_layouts(shared_data):
    ham = find_pairs(shared_data / "ham10000")
    assert (len(ham.labelled), len({pair.group for pair in ham.pairs})) == (9019, 6723)
    assert ham.problems == []
    assert len(find_pairs(shared_data / "isic2018").labelled) == 2074
    assert len(find_pairs(shared_data / "isic_native").labelled) == 16


def test_real_membranes_in_natural_order_and_predictions_are_no_truth(shared_data):
    train = find_pairs(shared_data / "em_membrane" / "train")
    assert [pair.name for pair in train.labelled] == [str(n) for n in range(30)]
    test = find_pairs(shared_data / "em_membrane" / "test")
    assert [pair.name for pair in test.pairs] == [str(n) for n in range(30)]
    assert test.labelled == []
    assert all(pair.prediction for pair in test.pairs)
