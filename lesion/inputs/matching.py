"""Put the files of one set of pictures together: each picture with its masks."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lesion.inputs.folders import few, natural_key
from lesion.inputs.naming import Naming, find_naming, key_of, looks_like_mask, without_ending
from lesion.inputs.pair import Pair
from lesion.inputs.places import MASK, PICTURE, PREDICTION, SECOND_MASK
from lesion.inputs.scanning import PREDICTION_ENDING, File
from lesion.storage import same_content

AMONG_PICTURES = "masks by their names, but there is a folder of masks; move them there"


@dataclass
class Matched:
    """What `match` put together.

    Attributes:
        pairs: in natural order.
        problems, remarks: a line each.
        passed_over: (path, why) of files that are not used.
        beside: whether the masks lie among the pictures.
    """

    pairs: list[Pair] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    passed_over: list[tuple[Path, str]] = field(default_factory=list)
    beside: bool = False


def match(files: Sequence[File]) -> Matched:
    """Return the pairs of some files, each picture with the masks that are called after it.

    One rule names all masks, see `naming.find_naming`. Where folders hold pictures of the same
    names, as those of classes do, the folders' names count too, and become part of the pairs'.

    Args:
        files: pictures, masks and predictions with their places.
    """
    result = Matched()
    pictures, masks, second, predictions = (
        [file for file in files if file.role == role]
        for role in (PICTURE, MASK, SECOND_MASK, PREDICTION)
    )
    pictures, masks = _masks_among(pictures, masks, result)
    if not masks:  # a folder that is called label_2 for another reason
        masks, second = second, []
    naming = find_naming([m.path for m in masks], [p.path for p in pictures])
    placed = _is_placed(pictures, naming)

    def key(file, name):
        return (file.place if placed else (), name)

    chosen = _choose(PICTURE, pictures, [key(p, naming.picture_key(p.stem)) for p in pictures],
                     result)  # fmt: skip
    flat = {name: place for place, name in chosen} if placed else {}
    several = Counter(name for _, name in chosen)

    def of_masks(kind, found, name_of, unites=False):
        keys = [key(file, name_of(file.stem)) for file in found]
        if placed:  # masks that lie in one folder for all classes
            keys = [(flat[n], n) if (p, n) not in chosen and several[n] == 1 else (p, n)
                    for p, n in keys]  # fmt: skip
        return _choose(kind, found, keys, result, chosen, unites)

    own = {key_of(file.stem) for file in pictures}

    def by_picture(stem):  # second masks and predictions follow the plain rule
        if stem.casefold().endswith(PREDICTION_ENDING):
            stem = stem[: -len(PREDICTION_ENDING)]
        return naming.picture_key(without_ending(stem, own))

    truth = of_masks(MASK, masks, naming.keys.get, naming.unites)
    others = of_masks(SECOND_MASK, second, by_picture)
    predicted = of_masks(PREDICTION, predictions, by_picture)
    result.pairs = _pairs(chosen, truth, others, predicted)
    _say_rule(naming, result)
    return result


def _pairs(pictures, truth, second, predictions):
    """Return the pairs of what was chosen for each key, without those that are ambiguous."""
    names = Counter(_name(file) for found in pictures.values() if found for file in found)
    pairs = []
    for key, found in pictures.items():
        if not found or truth.get(key, found) is None:  # reported where it was chosen
            continue
        image, name = found[0], _name(found[0])
        if names[name] > 1:
            name = "/".join((*image.place, name))
        masks = [file.path for file in truth.get(key, ())]
        other, prediction = (
            kind[key][0].path if kind.get(key) else None for kind in (second, predictions)
        )
        pair = Pair(name, image.path, next(iter(masks), None), second_mask=other,
                    prediction=prediction, more_masks=tuple(masks[1:]))  # fmt: skip
        pairs.append(pair)
    return sorted(pairs, key=lambda pair: natural_key(pair.name))


def report(problems: list[str], paths: Sequence[Path], finding: str, remedy: str) -> None:
    """Add one line for all files with the same problem, naming the first few."""
    if paths:
        others = ", ".join(path.name for path in paths[1:5]) + (", ..." if len(paths) > 5 else "")
        more = f" and {len(paths) - 1} more ({others})" if others else ""
        problems.append(f"{paths[0]}{more}: {finding}; {remedy}")


def _name(file):
    return unicodedata.normalize("NFC", file.stem)


def _masks_among(pictures, masks, result):
    """Return (pictures, masks), with the masks that lie among the pictures told apart by name."""
    names = {file.path.name.casefold() for file in pictures}
    likely = [f for f in pictures if looks_like_mask(f.stem) or f.stem.casefold() in names]
    rest = _without(pictures, likely)
    if not likely or not rest:
        return pictures, masks
    naming = find_naming([m.path for m in likely], [p.path for p in rest])
    known = {naming.picture_key(file.stem) for file in rest}
    found = [file for file in likely if naming.keys[file.stem] in known]
    if not found:
        return pictures, masks
    if masks:
        truth = {key_of(file.stem) for file in masks}
        found = [file for file in found if key_of(file.stem) not in truth]
        result.passed_over += [(file.path, AMONG_PICTURES) for file in found]
    else:
        masks, result.beside = found, True
    return _without(pictures, found), masks


def _without(files, others):
    others = set(others)  # a folder may hold thousands of each
    return [file for file in files if file not in others]


def _is_placed(pictures, naming):
    """Whether pictures of one name in several folders are different ones."""
    by_key = defaultdict(list)
    for file in pictures:
        by_key[naming.picture_key(file.stem)].append(file)
    return any(
        len({file.place for file in found}) > 1
        and not all(same_content(found[0].path, other.path) for other in found[1:])
        for found in by_key.values()
    )


def _choose(kind, files, keys, result, pictures=None, unites=False):
    """Return {key: files, one but for masks to unite}; None for a key with several that differ."""
    candidates = defaultdict(list)
    for file, key in zip(files, keys, strict=True):
        candidates[key].append(file)
    chosen, copies, conflicts = {}, [], []
    for key, (first, *others) in candidates.items():
        differing = [other for other in others if not same_content(first.path, other.path)]
        copies += [other.path for other in others if other not in differing]
        stems = [file.stem for file in (first, *differing)]
        if not differing or (unites and len(set(stems)) == len(stems)):
            chosen[key] = [first, *differing]
        else:
            conflicts += [file.path for file in (first, *others)]
            chosen[key] = None
    if copies:
        names = few([path.name for path in copies])
        result.remarks.append(f"{len(copies)} exact copies of other {kind}s are not used: {names}")
        result.passed_over += [(path, f"copies of other {kind}s") for path in copies]
    remedy = "keep the right one; until then the pair is left out"
    report(result.problems, conflicts, f"several {kind}s of one name", remedy)
    if pictures is not None:
        lonely = [file.path for key, found in chosen.items() if found and key not in pictures
                  for file in found]  # fmt: skip
        remedy = f"give the {kind} its picture's name, add the picture or remove the {kind}"
        report(result.problems, lonely, f"{kind} without a picture", remedy)
    return chosen


def _say_rule(naming: Naming, result):
    """Remark by which rule masks were found, where it is not the plain one."""
    labelled = [pair for pair in result.pairs if pair.mask]
    if labelled and not naming.plain:
        pair = labelled[0]
        result.remarks.append(f"masks are named as {pair.mask.name} for {pair.image.name}")
    several = [pair.name for pair in labelled if pair.more_masks]
    if several:
        result.remarks.append(f"several masks of one picture are united: {few(several)}")
