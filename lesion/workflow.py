"""Whole runs, for the command line: the steps that the notebook shows one by one.

train(inputs.load(settings), settings, run)    # trains, chooses a threshold, scores, saves
score(network, pairs, set_name, directory)
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import keras

import unet
from data import TrainingData, ValidationData, pipeline_error
from lesion import distribution, processes, show
from lesion.console import InputError, note, without_errors_shown
from lesion.inputs import EVERY_PAIR, SeenPictures, Split, unique_names, warning_on
from lesion.predict.network import Network, load_network, start_from
from lesion.report import write_report
from lesion.runs import describe_environment
from lesion.score import challenge
from lesion.score.choice import FEWEST, choose_mask_rule
from lesion.score.estimation import fit_estimate
from lesion.score.evaluation import evaluate, fit_disc
from lesion.score.results import describe, write_scores
from lesion.score.summaries import Calibration
from lesion.settings import RANDOM, Settings
from lesion.show.live import Growth
from lesion.storage import write_json
from lesion.training import CHECKPOINT, History, compile_model, fit, save_model


def train(split: Split, settings: Settings, run: str | Path) -> Network:
    """Train a network on a split, choose its mask rule on validation, score it, save all.

    Args:
        split, settings, run: as `Training` takes them. Without test pairs the scores are those of
            the validation pairs, and say so.

    Returns:
        `predict.Network`.

    Raises:
        InputError: as `Training`, or a file cannot be read.
        KeyboardInterrupt: stopped by hand; the run can be gone on with.
        SystemExit: in a process that has helped the leading one, which does the rest.
    """
    run = Path(run)
    print(
        f"{len(split.train)} pairs for training, {len(split.validation)} for validation, "
        f"{len(split.test)} for test"
    )
    if (run / "model.keras").exists():  # stopped while it was being scored
        distribution.part()
        refuse_ended(run)
        record(run, settle(settings, split), split)
        network = load_network(run / "model.keras")
    else:
        trained = Training(split, settings, run)
        if trained.fit().interrupted:
            raise KeyboardInterrupt
        trained.model = distribution.part(trained.model)
        network = trained.finish()
    score(network, *scored_part(split), run)
    return network


def scored_part(split: Split) -> tuple[list, str]:
    """Return the pairs that a training is scored on, test or else validation, and their name."""
    pairs, set_name = (split.test, "test") if split.test else (split.validation, "validation")
    return unique_names(pairs), set_name


class Training:
    """A training in a run folder of its own: a new network, compiled, ready to be fitted.

        trained = Training(split, settings, run)
        history = trained.fit()
        network = trained.finish()

    A folder that holds the beginning of the same training is gone on with from its last checkpoint
    and ends as if it had never been interrupted.

    Args:
        split: `inputs.Split` with training and validation pairs.
        settings: `Settings`; what is None there becomes the network's own.
        run: folder for the results, made where it is missing.

    Attributes:
        settings: the complete `Settings` of this network, whatever becomes of the ones given.
        run: `Path` of the run folder.
        model: the `keras.Model`.
        history: what `fit` returned, None before it.
        rule: `score.choice.MaskRule` that `finish` chose, None before it.
        growth: `show.live.Growth` that shows the training, made by `fit` if there is none.

    Raises:
        InputError: a constant or weights to start from do not fit, the split was made with other
            constants, or the folder holds another training.
    """

    def __init__(self, split: Split, settings: Settings, run: str | Path):
        self.split, self.settings = split, settle(settings, split)
        _check_split(split, self.settings)
        self.run = Path(run)
        refuse_ended(self.run)
        if processes.leads():
            record(self.run, self.settings, split)
        settings = self.settings
        with without_errors_shown():  # the first call imports TensorFlow, if it is there at all
            keras.utils.set_random_seed(settings.seed)
        shape = settings.image_size, settings.batch_size, settings.channels
        chance = settings.seed, settings.augmentation
        self.training_data = TrainingData(split.train, *shape, *chance, processes.share())
        self.validation_data = ValidationData(split.validation, *shape, processes.share())
        size = settings.image_size
        self.model = unet.build(settings.model, (size, size, settings.channels))
        if settings.start_from != RANDOM and not (self.run / CHECKPOINT).exists():
            start_from(self.model, settings.start_from)
        plan = settings.epochs, len(self.training_data), settings.learning_rate
        compile_model(self.model, settings.loss, *plan, settings.averaging)
        self.history = self.rule = self.growth = None

    def fit(self, callbacks: Sequence[keras.callbacks.Callback] = ()) -> History:
        """Train, from the last checkpoint if there is one; a second call goes on after a stop.

        Args:
            callbacks: further ones, such as those of Weights & Biases or MLflow (CONTRIBUTING.md).

        Returns:
            `training.History`, also of a training that was stopped by hand.
        """
        settings = self.settings
        if self.history and not self.history.interrupted:
            return self.history
        try:
            if self.growth is None and processes.leads():
                self.growth = Growth.of_run(self.run, self.split.validation, settings.channels)
            self.history = fit(
                self.model,
                self.training_data,
                self.validation_data,
                settings.epochs,
                self.run,
                settings.patience,
                resume=True,
                callbacks=[*filter(None, [self.growth]), *callbacks],
            )
        except Exception as error:
            line = pipeline_error(error)
            if line is None:
                raise
            raise InputError(line) from None  # what a reader said in one of TensorFlow's threads
        return self.history

    def finish(self) -> Network:
        """Choose on validation pairs how masks are made of probabilities; save the network.

        Returns:
            `predict.Network`, as `load_network(run / "model.keras")` would give it.
        """
        if not self.history:
            raise InputError("nothing is trained yet: run the cell with fit() first")
        network = Network(self.model, self.settings.image_size)
        rule = choose_mask_rule(network, self.split.validation, progress=False)
        network.threshold, network.one_lesion = rule.threshold, rule.one_lesion
        print(rule)
        self.rule = rule
        seen = seen_pictures(self.split, self.settings.model, self.settings.start_from)
        seen.write(self.run / "model.keras")
        network.estimate = fit_estimate(network, self.split.validation, progress=False)
        network.settings = {
            **_recorded(self.settings),
            "threshold": rule.threshold,
            "one_lesion": rule.one_lesion,
            "validation_dice": rule.validation_dice,
            "centred_disc_radius": fit_disc(self.split.train).radius,
            **describe_environment(),
        }
        if network.estimate:
            network.settings["quality_estimate"] = network.estimate.to_dict()
        save_model(self.model, self.run / "model.keras", network.settings)
        return network


def settle(settings: Settings, split: Split) -> Settings:
    """Return the complete settings of a training on this split.

    Without a patience of their own, few validation pictures neither end it nor choose its epoch:
    what is best of six is so by chance, while the last epochs are the steadiest.
    """
    settings = settings.complete()
    return settings.patient() if len(split.validation) >= FEWEST else settings


def seen_pictures(split: Split, model: str, start_from: str) -> SeenPictures:
    """Return the pictures that a network has seen, also before it was trained on this split.

    Args:
        model: its name in `unet.NETWORKS`, whose own start has seen no pictures of this kind.
        start_from: path of the weights that it began from, or RANDOM.
    """
    seen, shipped = SeenPictures.of(split), unet.NETWORKS[model].start
    if start_from == RANDOM or (shipped and Path(start_from).name == Path(shipped).name):
        return seen
    return seen.joined(SeenPictures.read(start_from))


def _check_split(split, settings):
    """A notebook's constant may have been changed after the pictures were divided."""
    for name, was in split.made_with.items():
        if was != getattr(settings, name):
            raise InputError(
                f"{name.upper()} was {was} when the pictures were divided and is "
                f"{getattr(settings, name)} now: divide them again with the new one first"
            )


