"""What `segment.py calibrate` brings to other annotators: tighter or wider ones, few pictures.

    python -m benchmarks.calibration --data DIR

Each picture is predicted once. Its truth is made tighter or wider, by the distance to its border,
until its area is a given share of what it was. Some lesions, drawn at random, calibrate; all the
others are scored before and after. Where `calibrate` refuses, nothing changes.
"""

import sys

import cv2
import numpy as np

from lesion.console import Parser, run
from lesion.inputs import filter_pairs, select_pairs
from lesion.options import SHIPPED_WEIGHTS
from lesion.predict import load_network
from lesion.score.calibration import Rule, cross_validate
from lesion.score.choice import THRESHOLDS, dice_both_ways
from lesion.score.evaluation import map_pairs

AREAS = (1, 0.87, 0.75, 1.15, 1.3)  # of what the annotators at hand drew
LESIONS = (5, 10, 20, 50)  # that calibrate
DRAWS = 200


def regrown(truth, share):
    """Return a 0/1 truth (H, W) whose area is `share` of what it was, by distance to its border."""
    truth = (truth == 1).astype(np.uint8)
    if not truth.any() or truth.all():
        return truth
    inside = cv2.distanceTransform(truth, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform(1 - truth, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    depth, kept = inside - outside, min(truth.size, max(1, round(share * truth.sum())))
    return (depth >= np.partition(depth.ravel(), -kept)[-kept]).astype(np.uint8)


def draw(dice, lesion_of, before, thresholds, count, rng):
    """Return the mean Dice of the lesions not drawn: before, after; and whether it was refused."""
    lesions = np.unique(lesion_of)
    drawn = rng.choice(lesions, count, replace=False)
    scores = np.stack([dice[lesion_of == lesion].mean(axis=0) for lesion in drawn])
    found = cross_validate(scores, thresholds, before, count)
    rest = dice[~np.isin(lesion_of, drawn)].mean(axis=0)

    def at(rule):
        return rest[int(rule.one_lesion), int(np.flatnonzero(thresholds == rule.threshold)[0])]

    return at(before), at(found.after if found.evident else before), not found.evident


def command(arguments):
    network = load_network(arguments.weights)
    chosen = select_pairs(arguments.data, arguments.weights, arguments.part)
    pairs, _ = filter_pairs(arguments.data, chosen.pairs)
    before = Rule(network.threshold, network.one_lesion)
    thresholds = np.union1d(THRESHOLDS, [before.threshold])

    def work(pair, picture, truth, prediction):
        grown = (regrown(truth, share) for share in AREAS)
        return np.stack([dice_both_ways(t, prediction.probability, thresholds) for t in grown])

    dice = np.stack(list(map_pairs(work, network, pairs)))  # (pictures, areas, 2, T)
    _, lesion_of = np.unique([pair.group for pair in pairs], return_inverse=True)
    print(f"{len(pairs)} pictures of {lesion_of.max() + 1} lesions, {chosen.set_name}; {before}")
    for index, share in enumerate(AREAS):
        rng = np.random.default_rng(0)
        for count in (n for n in LESIONS if n <= lesion_of.max()):
            several = (dice[:, index], lesion_of, before, thresholds, count, rng)
            was, now, refused = np.transpose([draw(*several) for _ in range(DRAWS)])
            print(
                f"areas x {share:4}, {count:2} lesions: before {was.mean():.4f}, after "
                f"{now.mean():.4f}, refused {refused.mean():4.0%}, worse by more than .001 "
                f"{np.mean(now < was - 0.001):5.1%}",
                flush=True,
            )


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--weights", default=SHIPPED_WEIGHTS, metavar="FILE")
    parser.add_argument("--part", choices=("validation", "test", "all"))
    return run(parser, command, argv)


if __name__ == "__main__":
    sys.exit(main())
