"""Find the pictures of a folder and the masks that belong to them.

The layout is recognised from the folder itself: `image/` + `label/`, `images/` + `masks/`, ISIC,
HAM10000, PH2, nnU-Net, VOC, pictures and masks in one folder, pictures with another model's
predictions, or pictures alone; in one piece, or divided into training, validation and test.
"""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from lesion.console import InputError
from lesion.inputs.annotations import find_annotations
from lesion.inputs.folders import data_root, existing_folder, few, list_folder
from lesion.inputs.matching import Matched, match, report
from lesion.inputs.metadata import part_named, read_metadata
from lesion.inputs.pair import DataFolder, Pair
from lesion.inputs.places import MASK, PARTS, PICTURE, id_list
from lesion.inputs.scanning import Scan, scan

__all__ = ["DataFolder", "Pair", "find_pairs", "find_parts", "pictures_below"]

NO_PART = "outside of train, validation and test, not used"
LISTS = {name for names in PARTS.values() for name in names} | {"trainval"}
TABLE_OF_PARTS = re.compile(
    r"(?i)(train|val|valid|validation|test|splits?|folds?|partition|cv)([ _.-]?[0-9]+|[ _.-].*)?"
    r"\.(txt|csv|tsv|json|ya?ml|xlsx?)"
)


def find_pairs(directory: str | Path) -> DataFolder:
    """Return the DataFolder of `directory`: all its pictures, each with its mask.

    A mask is called as its picture, letter for letter (ISIC ids in any letter case), perhaps with
    _mask, _segmentation or another word for it behind; or all masks of the folder are named by
    another rule, see `naming.find_naming`. Hidden and system files are passed over in silence, all
    else that is not used is named. A folder that holds nothing but one other folder stands for it.

    A table beside the pictures that names lesions or patients gives each pair its group and its
    metadata, see `metadata.read_metadata`. `label_2/` or `masks_2/` beside the masks holds those
    of a second annotator, of all pictures or of some.

    Raises:
        FileNotFoundError: there is no such folder.
        InputError: it is no folder, cannot be listed or holds no picture; its metadata are no table
            or give a picture two lesions.
    """
    return _find(directory, divide=False)[""]


def find_parts(directory: str | Path) -> dict[str, DataFolder]:
    """Return the parts of a data folder; raise as `find_pairs` does.

    Returns:
        {part: DataFolder}: "train", "validation", "test" as far as the folder is divided into such
        (train/ and test/, images/train and images/test, train_images and test_images, imagesTr and
        imagesTs, the archives of a challenge side by side, a column of the metadata), or
        {"": DataFolder} for a folder that is one data set.
    """
    return _find(directory, divide=True)


def pictures_below(directory: str | Path) -> tuple[list[Path], list[str]]:
    """Return (the pictures of a folder in natural order, lines on the files that are passed over).

    Raises FileNotFoundError and InputError as `find_pairs` does.
    """
    found = scan(data_root(existing_folder(directory)))
    result = match(found.files)
    masks = {path for pair in result.pairs for path in (pair.mask, *pair.more_masks)}
    others = masks | {path for path, _ in result.passed_over}
    pictures = [f.path for f in found.of(PICTURE) if f.path not in others]
    if not pictures:
        raise InputError(f"{found.root}: {_nothing_found(found, 'it')}")
    among = {file.path for file in found.of(PICTURE)} & masks
    found.passed_over += [*result.passed_over, *((path, "masks") for path in sorted(among))]
    return pictures, found.lines()


