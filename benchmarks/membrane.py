"""The first system's protocol on its own 30 pictures, with this project's networks.

    python -m benchmarks.membrane --data DIR --out runs/membrane

DIR holds train/image and train/label with the 30 gray 512x512 slices of the ISBI 2012 challenge:
neurons under an electron microscope, not skin; a label is white inside a cell and black on a
membrane. The protocol: the last 3 pictures in natural order are the validation set, the score is
soft Dice over all their pixels together (smooth 1), and the best epoch counts. Because 78 % of a
label is white, an all-white answer already scores high: it is printed beside the result.
"""

import sys
from pathlib import Path

import keras
import numpy as np

from data import TrainingData, ValidationData
from lesion import console
from lesion.console import Parser, number_between
from lesion.inputs.pairing import find_pairs
from lesion.runs import claim_folder, releasing
from lesion.storage import write_json
from lesion.training import compile_model, fit
from unet import NETWORKS, build, soft_dice

VALIDATION_PAIRS = 3
SEED_NOTEBOOK_BEST = 0.9188  # validation Dice that the first system reports for its best epoch


def find_slices(data):
    """Return the pairs of the first system's training folder, in natural order.

    Raises:
        InputError, FileNotFoundError: as `inputs.find_pairs`.
    """
    folder = data / "train"
    return find_pairs(folder if folder.is_dir() else data).labelled


def batch_dice(y_true, y_pred):
    """Soft Dice over all pixels of the batch at once, the score of the tutorials."""
    return soft_dice(*(keras.ops.reshape(y, (1, -1, 1, 1)) for y in (y_true, y_pred)))[0]


def measure(arguments):
    with releasing(claim_folder(arguments.out)) as run:
        pairs = find_slices(arguments.data)
        keras.utils.set_random_seed(0)
        size, batch = arguments.size, 4
        training, validation = pairs[:-VALIDATION_PAIRS], pairs[-VALIDATION_PAIRS:]
        training_data = TrainingData(training, size, batch, channels=1)
        validation_data = ValidationData(validation, size, VALIDATION_PAIRS, channels=1)
        truth = np.concatenate([y for _, y in validation_data])
        all_white = float(batch_dice(truth, np.ones_like(truth)))

        model = build(arguments.model, (size, size, 1))
        metric = keras.metrics.MeanMetricWrapper(batch_dice, name="batch_dice")
        rate = NETWORKS[arguments.model].learning_rate
        compile_model(
            model, "bce", arguments.epochs, len(training_data), rate, extra_metrics=[metric]
        )
        history = fit(model, training_data, validation_data, arguments.epochs, run)
        scores = history.history["val_batch_dice"]
        best = int(np.argmax(scores))
        result = {
            "validation pictures": [pair.name for pair in validation],
            "best epoch": best + 1,
            "validation soft Dice, best epoch": scores[best],
            "validation soft Dice, last epoch": scores[-1],
            "all-white baseline": all_white,
            "the first system, best epoch": SEED_NOTEBOOK_BEST,
        }
        write_json(run / "scores.json", result)
    for name, value in result.items():
        print(f"{name:36} {value if not isinstance(value, float) else round(value, 4)}")


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds train/image, train/label")
    parser.add_argument("--out", type=Path, required=True, help="a new folder for the results")
    parser.add_argument("--model", choices=tuple(NETWORKS), default="lean")
    parser.add_argument("--epochs", type=number_between(1, 10_000), default=40)
    parser.add_argument("--size", type=number_between(16, 2048), default=512, help="pixels a side")
    return console.run(parser, measure, argv)


if __name__ == "__main__":
    sys.exit(main())
