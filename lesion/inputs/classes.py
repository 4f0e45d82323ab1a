"""Which classes of shapes are lesion: judged over all annotated pictures of a data folder."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from lesion.console import InputError
from lesion.inputs.annotations.entry import shown
from lesion.inputs.annotations.shapes import class_key
from lesion.inputs.findings import Source
from lesion.inputs.folders import few
from lesion.inputs.legend import Legend
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_truth, shown_size

# What people call the surroundings, where there is one other class besides.
BACKGROUND = {"background", "_background_", "bg", "skin", "healthy skin", "normal skin"}
BACKGROUND |= {"normal", "unlabeled", "__ignore__"}
SHOWN_CLASSES = 20


def check_class_names(pairs: Sequence[Pair], legend: Legend) -> None:
    """Raise an InputError, which lists what there is, for a class of which there is no shape."""
    counts, listed = classes_of(pairs)
    for name in legend.lesion_class:
        if class_key(name) not in counts:
            there = f"there are {listed}" if counts else "there are no shapes, only mask files"
            raise InputError(f"no shape is of the class {name}; {there}")


def judge_classes(source: Source, legend: Legend) -> None:
    """Settle which classes are lesion, or call it a problem of every annotated pair that none is.

    One class is lesion, and so is one beside a class of background. More have to be chosen from.
    """
    _remark_scaled(source)
    counts, listed = classes_of(source.pairs)
    lesion = [key for key in counts if key not in BACKGROUND]
    if legend.lesion_class or not counts or (len(counts) == len(lesion) == 1):
        return
    if len(lesion) == 1:
        source.remarks.append(f"of the classes {listed}, {lesion[0]} is lesion")
        _take(source, lesion[0])
        return
    problem = (
        f"{source.path}: the shapes are of {len(counts)} classes: {listed}; say which are lesion: "
        "--lesion-class NAME ..."
    )
    for pair, finding in zip(source.pairs, source.findings, strict=True):
        if pair.annotation is not None:
            finding.problem = finding.problem or problem


def classes_of(pairs: Sequence[Pair]) -> tuple[Counter, str]:
    """Return (how many shapes there are of each class, by key; the same in words)."""
    labels, counts = {}, Counter()
    for pair in pairs:
        for shape in pair.annotation.shapes if pair.annotation else ():
            labels.setdefault(class_key(shape.label), shape.label)
            counts[class_key(shape.label)] += 1
    listed = [f"{shown(labels[key])} ({n})" for key, n in counts.most_common(SHOWN_CLASSES)]
    more = len(counts) - len(listed)
    return counts, ", ".join(listed) + (f" and {more} more" if more else "")


def _take(source, label):
    """Let one class be the lesion of the pairs, and look at their masks once more."""
    for number, (pair, finding) in enumerate(zip(source.pairs, source.findings, strict=True)):
        if pair.annotation is None:
            continue
        pair = replace(pair, legend=replace(pair.legend, lesion_class=(label,)))
        source.pairs[number] = pair
        if not finding.problem:
            finding.set_mask(read_truth(pair, finding.size))


def _remark_scaled(source):
    """Remark pictures that have been made smaller or larger since the shapes were drawn."""
    scaled = [
        f"{pair.name} ({shown_size(pair.annotation.size)} to {shown_size(finding.size)})"
        for pair, finding in zip(source.pairs, source.findings, strict=True)
        if pair.annotation and pair.annotation.size and finding.size and not finding.problem
        and sorted(pair.annotation.size) != sorted(finding.size)  # or only turned
    ]  # fmt: skip
    if scaled:
        source.remarks.append(f"shapes are scaled to the size of the picture: {few(scaled)}")
