"""A panel under a training in a notebook: turn its constants, train on or start anew.

lab = panel.Panel(trained)
lab.box                                   # the cell's last line
network, trained = lab.network, lab.trained      # what the last button made
"""

from dataclasses import replace
from pathlib import Path

from lesion import jupyter, page, runs, workflow
from lesion.console import InputError, one_line
from lesion.show.live import Growth

SIZES = (64, 96, 128, 192, 256)
COLUMNS = ("begun from", "epochs", "learning rate", "size", "augmentation", "validation Dice")


class Panel:
    """Constants of a training to change, two buttons, and a table of what each attempt came to.

    Only validation Dice is shown: whoever chooses by the test has no test left.

    Args:
        trained: `workflow.Training` that was fitted and finished.

    Attributes:
        trained, network: the last `Training`, and the `Network` that it made; None before.
        attempts: a dict of COLUMNS for each training, the first one included.
        box: the `ipywidgets.VBox` to show; None where nobody looks at the notebook.
    """

    def __init__(self, trained: workflow.Training):
        if trained.rule is None:
            raise InputError("nothing is trained yet: run the cell with finish() first")
        self.trained, self.network = trained, None
        self.beginning = trained.settings.start_from
        # One that was not set is a share of EPOCHS, of those that are chosen here.
        patience = trained.settings.patience
        usual = workflow.settle(replace(trained.settings, patience=None), trained.split).patience
        self.patience = None if patience == usual else patience
        self.attempts = [_attempt(trained)]
        self.box = self._make_box() if jupyter.somebody_looks() else None

    def _make_box(self):
        import ipywidgets as widgets  # not earlier: who only trains does without

        now, slim = self.trained.settings, {"style": {"description_width": "120px"}}
        self.epochs = widgets.BoundedIntText(now.epochs, 1, 100_000, description="EPOCHS", **slim)
        self.rate = widgets.BoundedFloatText(
            now.learning_rate, min=1e-6, max=1, step=1e-4, description="LEARNING_RATE", **slim
        )
        sizes = sorted({*SIZES, now.image_size})
        self.size = widgets.Dropdown(
            options=sizes, value=now.image_size, description="IMAGE_SIZE", **slim
        )
        self.augmentation = widgets.FloatSlider(
            now.augmentation, min=0, max=2, step=0.25, description="AUGMENTATION", **slim
        )
        self.buttons = [
            widgets.Button(description=words, tooltip=tooltip)
            for words, tooltip in (
                ("train on", "from the weights of the last training"),
                ("start anew", "from the weights that the first training began with"),
            )
        ]
        self.buttons[0].on_click(lambda button: self.train(anew=False))
        self.buttons[1].on_click(lambda button: self.train(anew=True))
        self.image, self.lines = widgets.Image(format="png"), widgets.Output()
        self.image.layout.visibility = "hidden"
        self.table = widgets.HTML(page.table("", self.attempts))
        constants = [self.epochs, self.rate, self.size, self.augmentation]
        parts = [*constants, widgets.HBox(self.buttons), self.table, self.lines, self.image]
        return widgets.VBox(parts)

    def _show(self, data, words):
        self.image.layout.visibility, self.image.value = "visible", data

    def train(self, anew: bool):
        """Train with the constants as they stand, in a new folder; a mistake becomes one line.

        Args:
            anew: from where the first training began, or else from the last one's weights.
        """
        self.lines.clear_output()
        for button in self.buttons:
            button.disabled = True
        with self.lines:
            try:
                self._train(anew)
            except KeyboardInterrupt:
                print("stopped by hand before the first epoch was complete")
            except Exception as error:
                line = one_line(error)
                if line is None:
                    raise
                print(f"error: {line}")
            finally:
                for button in self.buttons:
                    button.disabled = False

    def _train(self, anew):
        begin = self.beginning if anew else str(self.trained.run / "model.keras")
        settings = replace(
            self.trained.settings,
            start_from=begin,
            epochs=self.epochs.value,
            learning_rate=self.rate.value,
            image_size=self.size.value,
            augmentation=self.augmentation.value,
            patience=self.patience,
        )
        trained = workflow.Training(self.trained.split, settings, runs.unused_folder())
        growth = Growth.of_run(trained.run, trained.split.validation, settings.channels)
        growth.screen, trained.growth = self._show, growth
        trained.fit()
        self.network, self.trained = trained.finish(), trained
        self.attempts.append(_attempt(trained))
        self.table.value = page.table("", self.attempts)


def _attempt(trained):
    settings = trained.settings
    begin = Path(settings.start_from)
    values = (
        f"{begin.parent.name}/{begin.name}" if begin.suffix else settings.start_from,
        len(trained.history.epoch),
        f"{settings.learning_rate:g}",
        settings.image_size,
        f"{settings.augmentation:g}",
        f"{trained.rule.validation_dice:.3f}",
    )
    return dict(zip(COLUMNS, values, strict=True))
