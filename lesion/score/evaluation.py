"""Scores of a network on pairs, each at its own size, beside baselines that learned nothing.

rows = evaluate(network, split.test)
summary = write_scores(run, rows, {"set": "test"})      # of results.py
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from lesion.console import InputError, note
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_image, read_mask, read_pair, read_second_truth, read_truth
from lesion.parallel import LARGE, in_order
from lesion.predict.network import Network, Prediction
from lesion.score.baselines import CentredDisc, baseline_table
from lesion.score.metrics import score_pair
from lesion.score.summaries import Calibration

Result = TypeVar("Result")

MODEL = "U-Net"
HUMAN = "second annotator"
MOST_PICTURES = 3000  # that something is chosen on or learnt from: more would change no digit shown


def map_pairs(
    work: Callable[[Pair, np.ndarray, np.ndarray, Prediction], Result],
    network: Network,
    pairs: Sequence[Pair],
    progress: bool = True,
    engine: Callable[..., Iterator] = in_order,
) -> Iterator[Result]:
    """Read and predict pairs, whatever their number, and yield what becomes of each, in order.

    Args:
        work: gets pair, picture uint8 (H, W, 3), truth mask (H, W) of 0, 1 and IGNORED, and
            prediction, in several threads at once.
        pairs: with masks.
        progress: shows a bar.
        engine: works on many, as `parallel.in_order` does; in other processes if work can be
            pickled.

    Raises:
        InputError: a file cannot be read, or picture and mask differ in size.
    """
    with closing(engine(_ReadPredictWork(network, work), pairs)) as results:
        yield from tqdm(
            results, "predicting", total=len(pairs), unit="picture", disable=not progress
        )


@dataclass(frozen=True)
class _ReadPredictWork:
    network: Network
    work: Callable

    def __call__(self, pair):
        picture, truth = read_pair(pair)
        with LARGE.use(truth.size):
            return self.work(pair, picture, truth, self.network.predict(picture))


def even_sample(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs, or MOST_PICTURES of them at even distances where there are more."""
    count = min(len(pairs), MOST_PICTURES)
    return [pairs[index] for index in np.linspace(0, len(pairs) - 1, count).round().astype(int)]


def predict_pairs(
    network: Network, pairs: Sequence[Pair], progress: bool = True
) -> Iterator[tuple[Pair, np.ndarray, np.ndarray, Prediction]]:
    """Yield what `map_pairs` gives to work: pair, picture, truth and prediction."""
    return map_pairs(lambda *seen: seen, network, pairs, progress)


def fit_disc(pairs: Iterable[Pair]) -> CentredDisc:
    """Fit the centred disc, a baseline, on the masks of training pairs."""
    return CentredDisc.fit(map(read_truth, pairs))


def disc_of(network: Network) -> CentredDisc | None:
    """Return the centred disc of a network's training masks; None for weights without one."""
    radius = network.settings.get("centred_disc_radius")
    return None if radius is None else CentredDisc(float(radius))


def evaluate(
    network: Network,
    pairs: Sequence[Pair],
    *,
    calibration: Calibration | None = None,
    progress: bool = True,
    engine: Callable[..., Iterator] = in_order,
    done: MutableMapping[str, dict] | None = None,
) -> list[dict]:
    """Score the network and every baseline on each pair, at the picture's own size.

    Args:
        pairs: with masks, each with a name of its own.
        calibration: counts the network's probabilities, or None.
        progress: shows a bar.
        engine: as `map_pairs` takes it.
        done: what is known of pairs that are scored already, by name; these are passed over. Gets
            the others, each once it is scored. A `journal.Journal` keeps them on disk.

    Returns:
        list of dicts, one for each picture and method: name, method (MODEL, a baseline's name, or
        HUMAN for a second annotator's mask where the picture has one: human against human), then
        `metrics.score_pair`, quality (the network's `predict.Prediction.quality`; None for the
        others), then the picture's metadata if any.

    Raises:
        InputError: as `map_pairs`, or the second annotator's mask has another size.
    """
    done = {} if done is None else done
    missing = [pair for pair in pairs if pair.name not in done]
    work = _Scores(disc_of(network), calibration is not None)
    results = map_pairs(work, network, missing, progress, engine)
    for pair, result in zip(missing, results, strict=True):
        done[pair.name] = result
    if calibration is not None:
        for pair in pairs:
            calibration.add(Calibration.of(done[pair.name]["counted"]))
    return [row for pair in pairs for row in done[pair.name]["rows"]]


@dataclass(frozen=True)
class _Scores:
    """Scores one pair as `map_pairs` asks for it; attributes: a baseline, and whether to count."""

    disc: CentredDisc | None
    calibrate: bool

    def __call__(self, pair, picture, truth, prediction):
        counted = Calibration()
        if self.calibrate:
            counted.update(truth, prediction.probability)
        masks = {MODEL: prediction.mask}
        masks |= {name: draw(picture) for name, draw in baseline_table(self.disc).items()}
        if pair.second_mask is not None:
            masks[HUMAN] = read_second_truth(pair, truth.shape)
        quality = {MODEL: prediction.quality}
        rows = [_row(pair, name, truth, mask, quality) for name, mask in masks.items()]
        return {"rows": rows, "counted": counted.counts()}


def _row(pair, method, truth, mask, quality):
    """Return the scores of one mask, with the picture's metadata."""
    row = {"name": pair.name, "method": method, **score_pair(truth, mask)}
    row["quality"] = quality.get(method)
    # A metadata file may have a column "name" or "quality" too.
    return row | {key: value for key, value in pair.metadata.items() if key not in row}


def of_method(rows: Iterable[dict], method: str = MODEL) -> list[dict]:
    """Return the rows of one method, in the order of the pictures."""
    return [row for row in rows if row["method"] == method]


def predictions_of(network: Network, pairs: Iterable[Pair], rows: Sequence[dict]) -> list[dict]:
    """Return what `show.predictions` draws of some scored pictures, in the order of `rows`.

    Args:
        pairs: hold those pictures.
        rows: rows of `evaluate`, such as the four with the lowest Dice.
    """
    by_name = {pair.name: pair for pair in pairs}
    predicted = predict_pairs(network, [by_name[row["name"]] for row in rows], progress=False)
    return [
        {
            "name": pair.name,
            "dice": row["dice"],
            "picture": picture,
            "truth": truth,
            "prediction": prediction.mask,
        }
        for row, (pair, picture, truth, prediction) in zip(rows, predicted, strict=True)
    ]


def predictions_without_truth(network: Network, pairs: Iterable[Pair]) -> list[dict]:
    """Return what `show.predictions` draws of pictures that have no label.

    Another model's prediction that cannot be read as a mask is left out, and a note says so.

    Args:
        pairs: without masks.
    """
    shown = []
    for pair in pairs:
        picture, other = read_image(pair.image, bits=pair.bits), None
        if pair.prediction is not None:
            try:
                other = read_mask(pair.prediction)
            except InputError as error:
                note(f"not shown: {error}")
        prediction = network.predict(picture).mask
        shown.append(
            {"name": pair.name, "picture": picture, "prediction": prediction, "other": other}
        )
    return shown
