"""A training to watch: curves, and the outline of one picture, that grow epoch by epoch.

    growth = Growth(*inputs.read_pair(pair), file="growth.webp")
    model.fit(x, y, epochs=100, validation_data=(x2, y2), callbacks=[growth])

In a notebook with somebody before it the figure is redrawn while it trains; a notebook that is
executed on its own shows it once, at the end; everywhere `growth.save` makes an animation of it.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from lesion import distribution, jupyter
from lesion.inputs.reading import read_pair, resize_image
from lesion.show.board import Board
from lesion.show.style import encoded
from lesion.storage import read_table, replacing

SECONDS = 1.0  # between two drawings, at least
SHARE = 0.003  # of the time so far may go into predicting, and as much into drawing before the end
FEW = 8  # pairs, among which one is chosen
PICTURES = 40  # of an animation, at most
LARGEST = 1_000_000  # bytes of an animation
QUALITIES = (75, 50, 25, 5)  # of WebP, from good to small
MILLISECONDS, AT_THE_END = 180, 3000  # that each picture stands, and the last


class Growth(keras.callbacks.Callback):
    """Shows how a training goes, and how the outline of one picture becomes better.

    It predicts while Keras validates, so with the weights that are validated: a callback that puts
    an average of the weights in their place for that time, as `callbacks.AverageWeights` or
    `keras.callbacks.SwapEMAWeights` do, may stand before or behind it. Without validation data it
    predicts after each epoch. What would cost more than SHARE of the time so far waits for a later
    epoch; predicting does not use up what drawing may cost, however short the epochs are.

    Args:
        picture: uint8 (H, W, C), one of the validation's, C as the network takes it.
        truth: its mask, uint8 (H, W) of 0, 1 and IGNORED.
        metric: the score beside the loss, in 0..1: a metric that the model is compiled with.
        file: where the animation goes at the end of the training, a .webp; None: nowhere.
        screen: function that shows a picture in place of the one before, given the bytes of a JPEG
            or PNG and a text for who cannot see it; None: the notebook's own, if there is one.

    Attributes:
        rows: a dict an epoch: epoch, from 1, and what Keras logged.
        probabilities: epoch -> uint8 (S, S), 255 for a probability of 1, at the network's size.
        spent: seconds spent here since the training began.
    """

    def __init__(
        self,
        picture: np.ndarray,
        truth: np.ndarray,
        metric: str = "dice",
        file: str | Path | None = None,
        screen: Callable[[bytes, str], None] | None = None,
    ):
        super().__init__()
        self.picture, self.truth, self.metric, self.file = picture, truth, metric, file
        self.screen, self.rows, self.probabilities = screen, [], {}

    @classmethod
    def of_run(cls, run: str | Path, pairs: Sequence, channels: int = 3) -> "Growth":
        """Show a training of a run folder, on the one of a few pairs whose lesion is middling.

        Raises:
            InputError: as `inputs.read_pair`.
        """
        read = sorted((read_pair(pair, channels) for pair in pairs[:FEW]), key=_lesion)
        growth = cls(*read[len(read) // 2], file=Path(run) / "figures" / "growth.webp")
        if (history := Path(run) / "history.csv").is_file():  # of epochs before a kill
            growth.rows = read_table(history)
        return growth

    @contextmanager
    def _counted(self, what):
        """Add up the time that a part takes, and remember what it took last."""
        begun = time.monotonic()
        yield
        cost = time.monotonic() - begun
        self.spent += cost
        # The first time a graph is built or a figure is laid out, which will not happen again.
        latest = cost if what in self._costs else 0
        self._costs[what] = (self._costs.get(what, (0, 0))[0] + latest, latest)

    def _affordable(self, what):
        allowed = SHARE * (time.monotonic() - self._begun)
        return sum(self._costs.get(what, ())) <= allowed

    def on_train_begin(self, logs=None):
        self.spent, self._costs = 0.0, {}
        self._begun, self._drawn, self._first = time.monotonic(), -math.inf, None
        # Asked for only now: a training that goes on in another cell is shown there.
        self._paint_to, self._live = (self.screen, True) if self.screen else jupyter.screen()
        self._board, self._asked = None, distribution.alone(self.model)

    def on_epoch_begin(self, epoch, logs=None):
        # A model may be fitted again, from the start or from an epoch on.
        self.rows = [row for row in self.rows if row["epoch"] <= epoch]
        self.probabilities = {e: p for e, p in self.probabilities.items() if e <= epoch}
        self._epoch, self._tried = epoch + 1, False

    def on_train_batch_end(self, batch, logs=None):
        if steps := self.params["steps"]:
            self._show(self._epoch - 1 + (batch + 1) / steps, logs)

    def on_test_batch_begin(self, batch, logs=None):
        if batch == 0:
            self._predict()

    def on_epoch_end(self, epoch, logs=None):
        if not self._tried:
            self._predict()
        if self.metric not in logs:
            raise ValueError(f"metric {self.metric!r}: not among those of the model: {[*logs]}")
        self.rows.append({"epoch": epoch + 1, **{key: float(v) for key, v in logs.items()}})
        self._show(epoch + 1)

    def on_train_end(self, logs=None):
        """Show the whole, once more or for the first time, and write the file.

        To be called by hand where the training was interrupted, which Keras does not tell.
        """
        if not self.rows:
            return
        with self._counted("end"):
            if self._paint_to:
                self._board = self._new_board()
                done = f"after epoch {self._board.epochs}"
                self._send(self._frame(self._board, self.rows, done), ".png")
            if self.file:
                self.save(self.file)

    def _predict(self):
        last = self._epoch == self.params["epochs"]
        self._tried = True
        if not (last or self._affordable("prediction")):
            return
        with self._counted("prediction"):
            # One view, as validation has it: the four of `Network.predict` cost four times that.
            x = resize_image(self.picture, self.model.input_shape[1])[None]
            probability = np.asarray(self._asked.predict_on_batch(x), np.float32)[0, ..., 0]
            self.probabilities[self._epoch] = np.rint(255 * np.nan_to_num(probability)).astype(
                np.uint8
            )
        if len(self.probabilities) > 4 * PICTURES:
            self.probabilities = {e: self.probabilities[e] for e in self._spread(2 * PICTURES)}

    def _spread(self, count):
        """Return at most so many of the known epochs; there are more early, when much changes."""
        known = sorted(self.probabilities)
        places = np.geomspace(1, len(known), min(count, len(known))).round().astype(int)
        return [known[place - 1] for place in np.unique(places)]

    def _show(self, done, logs=None):
        """Draw what there is after `done` epochs, if it is time and somebody looks."""
        now, planned = time.monotonic(), self.params["epochs"]
        self._first = self._first or (now, done)  # before that the graph was built
        if not (self._live and now - self._drawn >= SECONDS and self._affordable("drawing")):
            return
        self._drawn = now
        with self._counted("drawing"):
            self._board = self._board or self._new_board(planned)
            rows = [*self.rows, {"epoch": done, **logs}] if logs else self.rows
            left = _time_left(now - self._first[0], done - self._first[1], planned - done)
            pixels = self._frame(self._board, rows, f"epoch {math.ceil(done)} of {planned}{left}")
            # JPEG takes a fifth of the time of PNG, which is what stays in the notebook.
            self._send(pixels, ".jpg")

    def _new_board(self, epochs=None):
        """Return a `Board` for so many epochs, or as many as there are."""
        epochs = epochs or int(self.rows[-1]["epoch"])
        return Board(self.picture, self.truth, self.metric, epochs)

    def _frame(self, board, rows, title):
        """Return the pixels of these rows, with the last outline that is known by their end."""
        known = [epoch for epoch in self.probabilities if epoch <= math.ceil(rows[-1]["epoch"])]
        epoch = max(known, default=None)
        probability = epoch and self.probabilities[epoch] / np.float32(255)
        return board.paint(rows, probability, epoch, title)

    def _send(self, pixels, suffix):
        last = self.rows[-1] if self.rows else {}
        scores = [f"{n} {last[n]:.3f}" for n in (self.metric, f"val_{self.metric}") if n in last]
        words = f"Loss and score of {len(self.rows)} epochs, an outline: {', '.join(scores)}"
        self._paint_to(encoded(pixels, suffix), words)

    def save(self, path: str | Path) -> Path:
        """Write the growth as an animated WebP of less than LARGEST bytes; return its `Path`.

        Raises:
            ValueError: no epoch was trained.
        """
        if not self.probabilities or not self.rows:
            raise ValueError("no epoch was trained: there is no growth to show")
        board, pictures = self._new_board(), []
        for epoch in self._spread(PICTURES):
            rows = [row for row in self.rows if row["epoch"] <= epoch]
            title = f"after epoch {epoch} of {board.epochs}"
            pictures.append(Image.fromarray(self._frame(board, rows, title)))
        durations = [MILLISECONDS] * (len(pictures) - 1) + [AT_THE_END]
        options = {"save_all": True, "append_images": pictures[1:], "duration": durations}
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            for quality in QUALITIES:
                pictures[0].save(temporary, "WebP", loop=0, quality=quality, method=2, **options)
                if temporary.stat().st_size < LARGEST:
                    break
        return path


def _lesion(pair):
    return (pair[1] == 1).mean()


def _time_left(seconds, done, still):
    """Return ", about N min left" from the seconds that `done` epochs took; "" where unknown."""
    if done <= 0 or still <= 0:
        return ""
    left = seconds / done * still
    return f", about {left / 60:.0f} min left" if left >= 90 else f", about {left:.0f} s left"