def _recorded(settings):
    """The settings as their record holds them: what they name is found from any folder."""
    about = asdict(settings) | {"data": [str(Path(folder).resolve()) for folder in settings.data]}
    if settings.start_from != RANDOM:
        about["start_from"] = str(Path(settings.start_from).resolve())
    return about


def refuse_ended(run: Path) -> None:
    """Raise InputError if a training has come to its end in this folder."""
    if (run / "report.html").exists():  # what is written last
        raise InputError(
            f"{run}: this training has ended: score its weights with segment.py evaluate"
        )


def record(run: Path, settings: Settings, split: Split | None, folds: int | None = None) -> None:
    """Write what a training is into its folder, or check that it is the one begun there.

    Args:
        settings: complete.
        split: None for a cross-validation as a whole, of which `folds` is the number.

    Raises:
        InputError: another training was begun there, or the data have changed.
    """
    about = _recorded(settings) | {"folds": folds}
    path = run / "parameters.json"
    if not path.is_file():
        run.mkdir(parents=True, exist_ok=True)
        if split:
            split.write(run / "split.json")
        write_json(path, {**about, **describe_environment()})
        return
    # What an earlier version did not know yet had the effect that its default has.
    begun = asdict(Settings()) | {"folds": None} | json.loads(path.read_text(encoding="utf-8"))
    begun["start_from"] = begun["start_from"] or RANDOM
    begun, about = (json.loads(json.dumps(one, default=str)) for one in (begun, about))
    other = [key for key, value in about.items() if begun[key] != value]
    if other:
        begun_with = ", ".join(f"{key} {begun[key]}" for key in other)
        raise InputError(f"{run}: this training was begun with {begun_with}: resume with that")
    if split and (changes := split.changes(run / "split.json")):
        raise InputError(
            f"{', '.join(settings.data)}: {changes} since the training in {run} was "
            "begun: bring them back, or begin anew in another folder"
        )


def score(network, pairs, set_name, directory, protocol=None, remark="", **working):
    """Score pairs, write the scores, figures/ and report.html into a folder, print the table.

    Args:
        protocol: name of a challenge whose test the pairs are, or None: its own score comes first.
        remark: what `inputs.remark_on` says; for a network trained in this folder, what warns.
        working: engine and done, as `score.evaluate` takes them.

    Returns:
        (rows of `score.evaluate`, content of scores.json).
    """
    directory, calibration = Path(directory), Calibration()
    about = {"set": set_name, "threshold": network.threshold, "image_size": network.image_size}
    if remark := remark or warning_on([directory / "model.keras"], pairs):
        note(remark)
        about["remark"] = remark
    if protocol:
        shortfall = challenge.shortfall([pair.name for pair in pairs])
        about |= {"protocol": protocol, "shortfall": shortfall}
        if shortfall:
            note(f"this is not the official test of {challenge.TITLE}: {shortfall}")
    rows = evaluate(network, pairs, calibration=calibration, **working)
    summary = write_scores(directory, rows, about, calibration)
    if protocol:
        print(challenge.headline(summary))
    print(f"{set_name}: {describe(summary)}")
    # The history is there where the network was trained in this folder.
    history = History.read(directory) if (directory / "history.csv").is_file() else None
    name = "whole" if set_name == EVERY_PAIR else set_name
    scored = show.Scored(network, pairs, name, rows, summary, history)
    write_report(directory / "report.html", scored, show.draw_all(scored, directory / "figures"))
    return rows, summary
