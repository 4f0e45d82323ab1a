"""Look at every pair of a data folder before training: what is there, and what is wrong with it.

print(check("my_data"))
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from lesion.console import InputError, usable_cores
from lesion.inputs.folders import few, natural_key
from lesion.inputs.pairing import DataFolder
from lesion.inputs.reading import read_image, read_mask, shown_size, size_problem
from lesion.inputs.splitting import find_parts


@dataclass(frozen=True)
class Finding:
    """What was seen in one pair; coverage is None without a readable mask, 0-1 otherwise."""

    name: str
    size: tuple[int, int] | None = None  # height, width
    coverage: float | None = None
    inverted: bool = False  # the mask looks as if lesion and background were exchanged
    fingerprint: str = ""  # of the picture's pixels
    problem: str = ""


@dataclass
class Report:
    """What `check_pairs` found. problems need a remedy; remarks are worth a look."""

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
            lines.append(f"lesions   {len(groups)}")
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


def check(data: str | Path | Sequence[str | Path], progress: bool = True) -> CheckResult:
    """Look at every pair of one or more data folders, and at what their parts have in common.

    Args:
        data: folder, or several.
        progress: shows a bar.

    Raises:
        InputError, FileNotFoundError: as `find_pairs`.
    """
    lines, passed = [], True
    for directory in [data] if isinstance(data, str | Path) else data:
        reports = {}
        for part, folder in find_parts(directory).items():
            reports[part] = check_pairs(folder, progress)
            lines += [f"== {part}"] * bool(part) + reports[part].lines()
        shared = shared_pictures(reports)
        remedy = "remove them from one of the two, or scores will look too good"
        lines += [f"problem   {line}; {remedy}" for line in shared]
        passed = passed and not shared and not any(report.problems for report in reports.values())
    return CheckResult(lines, passed)


def check_pairs(folder: DataFolder, progress: bool = True) -> Report:
    """Read every pair of a DataFolder and return the Report.

    Problems: those of the folder, files that cannot be read, a mask whose size differs from its
    picture's, masks that all are empty or all full. Remarks: empty, full and inverted-looking
    masks, pictures that are there more than once. progress: shows a bar.
    """
    with ThreadPoolExecutor(usable_cores()) as pool:  # decoding runs outside Python's lock
        look = tqdm(
            pool.map(_look_at, folder.pairs),
            total=len(folder.pairs),
            desc="checking",
            unit="picture",
            disable=not progress,
        )
        findings = list(look)
    problems = folder.problems + [finding.problem for finding in findings if finding.problem]
    remarks = []
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
    try:
        picture = read_image(pair.image)
        size = picture.shape[:2]
        fingerprint = hashlib.sha256(repr(size).encode() + picture.tobytes()).hexdigest()
    except (InputError, FileNotFoundError) as error:
        return Finding(pair.name, problem=str(error))
    if pair.mask is None:
        return Finding(pair.name, size, fingerprint=fingerprint)
    try:
        mask = read_mask(pair.mask)
    except (InputError, FileNotFoundError) as error:
        return Finding(pair.name, size, fingerprint=fingerprint, problem=str(error))
    problem = size_problem(pair, size, mask.shape)
    return Finding(pair.name, size, float(mask.mean()), _looks_inverted(mask), fingerprint, problem)


def _looks_inverted(mask):
    # A lesion leaves background at the frame; a mask with the two exchanged leaves none there.
    frame = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    return bool(all(side.all() for side in frame) and not mask.all())


def _by_fingerprint(findings):
    names = defaultdict(list)
    for finding in findings:
        if finding.fingerprint:
            names[finding.fingerprint].append(finding.name)
    return names
