"""How the files of a data folder are stored, judged over all of them: bits and rotation notes."""

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from lesion.console import InputError
from lesion.inputs.decoding import look
from lesion.inputs.findings import Source
from lesion.inputs.folders import few
from lesion.inputs.legend import Legend
from lesion.inputs.orientation import UPRIGHT, judge_turns, turn_evidence
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_image_and_bits, read_truth

OTHER_SCALE = 4  # bits by which the highest values of one camera's pictures hardly ever differ
CONTRADICTION = 0.5  # `turn_evidence` against all others that is worth a look


def common_bits(paths: Iterable[Path]) -> dict[Path, int]:
    """Return {path: the bits as which `read_image` should take its values} of 16-bit files.

    Only these are decoded. Those that cannot be read are passed over: who reads them for good will
    say why.
    """
    own = {}
    for path in paths:
        with suppress(InputError, FileNotFoundError):
            if look(path).deep:
                own[path] = read_image_and_bits(path)[1]
    scales = _scales(own.values())
    return {path: scales[bits] for path, bits in own.items()}


def judge_bits(source: Source, legend: Legend) -> None:
    """Let all deep pictures of one camera have the bits that the highest of their values shows."""
    own = [finding.bits for finding in source.findings]
    scales = _scales(bits for bits in own if bits)
    source.pairs = [
        replace(pair, bits=scales.get(bits)) for pair, bits in zip(source.pairs, own, strict=True)
    ]
    for scale in sorted({*scales.values()} - {8, 16}):
        count = sum(scales.get(bits) == scale for bits in own)
        source.remarks.append(f"{scale}-bit values in 16-bit files: {count} picture(s)")
    if len({*scales.values()}) > 1:
        lowest = min(scales.values())
        names = [finding.name for finding in source.findings if scales.get(finding.bits) == lowest]
        source.remarks.append(
            f"taken as {lowest}-bit values, unlike other 16-bit files of this folder, beside which "
            f"they would be black: {few(names)}"
        )


def _scales(own):
    """Return {own bits of a picture: bits of the pictures that it is scaled with}."""
    scales, highest = {}, math.inf
    for bits in sorted(set(own), reverse=True):
        if highest - bits >= OTHER_SCALE:
            highest = bits
        scales[bits] = highest
    return scales


def read_both_ways(pair: Pair, picture: np.ndarray) -> tuple[np.ndarray, float | None]:
    """Return (the truth of a pair, whether its turned masks are the right ones).

    That they are is said from -1 to 1 by `turn_evidence`, or by the sizes: without bounds, since
    only one of the two fits. None: the picture has no rotation note, a mask has its own, or there
    is nothing to choose.

    Raises:
        InputError, FileNotFoundError: as `read_truth` of masks that do not fit in either way.
    """
    if own_turn(pair) == UPRIGHT:
        return read_truth(pair, picture.shape), None
    ways, problem = [], None
    for turned in (False, True):
        try:
            ways.append(read_truth(replace(pair, turn_mask=turned), picture.shape))
        except InputError as error:
            problem = problem or error
            ways.append(None)
    plain, turned = ways
    if plain is None and turned is None:
        raise problem
    if plain is None or turned is None:
        return (turned, math.inf) if plain is None else (plain, -math.inf)
    return plain, turn_evidence(picture, plain, turned)


def own_turn(pair: Pair) -> int:
    """Return the rotation note of a picture that its masks have not, else `UPRIGHT`."""
    note = look(pair.image).orientation
    if note == UPRIGHT:  # nearly always: no mask need be opened for it
        return UPRIGHT
    masks = (pair.mask, *pair.more_masks) if pair.annotation is None else ()
    return UPRIGHT if any(look(mask).orientation != UPRIGHT for mask in masks) else note


def judge_rotation(source: Source, legend: Legend) -> None:
    """Decide which masks are turned as the rotation notes of their pictures say.

    Where sizes do not tell, the masks of the whole folder are compared with their pictures.
    """
    told = {
        i: f.turn_evidence for i, f in enumerate(source.findings) if f.turn_evidence is not None
    }
    by_size = {i: evidence > 0 for i, evidence in told.items() if math.isinf(evidence)}
    by_edges = {i: evidence for i, evidence in told.items() if math.isfinite(evidence)}
    verdict = judge_turns(list(by_edges.values()))
    if verdict is None and len(set(by_size.values())) == 1:
        verdict = next(iter(by_size.values()))  # who passed over some notes passed over all
    names = [finding.name for finding in source.findings]
    if by_edges and verdict is None:
        undecided = [names[i] for i in by_edges]
        problem = (
            f"{source.path}: {len(undecided)} picture(s) with a rotation note (EXIF) have masks "
            f"without one, and neither sizes nor edges tell whether these are turned, too "
            f"({few(undecided)}); turn the masks as their pictures are seen, or save the pictures "
            "as they are seen, without the note"
        )
        for i in by_edges:
            source.findings[i].problem = source.findings[i].problem or problem
        by_edges = {}
    turned = by_size | dict.fromkeys(by_edges, verdict)
    source.pairs = [
        replace(pair, turn_mask=turned.get(i, False)) for i, pair in enumerate(source.pairs)
    ]
    for way, words in (
        (True, "masks turned as the rotation notes of their pictures say"),
        (False, "masks fit their pictures, which have rotation notes, as they are"),
    ):
        if listed := [names[i] for i in sorted(turned) if turned[i] is way]:
            source.remarks.append(f"{words}: {few(listed)}")
    sign = 1 if verdict else -1
    if odd := [names[i] for i, value in by_edges.items() if value * sign < -CONTRADICTION]:
        source.remarks.append(f"their masks seem to be turned otherwise: {few(odd)}")
