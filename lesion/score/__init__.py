"""How well masks fit the truth, beside baselines that learned nothing; imports no Keras.

rule = score.choose_mask_rule(network, split.validation)    # threshold, one lesion; on validation
rows = score.evaluate(network, split.test)
print(score.describe(score.write_scores(directory, rows, {"set": "test"})))
"""

from lesion.score.baselines import CentredDisc, baseline_table, otsu_largest_component
from lesion.score.calibration import Calibrated, calibrate, save_calibrated
from lesion.score.choice import THRESHOLDS, MaskRule, choose_mask_rule
from lesion.score.evaluation import (
    HUMAN,
    MODEL,
    evaluate,
    fit_disc,
    of_method,
    predict_pairs,
    predictions_of,
    predictions_without_truth,
)
from lesion.score.metrics import SCORES, score_pair
from lesion.score.quality import assess_quality, risk_coverage
from lesion.score.results import describe, format_table, write_scores
from lesion.score.summaries import (
    FAILURE_DICE,
    Calibration,
    bootstrap_interval,
    compare_paired,
    strata,
    summarise,
)

__all__ = [
    "FAILURE_DICE",
    "HUMAN",
    "MODEL",
    "SCORES",
    "THRESHOLDS",
    "Calibrated",
    "Calibration",
    "CentredDisc",
    "MaskRule",
    "assess_quality",
    "baseline_table",
    "bootstrap_interval",
    "calibrate",
    "choose_mask_rule",
    "compare_paired",
    "describe",
    "evaluate",
    "fit_disc",
    "format_table",
    "of_method",
    "otsu_largest_component",
    "predict_pairs",
    "predictions_of",
    "predictions_without_truth",
    "risk_coverage",
    "save_calibrated",
    "score_pair",
    "strata",
    "summarise",
    "write_scores",
]
