"""The second tab: worst first, brush and eraser, save, and train on what was saved."""

import gradio as gr

from lesion.app.corrections import (
    Retraining,
    from_canvas,
    label_of,
    save,
    saved_mask,
    to_canvas,
)
from lesion.app.painter import painted_mask, painter, to_value
from lesion.app.pictures import network_of, predict, read
from lesion.app.texts import Told, words
from lesion.app.wiring import PREDICTING, SLIDING, in_words, language, status, translate

PAINTER = ("brush", "eraser", "undo", "size", "keys")  # its texts

retraining = Retraining()


def worklist(seen: list, folder: str) -> list[tuple[str, str]]:
    """Return (what is shown, path) of each picture, the lowest quality first.

    Args:
        seen: list of `pictures.Seen`.
        folder: of the corrected pairs; what is in it has a tick.
    """
    ordered = sorted(seen, key=lambda one: one.quality)
    ticks = {one.path: " ✓" * label_of(folder, one.path).is_file() for one in ordered}
    return [(f"{one.quality:.2f}  {one.name}{ticks[one.path]}", one.path) for one in ordered]


def mask_before(weights, path, threshold, folder):
    """Return (picture, mask that is corrected): at a threshold, or for None what was saved."""
    saved = saved_mask(folder, path) if threshold is None else None
    if saved is not None:
        return read(path), saved
    picture, prediction = predict(weights, path, threshold)
    return picture, prediction.mask


class Tab:
    """The functions behind the tab, for one folder of corrected pairs."""

    def __init__(self, folder: str):
        self.folder = folder

    def canvas(self, weights, path, moved, request):
        """Return what the painter takes: the picture, and its mask over it."""
        canvas = to_canvas(*mask_before(weights, path, moved, self.folder))
        return to_value(canvas, {key: words(key, language(request)) for key in PAINTER})

    def open_list(self, weights, seen, request: gr.Request):
        """Return (worklist, words, and `open_picture`) when the tab is turned to."""
        choices = worklist(seen, self.folder)
        first = choices[0][1] if choices else None
        said = status() if choices else status(words("nothing", language(request)))
        opened = self.open_picture(weights, first, request)
        return gr.Dropdown(choices=choices, value=first), said, *opened

    def open_picture(self, weights, path, request: gr.Request):
        """Return (painter, threshold, None: nothing was moved yet) for a picture."""
        if path is None:
            return None, gr.skip(), None
        return self.canvas(weights, path, None, request), network_of(weights).threshold, None

    def move_threshold(self, weights, path, threshold, request: gr.Request):
        """Return (painter, threshold) with the mask of another threshold."""
        if path is None:
            return None, None
        return self.canvas(weights, path, threshold, request), threshold

    def save(self, weights, seen, path, moved, painted, request: gr.Request):
        """Save what was painted; return (worklist, words, and the next picture)."""
        if path is None:
            raise Told(words("nothing", language(request)))
        picture, mask = mask_before(weights, path, moved, self.folder)
        before = to_canvas(picture, mask).mask
        mask = from_canvas(mask, before, painted_mask(painted, before.shape))
        number = save(self.folder, path, mask)
        choices = worklist(seen, self.folder)
        left = (place for _, place in choices if not label_of(self.folder, place).is_file())
        following = next(left, path)
        said = status(words("saved", language(request), count=number, folder=self.folder))
        opened = self.open_picture(weights, following, request)
        return gr.Dropdown(choices=choices, value=following), said, *opened

    def train(self, weights, epochs, request: gr.Request):
        """Yield words on a training on the corrected pictures."""
        spoken = language(request)
        for now in retraining.train(weights, self.folder, int(epochs)):
            if now.state == "running":
                line = words("training", spoken, run=now.run, epoch=now.epoch, epochs=now.epochs)
                key = "starting" if now.dice is None else "validation"
                line += "; " + words(key, spoken, dice=now.dice)
            else:
                line = words(now.state, spoken, run=now.run)
            yield status(line)


def build(tab: gr.Tab, switched, seen: gr.State, weights: gr.Dropdown, folder: str):
    """Lay out the tab and wire it; return the event after which there may be new weights.

    Args:
        tab: that this is in.
        switched: event after which another model was asked.
        seen, weights: as `outline.build` takes them.
        folder: of the corrected pairs.
    """
    of = Tab(folder)
    moved = gr.State(None)  # the threshold that the mask was made with, None for the first
    said = gr.HTML(status(), elem_id="corrected")
    chosen = gr.Dropdown(label=translate("worklist"), elem_id="worklist")
    threshold = gr.Slider(0.02, 0.98, step=0.02, label=translate("threshold"))
    editor = painter(elem_id="editor")
    keep = gr.Button(translate("save"), variant="primary", elem_id="save")
    with gr.Accordion(translate("retraining"), open=False):
        epochs = gr.Slider(1, 50, value=10, step=1, label=translate("epochs"))
        with gr.Row():
            start = gr.Button(translate("retrain"), elem_id="retrain")
            stop = gr.Button(translate("stop"), elem_id="stop")
        trained = gr.HTML(status(), elem_id="trained")
    opened = [editor, threshold, moved]
    shown = [chosen, said, *opened]
    for event in (tab.select, switched.then):  # what is painted on is always this model's mask
        event(in_words(of.open_list), [weights, seen], shown, **PREDICTING)
    chosen.input(in_words(of.open_picture), [weights, chosen], opened, **PREDICTING)
    threshold.input(
        in_words(of.move_threshold),
        [weights, chosen, threshold],
        [editor, moved],
        **PREDICTING,
        **SLIDING,
    )
    given = [weights, seen, chosen, moved, editor]
    keep.click(in_words(of.save), given, shown, **PREDICTING)
    stop.click(retraining.stop)
    return start.click(in_words(of.train), [weights, epochs], trained, concurrency_limit=1)
