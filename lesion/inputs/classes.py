"""Which classes of shapes are lesion: judged over all annotated pictures of a data folder."""

from collections import Counter
from dataclasses import replace

from lesion.console import InputError
from lesion.inputs.annotations.shapes import class_key
from lesion.inputs.findings import Source
from lesion.inputs.folders import few
from lesion.inputs.legend import Legend
from lesion.inputs.reading import read_truth, shown_size

# What people call the surroundings, where there is one other class besides.
BACKGROUND = {"background", "_background_", "bg", "skin", "healthy skin", "normal skin"}
BACKGROUND |= {"normal", "unlabeled", "__ignore__"}


def judge_classes(source: Source, legend: Legend) -> None:
    """Settle which classes are lesion, or call it a problem of every annotated pair that none is.

    One class is lesion, and so is one beside a class of background. More have to be chosen from.

    Raises:
        InputError: the legend names classes of which the folder has none.
    """
    indices = [index for index, pair in enumerate(source.pairs) if pair.annotation is not None]
    labels, counts = {}, Counter()  # by key: as it is written, how many shapes
    for index in indices:
        for shape in source.pairs[index].annotation.shapes:
            labels.setdefault(class_key(shape.label), shape.label)
            counts[class_key(shape.label)] += 1
    _remark_scaled(source, indices)
    if not counts:
        return
    listed = ", ".join(f"{labels[key]} ({count})" for key, count in counts.most_common())
    if legend.lesion_class:
        unknown = [name for name in legend.lesion_class if class_key(name) not in counts]
        if len(unknown) == len(legend.lesion_class):
            names = ", ".join(unknown)
            raise InputError(f"{source.path}: no shape is of the class {names}; there are {listed}")
        if unknown:
            source.remarks.append(f"no shape is of the class {', '.join(unknown)}, but: {listed}")
        return
    lesion = [key for key in counts if key not in BACKGROUND]
    if len(lesion) == 1:
        if len(counts) > 1:
            source.remarks.append(f"of the classes {listed}, {labels[lesion[0]]} is lesion")
            _take(source, indices, labels[lesion[0]])
        return
    problem = (
        f"{source.path}: the shapes are of {len(counts)} classes: {listed}; say which are lesion: "
        "--lesion-class NAME ..."
    )
    for index in indices:
        source.findings[index].problem = source.findings[index].problem or problem


def _take(source, indices, label):
    """Let one class be the lesion of the pairs, and look at their masks once more."""
    for index in indices:
        pair, finding = source.pairs[index], source.findings[index]
        pair = replace(pair, legend=replace(pair.legend, lesion_class=(label,)))
        source.pairs[index] = pair
        if finding.coverage is not None:
            finding.coverage = float(read_truth(pair, finding.size).mean())


def _remark_scaled(source, indices):
    """Remark pictures that have been made smaller or larger since the shapes were drawn."""
    scaled = [
        f"{pair.name} ({shown_size(pair.annotation.size)} to {shown_size(finding.size)})"
        for pair, finding in ((source.pairs[index], source.findings[index]) for index in indices)
        if pair.annotation.size and finding.size and not finding.problem
        and sorted(pair.annotation.size) != sorted(finding.size)  # or only turned
    ]  # fmt: skip
    if scaled:
        source.remarks.append(f"shapes are scaled to the size of the picture: {few(scaled)}")
