"""Learn from validation pictures what a network's masks are worth, and which pictures it knows.

network.estimate = fit_estimate(network, split.validation)     # a predict.estimate.QualityEstimate
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lesion.inputs.pairing import Pair
from lesion.predict.estimate import Evidence, QualityEstimate, regressors
from lesion.predict.network import Network
from lesion.score.evaluation import even_sample, map_pairs
from lesion.score.metrics import dice

LEAST_PICTURES = 50  # fewer say too little about what is rare
DIRECTIONS = 32
PICTURES_A_DIRECTION = 10
FAMILIAR_SHARE = 0.99  # of the validation pictures are within the limit
FOLDS = 5
RIDGE = 1.0


def fit_estimate(
    network: Network, pairs: Sequence[Pair], progress: bool = True
) -> QualityEstimate | None:
    """Predict validation pictures and learn an estimate from how good their masks are.

    Args:
        network: with the threshold and `one_lesion` of later predictions.
        pairs: with masks, none of them trained on; of very many an even sample is taken.
        progress: shows a bar.

    Returns:
        The estimate; None where there are fewer than LEAST_PICTURES, or the network gives no
        features.

    Raises:
        InputError: a file cannot be read, or picture and mask differ in size.
    """
    if len(pairs) < LEAST_PICTURES:
        return None

    def work(pair, picture, truth, prediction):
        return prediction.evidence, dice(truth, prediction.mask)

    seen = list(map_pairs(work, network, even_sample(pairs), progress))
    evidence, scores = zip(*seen, strict=True)
    return None if evidence[0].features is None else learn(evidence, scores)


def learn(evidence: Sequence[Evidence], scores: Sequence[float]) -> QualityEstimate:
    """Learn an estimate from the evidence of pictures and the Dice of their masks.

    Each picture's distance is measured to the others without its fold: those that the reference is
    made of lie nearer to it than any new picture of the same kind.

    Args:
        evidence: with features, of LEAST_PICTURES or more.
        scores: float in 0..1, of the same pictures.
    """
    features = np.stack([one.features for one in evidence]).astype(np.float64)
    fold = np.random.default_rng(0).permutation(len(features)) % FOLDS
    distance = np.zeros(len(features))
    for number in range(FOLDS):
        within = fold == number
        distance[within] = _reference(features[~within]).distance(features[within])
    values = np.stack([regressors(*one) for one in zip(evidence, distance, strict=True)])
    return replace(
        _reference(features),
        weights=_regress(values, np.asarray(scores, np.float64)),
        limit=float(np.quantile(distance, FAMILIAR_SHARE)),
    )


def _reference(features):
    """Return an estimate that knows the distance to features (N, F), and nothing else yet."""
    count, width = features.shape
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale = np.maximum(scale, 0.1 * scale.mean() + 1e-6)  # a feature that is hardly ever there
    spread = np.linalg.svd((features - mean) / scale, full_matrices=False)
    variances = np.maximum(spread.S**2 / count, 1e-3)  # no direction knows no variation at all
    kept = min(DIRECTIONS, count // PICTURES_A_DIRECTION, width - 1)
    rest = max(variances[kept:].sum() / (width - kept), 1e-3)
    estimate = QualityEstimate(
        np.zeros(4), 0.0, mean, scale, spread.Vh[:kept], variances[:kept], float(rest), count
    )
    return QualityEstimate.from_dict(estimate.to_dict())  # rounded as it will be kept


def _regress(values, scores):
    """Return the weights of a logistic regression of scores in 0..1 on values (N, 4), by Newton.

    A small ridge on the scaled values keeps what hardly varies from weighing much.
    """
    mean, scale = values.mean(axis=0), values.std(axis=0) + 1e-6
    mean[0], scale[0] = 0, 1  # the constant
    scaled, ridge = (values - mean) / scale, np.diag([1e-6, *[RIDGE] * (values.shape[1] - 1)])
    weights = np.zeros(values.shape[1])
    for _ in range(50):
        expected = 1 / (1 + np.exp(-scaled @ weights))
        slope = scaled.T @ (expected - scores) + ridge @ weights
        curvature = (scaled.T * (expected * (1 - expected))) @ scaled + ridge
        weights -= np.linalg.solve(curvature, slope)
    weights /= scale
    weights[0] -= weights[1:] @ mean[1:]
    return weights