def _find(directory, divide):
    """Return {part: DataFolder}; {"": DataFolder} if the folder is not divided, or shall not be."""
    found = scan(data_root(existing_folder(directory)))
    if not found.of(PICTURE):
        raise InputError(f"{found.root}: {_nothing_found(found)}")
    pictures, masks = ([file.path for file in found.of(role)] for role in (PICTURE, MASK))
    drawn = find_annotations(found.others, pictures, masks)
    found.files = [file for file in found.files if file.path not in drawn.used]
    matched = _match_parts(found) if divide else {"": match(found.files)}
    images = [pair.image for part in matched.values() for pair in part.pairs]
    tables = read_metadata([path for path in found.others if path not in drawn.used], images)
    index = {image: number for number, image in enumerate(images)}
    folders = {}
    for part, result in matched.items():
        pairs = [
            replace(
                _annotated(pair, drawn),
                group=tables.groups.get(index[pair.image], ""),
                metadata=tables.rows.get(index[pair.image], {}),
                source=found.root,
            )
            for pair in result.pairs
        ]
        root = _root_of(pairs, found.root) if part else found.root
        _report_bare(pairs, found, root, result.problems)
        found.passed_over += result.passed_over
        layout = _layout_in_words(root, found, pairs, result.beside, tables, drawn)
        folders[part] = DataFolder(
            root, layout, pairs, result.problems, result.remarks, unit=tables.unit or "lesions"
        )
    if divide and "" in folders:
        folders = _divide_by_table(folders[""], tables, index)
    return _with_lines(folders, found, tables, drawn)


def _match_parts(found: Scan):
    """Return {part: Matched} of a divided folder, {"": Matched} of another one."""
    pictures, masks = found.of(PICTURE), found.of(MASK)
    parts = {file.part for file in pictures}
    if _divides(parts) and (not masks or any(file.part for file in masks)):
        found.passed_over += [(f.path, NO_PART) for f in found.files if not f.part]
        return {
            part: match([file for file in found.files if file.part == part])
            for part in PARTS
            if part in parts
        }
    whole = match(found.files)
    mask_parts = {file.part for file in masks}
    if _divides(parts):
        part_of = {file.path: file.part for file in pictures}
        return _divide(whole, lambda pair: part_of[pair.image])
    if _divides(mask_parts):
        part_of = {file.path: file.part for file in masks}
        return _divide(whole, lambda pair: part_of.get(pair.mask, ""))
    if len(parts) > 1:
        found.division = found.division or ", ".join(sorted(filter(None, parts)))
    return {"": whole}


def _divides(parts):
    return "train" in parts and len(parts - {""}) > 1


def _divide(matched, part_of):
    """Divide what was matched as a whole; what concerns the whole goes to training."""
    pairs = {part: [p for p in matched.pairs if part_of(p) == part] for part in PARTS}
    matched.passed_over += [(p.image, NO_PART) for p in matched.pairs if not part_of(p)]
    parts = {part: Matched(found) for part, found in pairs.items() if found}
    parts["train"] = replace(matched, pairs=pairs["train"])
    return parts


def _divide_by_table(folder, tables, index):
    """Return the parts that a column of the metadata names; the whole folder without one."""
    named = {pair: part_named(tables.parts.get(index[pair.image], "")) for pair in folder.pairs}
    if not _divides(set(named.values())):
        return {"": folder}
    parts = {}
    for part in PARTS:
        pairs = [pair for pair in folder.pairs if named[pair] == part]
        if pairs:
            parts[part] = DataFolder(folder.root, folder.layout, pairs, [])
    parts["train"] = replace(folder, pairs=parts["train"].pairs)
    parts["train"].remarks.append(f"divided as {tables.used[-1].name} says")
    without = [pair.name for pair in folder.pairs if not named[pair]]
    if without:
        parts["train"].remarks.append(f"{NO_PART}: {few(without)}")
    return parts


def _annotated(pair, drawn):
    """Return a pair with what was drawn into its picture, where it has no mask besides."""
    annotation = drawn.by_picture.get(pair.image)
    if annotation is None or pair.mask not in (None, annotation.path):
        return pair
    return replace(pair, mask=annotation.path, annotation=annotation)


