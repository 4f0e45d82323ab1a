"""Plots: training curves, thresholds, mask sizes, scores, and two models compared."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lesion.masks import COLOURS
from lesion.score.summaries import bootstrap_interval, compare_paired
from lesion.show.style import GUIDE, legend_below, plot_figure, scatter, shorten


def mask_coverage(fractions: dict[str, Sequence]) -> Figure:
    """Show how much of a picture the lesion fills, as a histogram.

    Args:
        fractions: dict of set name ("training", "validation", "test") -> foreground share of each
            picture's mask, in [0, 1].
    """
    figure, (axis,) = plot_figure(3.6)
    percent = {name: 100 * np.asarray(values, float) for name, values in fractions.items()}
    axis.hist(
        list(percent.values()),
        bins=np.linspace(0, 100, 11),
        weights=[np.full(len(values), 100 / len(values)) for values in percent.values()],
        color=[COLOURS[name] for name in percent],
        label=[f"{name}: {len(v)}, median {np.median(v):.0f} %" for name, v in percent.items()],
    )
    axis.set(
        title=f"How much of a picture the lesion fills: {', '.join(fractions)} set",
        xlabel="lesion area (% of the picture)",
        ylabel="pictures of the set (%)",
        xlim=(0, 100),
    )
    legend_below(figure, axis)
    return figure


def _history_columns(history, needed):
    """Turn what `curves` takes into a dict of float arrays; `needed` columns must be there."""
    history = getattr(history, "history", history)
    if not isinstance(history, dict):
        rows = list(history)
        history = {key: [row[key] for row in rows] for key in (rows[0] if rows else ())}
    for name in needed:
        if not len(history.get(name, ())):
            found = ", ".join(history) or "nothing"
            raise ValueError(f"the history has no epoch or no column {name!r}: found {found}")
    columns = {
        key: np.array([np.nan if value in ("", None) else float(value) for value in values])
        for key, values in history.items()
    }
    return {"epoch": np.arange(1.0, 1 + len(columns["loss"])), **columns}


def _best_epoch(columns):
    """Return the name and position of the highest (validation) Dice, or of the lowest loss."""
    for name in ("val_dice", "dice", "val_loss", "loss"):
        values = columns.get(name)
        if values is not None and np.isfinite(values).any():
            return name, int(np.nanargmin(values) if "loss" in name else np.nanargmax(values))
    return "loss", 0


METRIC_LABELS = {"loss": "Loss", "dice": "Dice", "iou": "IoU"}


def curves(history, metrics: tuple = ("dice",), zoom: bool = False) -> Figure:
    """Show loss against epoch beside Dice against epoch, training and validation in each.

    The epoch is marked whose weights are kept, or else the one with the highest validation Dice.

    Args:
        history: what `fit` of Keras returns, its dict of columns, or the rows of history.csv as
            dicts: loss and the metrics; the same with val_ before for validation, where there is
            one; epoch (default 1, 2, ...).
        metrics: columns, besides the loss, that get a panel.
        zoom: start the loss panel after the first tenth of the epochs (at least one), whose steep
            fall hides what follows.

    Raises:
        ValueError: the history has no epoch, or lacks one of the columns.
    """
    columns = _history_columns(history, ("loss", *metrics))
    epochs = columns["epoch"]
    best_name, best = _best_epoch(columns)
    which = "best"
    if kept := getattr(history, "kept", None):
        which, best_name, best = "kept", "val_dice", list(epochs).index(kept[0])
    figure, axes = plot_figure(3.9, 1 + len(metrics))
    for axis, name in zip(axes, ("loss", *metrics), strict=True):
        label = METRIC_LABELS.get(name, name)
        first = max(1, len(epochs) // 10) if zoom and name == "loss" and len(epochs) > 1 else 0
        for column, set_name in ((name, "training"), (f"val_{name}", "validation")):
            if column in columns:
                axis.plot(
                    epochs[first:],
                    columns[column][first:],
                    color=COLOURS[set_name],
                    linewidth=2,
                    marker="o" if len(epochs) <= 30 else None,
                    markersize=4,
                    label=set_name,
                )
        if best >= first:
            axis.axvline(epochs[best], **GUIDE)
        axis.set(title=f"{label} against epoch", xlabel="epoch", ylabel=label)
        if first:
            axis.set(title=f"{label}, zoomed", xlabel=f"epoch, from {epochs[first]:.0f} on")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        if name != "loss":
            axis.set_ylim(0, 1)
        elif not zoom and np.isfinite(axis.dataLim.y1):
            axis.set_ylim(bottom=0, top=1.05 * axis.dataLim.y1)
        if len(epochs) - first == 1:
            axis.set_xlim(epochs[-1] - 1, epochs[-1] + 1)
    set_name = "validation" if best_name.startswith("val_") else "training"
    kind = METRIC_LABELS[best_name.removeprefix("val_")]
    best_words = (
        f"{which} epoch {epochs[best]:.0f}, {set_name} {kind} {columns[best_name][best]:.3f}"
    )
    axes[-1].plot([], [], **GUIDE, label=best_words)
    figure.suptitle("Training and validation sets, epoch by epoch", fontsize=12)
    legend_below(figure, axes[-1])
    return figure


def _tenth_below(*scores):
    """Return where an axis of scores starts: at the tenth that leaves room below the lowest."""
    return max(0.0, np.floor(10 * min(np.min(values) for values in scores) - 0.5) / 10)


def threshold(thresholds: Sequence, mean_dice: Sequence, chosen: float) -> Figure:
    """Show the mean Dice of the validation set against the threshold on the probability.

    Args:
        thresholds: (N,) in [0, 1].
        mean_dice: (N,) in [0, 1].
        chosen: the threshold that will be used from here on.
    """
    thresholds, mean_dice = np.asarray(thresholds, float), np.asarray(mean_dice, float)
    at_chosen = float(np.interp(chosen, thresholds, mean_dice))
    figure, (axis,) = plot_figure(3.4)
    axis.plot(thresholds, mean_dice, color=COLOURS["validation"], linewidth=2, label="validation")
    axis.axvline(chosen, **GUIDE)
    axis.plot(
        [chosen],
        [at_chosen],
        "o",
        color="#555555",
        label=f"used: {chosen:.2f}, mean Dice {at_chosen:.3f}",
    )
    axis.set(
        title="Mean Dice of the validation set at each threshold",
        xlabel="threshold on the probability of lesion",
        ylabel="mean Dice",
        xlim=(0, 1),
        ylim=(_tenth_below(mean_dice), 1),
    )
    legend_below(figure, axis)
    return figure


def score_distribution(
    scores: dict[str, Sequence], baselines: dict | None = None, set_name: str = "test"
) -> Figure:
    """Show the Dice of every picture, with the mean and its interval, models above baselines.

    Args:
        scores: dict of model name -> Dice of each picture, in [0, 1].
        baselines: dict of baseline name -> the same for methods that learn nothing or next to it.
        set_name: "training", "validation" or "test".
    """
    colours = ("prediction", "other", "test", "truth")
    entries = [
        (name, values, COLOURS[colours[index % len(colours)]])
        for index, (name, values) in enumerate(scores.items())
    ]
    entries += [(name, v, COLOURS["baseline"]) for name, v in (baselines or {}).items()]
    if not entries:
        raise ValueError("there is no score to show")
    figure, (axis,) = plot_figure(1.6 + 0.62 * len(entries))
    random = np.random.default_rng(0)
    labels = []
    for position, (name, values, colour) in enumerate(entries):
        values = np.asarray(values, float)
        low, high = bootstrap_interval(values)
        mean = values.mean()
        scatter(axis, values, position + random.uniform(-0.28, 0.28, len(values)), colour)
        axis.plot([low, high], [position] * 2, color="black", linewidth=3, solid_capstyle="butt")
        axis.plot([mean], [position], "D", color="black", markerfacecolor="white", markersize=6)
        labels.append(f"{shorten(name, 34)}\nmean {mean:.3f} ({low:.3f} to {high:.3f})")
    axis.set_yticks(range(len(entries)), labels)
    axis.set(
        title=f"Dice of each picture of the {set_name} set ({len(entries[0][1])} pictures)",
        xlabel="Dice of one picture; diamond: mean, bar: its 95 % bootstrap interval",
        xlim=(-0.02, 1.02),
        ylim=(len(entries) - 0.5, -0.5),
    )
    axis.grid(axis="y", visible=False)
    return figure


def comparison(
    name_a: str, dice_a: Sequence, name_b: str, dice_b: Sequence, set_name: str = "test"
) -> Figure:
    """Compare two models on the same pictures: one against the other, and the differences.

    Args:
        name_a, name_b: what to call the models.
        dice_a, dice_b: Dice of each picture, in the same order.

    Raises:
        ValueError: the two do not hold equally many pictures.
    """
    paired = compare_paired(dice_a, dice_b)
    dice_a, dice_b = np.asarray(dice_a, float), np.asarray(dice_b, float)
    name_a, name_b = shorten(name_a, 24), shorten(name_b, 24)
    difference = np.sort(dice_a - dice_b)
    better = difference > 0
    low, high = paired["interval"]
    figure, (left, right) = plot_figure(4.5, 2)
    start = _tenth_below(dice_a, dice_b)
    left.plot([start, 1], [start, 1], **GUIDE)
    scatter(left, dice_b, dice_a, "#333333")
    left.set(
        title="each picture; on the line: equal",
        xlabel=f"Dice of {name_b}",
        ylabel=f"Dice of {name_a}",
        xlim=(start, 1.01),
        ylim=(start, 1.01),
        aspect="equal",
    )
    rank = np.arange(1, len(difference) + 1)
    for chosen, colour, name in (
        (better, "prediction", f"{name_a} better: {np.sum(better)}"),
        (~better, "other", f"{name_b} better or equal: {np.sum(~better)}"),
    ):
        right.bar(rank[chosen], difference[chosen], 1.0, color=COLOURS[colour], label=name)
    right.axhline(0, color="black", linewidth=0.8)
    right.set(
        title=f"mean difference {paired['mean_difference']:+.3f} ({low:+.3f} to {high:+.3f})",
        xlabel="pictures, by difference (brackets: 95 % interval)",
        ylabel="difference in Dice",
    )
    figure.suptitle(f"{name_a} against {name_b} on the {set_name} set", fontsize=12)
    legend_below(figure, right)
    return figure
