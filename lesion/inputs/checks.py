"""Look at every pair of a data folder before training: what is there, and what is wrong with it.

print(check("my_data"))
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lesion.console import InputError, usable_cores
from lesion.inputs.classes import check_class_names, classes_of, judge_classes
from lesion.inputs.findings import Finding, by_source
from lesion.inputs.folders import few, natural_key
from lesion.inputs.legend import PLAIN, Legend
from lesion.inputs.mask_checks import check_levels, judge_masks, look_at_masks
from lesion.inputs.pairing import DataFolder, Pair, find_parts
from lesion.inputs.reading import read_image_and_bits, shown_size
from lesion.inputs.seen import perceptual_hash
from lesion.inputs.splitting import division_remarks
from lesion.inputs.stored import judge_bits, judge_rotation

# Each is a function (source, legend) that judges all pairs of one data folder together, see
# `findings.Source`.
JUDGES = (judge_bits, judge_rotation, judge_masks, judge_classes)


@dataclass
class Report:
    """What `check_pairs` found. problems need a remedy; remarks are worth a look.

    The pairs of the folder say how they are to be read: with legend, bits and turn_mask.
    """

    folder: DataFolder
    findings: list[Finding]
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        pairs = self.folder.pairs
        groups = {pair.group for pair in pairs}
        lines = [
            f"folder    {self.folder.root}",
            f"layout    {self.folder.layout}",
            f"pictures  {len(pairs)}, of which {len(self.folder.labelled)} with a mask",
        ]
        if len(groups) < len(pairs):
            lines.append(f"{self.folder.unit:<9} {len(groups)}")
        if classes := classes_of(pairs)[1]:
            lines.append(f"classes   {classes}")
        if sizes := [finding.size for finding in self.findings if finding.size]:
            small, large = (shown_size(pick(sizes, key=np.prod)) for pick in (min, max))
            several = f"{small} to {large} pixels, {len(set(sizes))} different sizes"
            lines.append(f"sizes     {several if len(set(sizes)) > 1 else f'{small} pixels'}")
        if covered := [f.coverage for f in self.findings if f.coverage is not None]:
            low, middle, high = np.percentile(covered, (0, 50, 100))
            lines.append(
                f"masks     cover {low:.1%} to {high:.1%} of the picture, median {middle:.1%}"
            )
        lines += [f"remark    {remark}" for remark in self.remarks]
        lines += [f"passed over: {line}" for line in self.folder.passed_over]
        lines += [f"problem   {problem}" for problem in self.problems]
        lines.append(f"problems  {len(self.problems) or 'none'}")
        return lines


@dataclass(frozen=True)
class CheckResult:
    """What `check` found, as lines of text; print it to read them. passed: there is no problem."""

    lines: list[str]
    passed: bool

    def __str__(self):
        return "\n".join(self.lines)


def check(
    data: str | Path | Sequence[str | Path], progress: bool = True, legend: Legend = PLAIN
) -> CheckResult:
    """Look at every pair of one or more data folders, and at what their parts have in common.

    Args:
        data: folder, or several.
        progress: shows a bar.
        legend: what the person said on levels and classes.

    Raises:
        InputError, FileNotFoundError: as `find_pairs`.
    """
    lines, passed, others = [], True, {}
    for directory in [data] if isinstance(data, str | Path) else data:
        reports = check_parts(find_parts(directory), progress, legend)
        for part in reports:
            lines += [f"== {part}"] * bool(part) + reports[part].lines()
        shared = shared_pictures(reports)
        remedy = "remove them from one of the two, or scores will look too good"
        lines += [f"problem   {line}; {remedy}" for line in shared]
        passed = passed and not shared and not any(report.problems for report in reports.values())
        here = {f"{directory} {part}".rstrip(): report for part, report in reports.items()}
        for one in product(others.items(), here.items()):
            lines += [f"remark    {line}" for line in shared_pictures(dict(one))]
        others |= here
    return CheckResult(lines, passed)


def check_parts(
    folders: dict[str, DataFolder], progress: bool = True, legend: Legend = PLAIN
) -> dict[str, Report]:
    """Return {part: Report} of what `find_parts` returned; the parts are judged together."""
    every = [pair for folder in folders.values() for pair in folder.pairs]
    pairs, findings, remarks = look_at(every, progress, legend)
    reports = {}
    for part, folder in folders.items():
        (here, pairs), (seen, findings) = (
            (listed[: len(folder.pairs)], listed[len(folder.pairs) :])
            for listed in (pairs, findings)
        )
        reports[part] = _report(replace(folder, pairs=here), seen, remarks)
        remarks = []  # they are on the whole and told once
    return reports


def check_pairs(folder: DataFolder, progress: bool = True, legend: Legend = PLAIN) -> Report:
    """Read every pair of a DataFolder and return the Report.

    Problems: those of the folder, files that cannot be read, a mask whose size differs from its
    picture's, masks that all are empty or all full. Remarks: empty, full and inverted-looking
    masks, pictures that are there more than once.

    Args:
        progress: shows a bar.
        legend: what the person said on levels and classes.
    """
    return check_parts({"": folder}, progress, legend)[""]


def look_at(
    pairs: Sequence[Pair], progress: bool = True, legend: Legend = PLAIN
) -> tuple[list[Pair], list[Finding], list[str]]:
    """Read every file once, and judge the pairs of each data folder together.

    Args:
        pairs: as they were found, each of them once.
        progress: shows a bar.
        legend: what the person said on levels and classes.

    Returns:
        (the pairs, which now say how they are to be read; what was seen in each; remarks).

    Raises:
        InputError: the legend does not fit what is there.
    """
    check_class_names(pairs, legend)
    pairs = [replace(pair, legend=legend) for pair in pairs]
    with ThreadPoolExecutor(usable_cores()) as pool:  # decoding runs outside Python's lock
        look = tqdm(
            pool.map(_look_at, pairs),
            total=len(pairs),
            desc="checking",
            unit="picture",
            disable=not progress,
        )
        findings = list(look)
    sources = by_source(pairs, findings)
    check_levels(sources, legend)
    for source in sources:
        for judge in JUDGES:
            judge(source, legend)
    judged = {pair.image: pair for source in sources for pair in source.pairs}
    hashes = [finding.perceptual_hash for finding in findings]
    pairs = [
        replace(judged[pair.image], perceptual_hash=digest)
        for pair, digest in zip(pairs, hashes, strict=True)
    ]
    remarks = [remark for source in sources for remark in source.remarks]
    return pairs, findings, remarks


def problems_of(findings: Sequence[Finding]) -> list[str]:
    """Return the problems, each once: what is wrong with several files is told in one line."""
    by_text = defaultdict(list)
    for problem in dict.fromkeys(finding.problem for finding in findings if finding.problem):
        path, separator, text = problem.partition(": ")
        by_text[separator + text].append(path)
    return [
        paths[0] + (f" and {len(paths) - 1} more" if len(paths) > 1 else "") + text
        for text, paths in by_text.items()
    ]


def _report(folder, findings, remarks):
    problems = folder.problems + problems_of(findings)
    remarks = [*folder.remarks, *division_remarks(folder), *remarks]
    masked = [finding for finding in findings if finding.coverage is not None]
    for share, word in ((0, "empty"), (1, "full")):
        names = [finding.name for finding in masked if finding.coverage == share]
        if names and len(names) == len(masked):
            problems.append(f"{folder.root}: every mask is {word}; draw the lesions into them")
        elif names:
            remarks.append(f"{word} mask: {few(names)}")
    if inverted := [finding.name for finding in masked if finding.inverted]:
        remarks.append(f"mask looks inverted (its whole frame is lesion): {few(inverted)}")
    remarks += [
        f"the same picture: {few(sorted(names, key=natural_key))}"
        for names in _by_fingerprint(findings).values()
        if len(names) > 1
    ]
    return Report(folder, findings, problems, remarks)


def shared_pictures(reports: dict[str, Report]) -> list[str]:
    """Return a line for each pair of parts that hold the same picture or the same lesion.

    reports: {part: Report}. A score on a part that shares pictures with training is no score.
    """
    lines = []
    parts = list(reports)
    for index, part in enumerate(parts):
        for other in parts[index + 1 :]:
            known, seen = (_by_fingerprint(reports[name].findings) for name in (part, other))
            same = [
                f"{known[fingerprint][0]} is {seen[fingerprint][0]}"
                for fingerprint in known.keys() & seen.keys()
            ]
            if same:
                same.sort(key=natural_key)
                lines.append(f"{part} and {other} share {len(same)} picture(s): {few(same)}")
            lesions = _lesions(reports[part]) & _lesions(reports[other])
            if lesions:
                shown = few(sorted(lesions, key=natural_key))
                lines.append(f"{part} and {other} share {len(lesions)} lesion(s): {shown}")
    return lines


def _lesions(report):
    return {pair.group for pair in report.folder.pairs if pair.group != pair.name}


def _look_at(pair):
    finding = Finding(pair.name)
    try:
        picture, finding.bits = read_image_and_bits(pair.image)
        finding.size = picture.shape[:2]
        beginning = repr(finding.size).encode()
        finding.fingerprint = hashlib.sha256(beginning + picture.tobytes()).hexdigest()
        finding.perceptual_hash = perceptual_hash(picture)
        look_at_masks(pair, finding, picture)
    except (InputError, FileNotFoundError) as error:
        finding.problem = str(error)
    return finding


def _by_fingerprint(findings):
    names = defaultdict(list)
    for finding in findings:
        if finding.fingerprint:
            names[finding.fingerprint].append(finding.name)
    return names