def _with_lines(folders, found, tables, drawn):
    """Add what concerns the whole data folder: to the first part, passed over to the last."""
    first, last = next(iter(folders)), list(folders)[-1]
    folders[first].problems[:0] = drawn.problems + tables.problems
    folders[first].remarks[:0] = drawn.remarks + tables.remarks
    both = [pair.name for folder in folders.values() for pair in folder.pairs
            if pair.image in drawn.by_picture and not pair.annotation]  # fmt: skip
    if both:
        folders[first].remarks.append(
            f"{drawn.layout}: {len(both)} picture(s) have a mask file, which counts: {few(both)}"
        )
    lists = {path for path in found.others
             if path.stem.casefold() in LISTS and path.suffix.lower() == ".txt"}  # fmt: skip
    used = {*tables.used, *drawn.used, *lists}
    if "" not in folders:
        found.passed_over += [(path, "lists, but the folders divide already") for path in lists]
    folders[last].passed_over.extend(found.lines(used))
    unknown = [path.name for path in found.others
               if path not in used and TABLE_OF_PARTS.fullmatch(path.name)]  # fmt: skip
    if tables.parts and "" in folders:
        unknown.append("a column of the metadata")
    division = found.division or ", ".join(unknown[:3])
    if not division or "" not in folders:
        return folders
    return {"": replace(folders[""], division=division)}


def _report_bare(pairs, found, root, problems):
    """Tell of pictures without a mask where there are masks, or folders for them."""
    folders = [
        f.path for f in found.folders if f.role == MASK and root in (*f.path.parents, f.path)
    ]
    if folders or any(pair.mask for pair in pairs):
        bare = [pair.image for pair in pairs if pair.mask is None]
        if id_list(root, "train"):
            found.passed_over += [(path, "no mask, and id lists say what counts") for path in bare]
            return
        remedy = "add the mask of that name or remove the picture"
        report(problems, bare, "picture without a mask", remedy)


def _root_of(pairs, root):
    """Return the folder of a part: the one of its own below the data folder, if it has such."""
    tops = {path.relative_to(root).parts[0] for pair in pairs
            for path in (pair.image, pair.mask) if path}  # fmt: skip
    return root / tops.pop() if len(tops) == 1 else root


def _nothing_found(found, place="image/ and their masks into label/"):
    kinds = Counter(
        f"{path.name}/" if path.is_dir() else path.suffix.lower() or path.name
        for path in list_folder(found.root)
    )
    held = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(4))
    if found.of(MASK):
        line = "holds masks but no pictures; put the pictures into image/ beside label/"
    else:
        what = f"no picture found (only: {held})" if held else "the folder is empty"
        line = f"{what}; put PNG, JPEG, BMP or TIFF pictures into {place}"
    return line + "".join(f" (passed over: {group})" for group in found.lines())


def _layout_in_words(root, found, pairs, beside, tables, drawn):
    folders = [f for f in found.folders if f.role in (PICTURE, MASK) and root in f.path.parents]
    highest = min((len(f.path.parts) for f in folders), default=0)
    top = [f.path.name for f in sorted(folders, key=lambda f: f.role != PICTURE)
           if len(f.path.parts) == highest]  # fmt: skip
    masks = any(pair.mask for pair in pairs)
    mask_folders = any(f.role == MASK for f in folders)
    if any(path.name.casefold().startswith("ham10000") for path in tables.used):
        layout = "HAM10000"
    elif any(f.path.name.casefold().endswith("_dermoscopic_image") for f in found.folders):
        layout = "PH2, one folder for each picture"
    elif any(pair.annotation for pair in pairs):
        layout = drawn.layout
    elif mask_folders and top:
        layout = " + ".join(f"{name}/" for name in dict.fromkeys(top))
    elif beside or masks:
        layout = "pictures with masks beside them"
    elif any(pair.prediction for pair in pairs):
        layout = "pictures with another model's predictions, no masks"
    else:
        layout = "pictures, no masks"
    names = ", ".join(dict.fromkeys(path.name for path in tables.used)) if tables.unit else ""
    return f"{layout}, {tables.unit} from {names}" if names else layout
