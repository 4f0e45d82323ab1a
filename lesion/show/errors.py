"""Figures of where a network errs: calibration, quality estimate, lesion size, borders."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from lesion.masks import COLOURS, draw_outline
from lesion.score.metrics import border_distances, border_pixels
from lesion.score.quality import FLAGGED_SHARE
from lesion.score.quality import risk_coverage as curve_of
from lesion.score.summaries import FAILURE_DICE, SIZE_STRATA
from lesion.show.gallery import as_mask, as_picture, picture_grid, show_panel, tallest_shape
from lesion.show.style import GUIDE, legend_below, plot_figure, scatter, shorten

# A predicted border too far in, on the true one, too far out.
FULL_COLOUR = 5.0  # per cent of the picture's diagonal: 2.5 times what surface Dice forgives
TOO_FAR_IN, ON_BORDER, TOO_FAR_OUT = COLOURS["other"], "#E8E8E8", COLOURS["validation"]


def reliability(calibration: dict, set_name: str = "test") -> Figure:
    """Show how often pixels given a probability of lesion do hold lesion, and how many there are.

    Args:
        calibration: what `score.results.summarise_calibration` returned.
        set_name: "training", "validation" or "test".

    Raises:
        ValueError: no bin holds a pixel.
    """
    bins = [part for part in calibration["bins"] if part["pixels"]]
    if not bins:
        raise ValueError("there is no pixel to show the calibration of")
    column = {key: np.array([part[key] for part in bins], float) for key in bins[0]}
    figure, (left, right) = plot_figure(4.2, 2)
    error = calibration["expected_calibration_error"]
    left.plot([0, 1], [0, 1], **GUIDE, label="ideal")
    left.plot(
        column["probability"],
        column["frequency"],
        "o-",
        color=COLOURS["prediction"],
        linewidth=2,
        label=f"network: expected calibration error {error:.3f}",
    )
    left.set(
        title="above the line: too low, below: too high",
        xlabel="predicted probability of lesion",
        ylabel="share of pixels with lesion",
        xlim=(-0.02, 1.02),
        ylim=(-0.02, 1.02),
        aspect="equal",
    )
    right.bar(
        column["lower"],
        100 * column["pixels"] / column["pixels"].sum(),
        column["upper"] - column["lower"],
        align="edge",
        color=COLOURS["prediction"],
        edgecolor="white",
    )
    right.set(
        title="how many pixels get which probability",
        xlabel="predicted probability of lesion",
        ylabel="pixels (%), logarithmic",
        xlim=(0, 1),
        yscale="log",
        ylim=(min(0.1, 50 * column["pixels"].min() / column["pixels"].sum()), 100),
    )
    right.yaxis.set_major_formatter("{x:g}")
    figure.suptitle(f"Calibration of the pixels' probabilities, {set_name} set", fontsize=12)
    legend_below(figure, left)
    return figure


def risk_coverage(quality: Sequence, dice: Sequence, set_name: str = "test") -> Figure:
    """Show estimate against Dice, and what is at risk if only the best estimates are taken.

    Args:
        quality, dice: (N,) of the same pictures, see `score.risk_coverage`.
        set_name: "training", "validation" or "test".
    """
    quality, dice = np.asarray(quality, float), np.asarray(dice, float)
    figure, (left, right) = plot_figure(4.2, 2)
    failed = dice < FAILURE_DICE
    found, missed = np.sum(~failed), np.sum(failed)
    words = f"Dice {FAILURE_DICE} or more: {found}", f"Dice below {FAILURE_DICE}: {missed}"
    scatter(left, quality[~failed], dice[~failed], COLOURS["prediction"], words[0])
    scatter(left, quality[failed], dice[failed], COLOURS["other"], words[1], size=26)
    limit = np.quantile(quality, FLAGGED_SHARE)
    left.axvline(limit, **GUIDE, label=f"left of it: the {FLAGGED_SHARE:.0%} flagged")
    left.set(
        title="each picture",
        xlabel="quality estimate, without the truth",
        ylabel="Dice",
        xlim=(min(0.98, np.floor(10 * quality.min()) / 10) - 0.02, 1.02),
        ylim=(-0.02, 1.02),
    )

    coverage, risk = curve_of(quality, dice)
    best, random = curve_of(dice, dice)[1], float(np.mean(1 - dice))
    for values, name, style, label in (
        (risk, "prediction", "-", f"ordered by the estimate: area {risk.mean():.3f}"),
        (np.full_like(risk, random), "baseline", "-", f"at random: area {random:.3f}"),
        (
            best,
            "truth",
            ":",
            f"ordered by the true Dice, the best possible: area {best.mean():.3f}",
        ),
    ):
        right.plot(100 * coverage, values, style, color=COLOURS[name], linewidth=2, label=label)
    right.set(
        title="risk against coverage",
        xlabel="pictures taken, best estimates first (%)",
        ylabel="mean of 1 - Dice among them",
        xlim=(0, 100),
        ylim=(0, 1.05 * max(risk.max(), random, 0.01)),
    )
    figure.suptitle(f"Quality estimate without truth, {set_name} set", fontsize=12)
    legend_below(figure, left, right, columns=2)
    return figure


def size_against_dice(lesion_share: Sequence, dice: Sequence, set_name: str = "test") -> Figure:
    """Show the Dice of each picture against the size of its lesion, with medians of size classes.

    Args:
        lesion_share: (N,) true lesion area as a share of the picture, 0..1.
        dice: (N,) Dice of the same pictures.
        set_name: "training", "validation" or "test".

    Raises:
        ValueError: no pictures.
    """
    share, dice = np.asarray(lesion_share, float), np.asarray(dice, float)
    if not share.size:
        raise ValueError("there is no picture to show the size of")
    figure, (axis,) = plot_figure(3.9)
    scatter(axis, 100 * share, dice, COLOURS["prediction"], "one picture")
    words = "median of a size class, over the width of the class"
    ends = [upper for upper, _ in SIZE_STRATA[:-1]] + [1.0]
    for low, high in pairwise(ends):
        inside = (share > 0) & (share >= low) & ((share < high) | (high == 1))
        if inside.any():
            median = np.median(dice[inside])
            left = 100 * (low or share[inside].min() / 1.1)  # a logarithmic axis has no 0
            axis.plot([left, 100 * high], [median] * 2, color="black", linewidth=2.5, label=words)
            words = None
    axis.set(
        title=f"Size of the lesion against Dice, {set_name} set ({len(dice)} pictures)",
        xlabel="true lesion area (% of the picture, logarithmic)",
        ylabel="Dice",
        ylim=(-0.02, 1.02),
    )
    if (share == 0).any():  # pictures without lesion stand at 0, left of a linear stretch
        axis.set_xscale("symlog", linthresh=0.5)
        axis.set_xlim(-0.1, 110)
    else:
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.xaxis.set_minor_formatter(NullFormatter())
    axis.xaxis.set_major_formatter("{x:g}")
    legend_below(figure, axis)
    return figure


def border_errors(rows: list[dict], title: str = "Border errors of the test set") -> Figure:
    """Show predicted borders, coloured by their distance from the true ones.

    Distances are in per cent of the picture's diagonal, on one scale for all pictures. A picture
    whose truth or prediction is empty has no such distance, and its panel says so.

    Args:
        rows: dicts of name, picture, truth, prediction and dice, as `predictions` takes them.
        title: names the set and the order of the pictures.

    Raises:
        ValueError: no rows.
    """
    if not rows:
        raise ValueError("there is no prediction to show")
    columns = min(2 if len(rows) == 4 else 3, len(rows))
    maps = [_border_error(row["truth"], row["prediction"]) for row in rows]
    figure, axes, side = picture_grid(
        -(-len(rows) // columns),
        columns,
        tallest_shape([row["picture"] for row in rows]),
        title,
        [
            ("label", "truth"),
            ("on the label", ON_BORDER),
            (f"{FULL_COLOUR:g} % of the diagonal or more too far out", TOO_FAR_OUT),
            (f"{FULL_COLOUR:g} % of the diagonal or more too far in", TOO_FAR_IN),
        ],
        row_gap=0.45,
    )
    colours = LinearSegmentedColormap.from_list("", [TOO_FAR_IN, ON_BORDER, TOO_FAR_OUT])
    for axis in axes.flat[len(rows) :]:
        axis.remove()
    for axis, row, error in zip(axes.flat, rows, maps, strict=False):
        gray = as_picture(row["picture"], side).astype(np.float32)
        gray = gray.mean(axis=2) if gray.ndim == 3 else gray
        panel = draw_outline((0.6 * gray).astype(np.uint8), {"truth": as_mask(row["truth"], side)})
        words = "no border to compare"
        if error is not None:
            panel = _paint_border(
                panel, error, lambda share: colours(0.5 + 0.5 * share / FULL_COLOUR)
            )
            size = np.abs(error[np.isfinite(error)])
            words = f"mean {size.mean():.1f} %, largest {size.max():.1f} %"
        name = shorten(str(row["name"]), side // 9)
        show_panel(axis, panel, f"{name}\nDice {row['dice']:.3f}; {words}")
    return figure


def _border_error(truth, prediction):
    """Distance of the predicted border from the true one, in per cent of the diagonal.

    float64 (H, W), nan off the predicted border; positive where the prediction reaches beyond the
    truth, negative where it falls short. None where one of them is empty.
    """
    if not ((truth == 1).any() and prediction.any()):
        return None
    rows, columns = border_pixels(prediction == 1).T
    _, distance = border_distances(truth, prediction)
    sign = np.where(truth[rows, columns] > 0, -1, 1)  # what the truth ignores is as predicted
    error = np.full(truth.shape, np.nan)
    error[rows, columns] = 100 * sign * distance / np.hypot(*truth.shape)
    return error


def _paint_border(panel, error, colour_of):
    """The uint8 panel (H, W, 3) with each border pixel of `error` as a dot that can be seen."""
    panel = panel.copy()
    scale = panel.shape[0] / error.shape[0], panel.shape[1] / error.shape[1]
    radius = max(1, round(min(panel.shape[:2]) / 110))
    for row, column in np.argwhere(np.isfinite(error)):
        colour = [int(255 * part) for part in colour_of(error[row, column])[:3]]
        centre = round((column + 0.5) * scale[1] - 0.5), round((row + 0.5) * scale[0] - 0.5)
        cv2.circle(panel, centre, radius, colour, -1)
    return panel
