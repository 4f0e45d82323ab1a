"""What every figure has to keep to."""

from itertools import pairwise

from PIL import Image

from lesion import show


def legend_texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def check_layout(figure):
    """Nothing is cut off, runs into the legend or is too small to read."""
    figure.draw_without_rendering()
    page = figure.bbox
    legends = [legend.get_window_extent() for legend in figure.legends]
    boxes = [text.get_window_extent() for text in figure.texts]  # the figure's own title
    boxes += [axis.get_tightbbox() for axis in figure.axes] + legends
    for box in boxes:
        assert page.x0 <= box.x0
        assert page.y0 <= box.y0
        assert box.x1 <= page.x1
        assert box.y1 <= page.y1
    for axis in figure.axes:
        assert not any(axis.get_tightbbox().overlaps(legend) for legend in legends)
        labels = [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
        assert all(label.get_fontsize() >= 8 for label in [*labels, *axis.get_xticklabels()])
        for ticks in map(shown_ticks, (axis.xaxis, axis.yaxis)):
            assert not any(before.overlaps(after) for before, after in pairwise(ticks))


def shown_ticks(axis):
    """Return where the labels of an axis' ticks are, in their order, each with a little room."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    ticks = [tick for tick in ticks if low <= tick.get_loc() <= high and tick.label1.get_text()]
    ticks.sort(key=lambda tick: tick.get_loc())
    return [tick.label1.get_window_extent().padded(1) for tick in ticks]


def check_files(draw, folder):
    """The same data gives the same bytes, and no date."""
    first, second = (show.save(draw(), folder / f"{i}.png") for i in (1, 2))
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as image:
        assert set(image.info) <= {"dpi"}
        assert image.width >= 600
