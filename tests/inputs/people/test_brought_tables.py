"""Tables beside the pictures: rows are compared as people mean them."""

import os
import stat

import pytest
from bring import Table

tables = Table()
TEN = range(10)
ID = "ISIC_00243{:02}"


def labelled(folder, lesion=lambda k: f"L{k // 2}", path=f"image/{ID}.jpg"):
    """Write ten pairs, two of each lesion, but where the lesion is None: that one stands alone."""
    for k in TEN:
        name = path.format(k)
        folder.pair(k, name, name.replace("image", "label").replace("jpg", "png"))
        folder.groups[name] = lesion(k) or name


def table(
    folder, row, header="image_id,lesion_id", name="metadata.csv", encoding="utf-8", end="\n"
):
    lines = [header, *(row(k) if callable(row) else row.format(ID.format(k), k // 2) for k in TEN)]
    folder.file(name, end.join(lines).encode(encoding))


def dialect(its_name, row, says=(), right="understood", lesion=lambda k: f"L{k // 2}", **more):
    def make(folder):
        labelled(folder, lesion)
        table(folder, row, **more)

    make.__name__ = its_name
    tables(right, says=says)(make)


def one_in_two(odd, even):
    return lambda k: (odd if k % 2 else even).format(ID.format(k), k // 2)


dialect("plain", "{},L{}")
dialect("blanks_after_commas_and_behind_names", one_in_two("{},L{}  ", "{}, L{}"))
dialect("blanks_before_columns", "{}, L{}", header="image_id, lesion_id")
dialect("blanks_that_do_not_break", one_in_two("{},L{}\u00a0", "{}\u00a0,L{}"))
dialect("blanks_of_no_width", one_in_two("{},L{}\u200b", "{},L{}"), "", "either")
dialect("semicolons_of_a_european_excel", "{};L{}", header="image_id;lesion_id")
dialect("tabs", "{}\tL{}", header="image_id\tlesion_id")
dialect("bars", "{}|L{}", header="image_id|lesion_id")
dialect("a_line_that_names_the_separator", "{};L{}", header="sep=;\nimage_id;lesion_id")
dialect("a_line_that_names_the_comma", "{},L{}", header="sep=,\nimage_id,lesion_id")
dialect("a_mark_of_utf_8", "{},L{}", encoding="utf-8-sig")
dialect(
    "unicode_text_of_excel",
    "{}\tL{}",
    r"metadata\.csv",
    "either",
    header="image_id\tlesion_id",
    encoding="utf-16",
)
dialect("lines_of_windows", "{},L{}", end="\r\n")
dialect("lines_of_an_old_mac", "{},L{}", end="\r")
dialect("everything_in_quotes", '"{}","L{}"', header='"image_id","lesion_id"')
dialect("a_comma_in_quotes", '{},L{},"back, left"', header="image_id,lesion_id,site")
dialect("a_comma_for_the_decimal_point", "{};L{};0,5", header="image_id;lesion_id;size")
dialect("a_line_break_in_quotes", '{},L{},"seen\nagain"', header="image_id,lesion_id,notes")
dialect("suffixes_behind_ids", "{}.jpg,L{}")
dialect("suffixes_of_another_kind", one_in_two("{}.JPG,L{}", "{}.png,L{}"))
dialect("folders_before_ids", "image/{}.jpg,L{}", r"metadata\.csv", "either")
dialect("columns_in_capitals", "{},L{}", header="Image_ID,Lesion_ID")
dialect("columns_with_blanks", "{},L{}", header="Image ID,Lesion ID")
dialect("columns_of_the_isic_archive", "{},L{}", header="isic_id,lesion_id")
dialect("column_called_image", "{},L{}", r"metadata\.csv", "either", header="image,lesion_id")
dialect("letter_case_of_lesions", one_in_two("{},LES{}", "{},les{}"))
dialect("ids_in_small_letters", lambda k: f"{ID.format(k).lower()},L{k // 2}")
dialect(
    "the_same_row_twice",
    lambda k: "\n".join([f"{ID.format(k)},L{k // 2}"] * (1 + (k == 4))),
    r"4\.jpg|twice|more than one row|repeat",
    "either",
)
dialect("rows_of_pictures_that_are_not_there", "{},L{}\nISIC_9999999,L77")
dialect("empty_lines_and_lines_of_commas", lambda k: f"{ID.format(k)},L{k // 2}\n\n,")
dialect("cells_beyond_the_columns", "{},L{},x,y")
dialect("a_table_called_ham10000", "{},L{}", name="HAM10000_metadata.csv")
dialect("a_table_in_capitals", "{},L{}", name="METADATA.CSV")
dialect(
    "a_table_of_tabs_called_tsv",
    "{}\tL{}",
    r"metadata\.tsv",
    "either",
    header="image_id\tlesion_id",
    name="metadata.tsv",
)
dialect(
    "german_letters_of_windows",
    "{},L{},Rücken",
    r"metadata\.csv",
    "either",
    header="image_id,lesion_id,site",
    encoding="cp1252",
)
dialect(
    "two_lesions_of_one_picture",
    lambda k: f"{ID.format(k)},L{k // 2}\n" * (1 + (k == 4)) + f"{ID.format(k)},L9" * (k == 4),
    "two lesions",
    "named",
)
dialect(
    "no_lesions_at_all",
    "{},4{}",
    r"lesion_id",
    "either",
    lambda k: None,
    header="image_id,age_approx",
)
dialect(
    "some_pictures_without_a_row",
    lambda k: f"{ID.format(k)},L{k // 2}" * (k < 6),
    r"remark .*(lesion of its own|lesion_id)",
    "understood",
    lambda k: f"L{k // 2}" if k < 6 else None,
)

for its_name, its_word in {
    "na": "NA", "n_a": "n/a", "nan": "nan", "unknown": "unknown", "unknown_in_capitals": "Unknown",
    "none": "None", "null": "NULL", "nothing": "", "a_blank": " ", "a_dash": "-", "a_question": "?",
}.items():  # fmt: skip
    dialect(f"lesions_called_{its_name}",
            lambda k, word=its_word: f"{ID.format(k)},{word if k > 3 else f'L{k // 2}'}",
            r"remark .*(lesion of its own|lesion_id)", "understood",
            lambda k: f"L{k // 2}" if k < 4 else None)  # fmt: skip


@tables()
def what_isic_cli_downloads(folder):
    """A lesion for some pictures only, and patients for all: the coarsest group wins."""
    labelled(folder, lambda k: f"IP_{k // 4}")
    table(
        folder,
        lambda k: f"{ID.format(k)},anon,45,{f'IL_{k // 2}' if k < 4 else ''},IP_{k // 4},male",
        "isic_id,attribution,age_approx,lesion_id,patient_id,sex",
    )


@tables(says="patient")
def patients_group_where_there_are_any(folder):
    labelled(folder, lambda k: f"P{k // 4}")
    table(folder, lambda k: f"{ID.format(k)},L{k // 2},P{k // 4}", "image_id,lesion_id,patient_id")


@tables(says="patient")
def patients_without_lesions(folder):
    labelled(folder, lambda k: f"P{k // 4}")
    table(folder, lambda k: f"{ID.format(k)},P{k // 4}", "image_id,patient_id")


@tables(says="patient")
def patients_of_some_pictures_only(folder):
    labelled(folder, lambda k: f"P{k // 4}" if k < 8 else "L4")
    table(
        folder,
        lambda k: f"{ID.format(k)},L{k // 2},{f'P{k // 4}' if k < 8 else ''}",
        "image_id,lesion_id,patient_id",
    )


@tables("either", says=r"L0|patient")
def one_lesion_of_two_patients(folder):
    """A mistake of the table: whoever groups must keep all four pictures together, or say it."""
    labelled(folder, lambda k: "P" if k < 4 else f"P{k // 2}")
    table(
        folder,
        lambda k: f"{ID.format(k)},L{0 if k in (1, 2) else k + 1},P{k // 2}",
        "image_id,lesion_id,patient_id",
    )


@tables("either", says=r"metadata\.csv|img_id")
def pad_ufes_20(folder):
    for k in TEN:
        name = f"PAT_{k // 4}_{k // 2}_{k}.png"
        folder.pair(k, f"images/{name}", f"masks/{name}", group=f"PAT_{k // 4}")
    rows = "".join(f"PAT_{k // 4},{k // 2},NEV,PAT_{k // 4}_{k // 2}_{k}.png\n" for k in TEN)
    folder.file("metadata.csv", "patient_id,lesion_id,diagnostic,img_id\n" + rows)


@tables("either", says=r"metadata\.xlsx", always=True)
def a_workbook_of_excel(folder):
    labelled(folder, lambda k: None)
    folder.file("metadata.xlsx", b"PK\x03\x04")


@tables()
def a_table_in_each_part(folder):
    for part, ks in (("train", range(6)), ("test", range(6, 10))):
        for k in ks:
            name = f"{part}/image/{ID.format(k)}.jpg"
            mask = f"{part}/label/{ID.format(k)}.png"
            folder.pair(k, name, mask, part=part, group=f"L{k // 2}")
        rows = "".join(f"{ID.format(k)},L{k // 2}\n" for k in ks)
        folder.file(f"{part}/metadata.csv", "image_id,lesion_id\n" + rows)


@tables()
def a_table_beside_the_one_folder_of_the_data(folder):
    for k in TEN:
        name = f"dataset/image/{ID.format(k)}.jpg"
        folder.pair(k, name, f"dataset/label/{ID.format(k)}.png", group=f"L{k // 2}")
    table(folder, "{},L{}")


@tables("either", says=r"metadata\.csv")
def a_table_above_the_parts(folder):
    for part, ks in (("train", range(6)), ("test", range(6, 10))):
        for k in ks:
            name = f"{part}/image/{ID.format(k)}.jpg"
            folder.pair(k, name, f"{part}/label/{ID.format(k)}.png", part=part, group=f"L{k // 2}")
    table(folder, "{},L{}")


@tables("either", says=r"two sides|share|both", always=True, check_only=True)
def a_lesion_on_both_sides_of_a_table_above_the_parts(folder):
    for part, ks in (("train", range(7)), ("test", range(7, 10))):
        for k in ks:
            name = f"{part}/image/{ID.format(k)}.jpg"
            folder.pair(k, name, f"{part}/label/{ID.format(k)}.png", part=part)
    table(folder, "{},L{}")


def elsewhere(
    its_name, file, header, row, right="either", says=None, lesion=lambda k: f"L{k // 2}"
):
    """A table of lesions that has another name or other columns."""

    def make(folder):
        labelled(folder, lesion)
        table(folder, row, header, file)

    make.__name__ = its_name
    tables(right, says=says or file.replace(".", r"\."))(make)


elsewhere(
    "isic_2019",
    "ISIC_2019_Training_Metadata.csv",
    "image,age_approx,anatom_site_general,lesion_id,sex",
    "{},55,back,L{},male",
)
elsewhere(
    "lesion_groupings_of_isic_2018",
    "ISIC2018_Task3_Training_LesionGroupings.csv",
    "image,lesion_id,diagnosis_confirm_type",
    "{},L{},histopathology",
)
elsewhere("isic_2020", "train.csv", "image_name,patient_id,sex", "{},L{},male")
elsewhere(
    "a_table_that_a_browser_numbered",
    "metadata (1).csv",
    "image_id,lesion_id",
    "{},L{}",
    says=r"metadata \(1\)\.csv",
)
elsewhere("a_table_called_clinical", "clinical_data.csv", "filename,patient", "{}.jpg,L{}")
elsewhere("a_table_below_the_pictures", "image/metadata.csv", "image_id,lesion_id", "{},L{}")
elsewhere("a_column_called_file_name", "metadata.csv", "file_name,lesion_id", "{}.jpg,L{}")
elsewhere("a_column_called_patient", "metadata.csv", "image_id,patient", "{},L{}")


@tables("either", says=r"metadata|two|several", always=True)
def two_tables_that_contradict(folder):
    labelled(folder, lambda k: None)
    folder.groups = {}
    table(folder, "{},L{}")
    table(folder, lambda k: f"{ID.format(k)},M{k % 3}", name="HAM10000_metadata.csv")


@tables("either", says=r"lesion", always=False)
def numbers_with_and_without_a_decimal_point(folder):
    labelled(folder)
    table(folder, one_in_two("{},{}.0", "{},{}"))


@tables("either", says=r"metadata\.csv", always=False)
def ids_without_what_is_behind_the_names(folder):
    labelled(folder, path=f"image/{ID}_downsampled.jpg")
    table(folder, "{},L{}")


@tables.parametrize
def test_tables(row, judge):
    judge(row)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="rights of folders are those of Unix")
def test_a_folder_that_cannot_be_written_into_is_usable(brought, judge, run_command, tmp_path):
    """As Kaggle's input folder: nothing may be written there, so no remedy can ask for it."""
    what_isic_cli_downloads(brought)
    before = sorted(path.stat().st_mtime_ns for path in brought.root.rglob("*"))
    for path in [brought.root, *brought.root.rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    try:
        code, output, _ = run_command("check", brought.root)
    finally:
        for path in [brought.root, *brought.root.rglob("*")]:
            path.chmod(path.stat().st_mode | stat.S_IWUSR)
    assert code == 0, output
    assert sorted(path.stat().st_mtime_ns for path in brought.root.rglob("*")) == before
