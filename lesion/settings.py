"""Every constant of a training: its name, default, meaning and check, once for all who use it.

    settings = Settings(data="my_data", epochs=300).complete()

The notebook's constants are these names in capitals, the options of `segment.py train` these names
with dashes, and the model.json of a run is this and what training found. Nothing here needs Keras
until a network's own loss, rate or size is asked for.
"""

import math
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from lesion.console import InputError

FINE_TUNING = 0.5  # of a network's peak learning rate, where it has learnt already
PATIENCE = 0.4  # of all epochs without a better validation Dice end a training
LEAST_PATIENCE = 5  # epochs
SCRATCH = (None, "", "scratch", "none", "None")  # what people write for "from random weights"


def number(lowest, highest, kind=int, optional=False):
    """Metadata of a constant that is a number of this kind within bounds, both included."""
    return {"kind": kind, "lowest": lowest, "highest": highest, "optional": optional}


@dataclass(frozen=True)
class Settings:
    """The constants of a training; None stands for the network's own, see `complete`.

    Attributes:
        data: folder with pictures and masks, or several; "." holds the drawn ones.
        model: a name of `unet.NETWORKS`.
        start_from: .keras file of the same network to go on from; None for random weights.
        epochs: most passes over the training pictures.
        batch_size: pictures a step.
        image_size: pixels a side; the network sees pictures resized to this square.
        channels: 3 for colour, 1 for gray pictures.
        loss: a name of `unet.LOSSES`.
        learning_rate: peak of the step length.
        validation: share of the pictures set apart to choose epoch and threshold on.
        test: share set apart for the test, where the folder has no test part of its own.
        patience: stop after so many epochs without a better validation Dice.
        seed: of split, first weights and augmentation.

    Raises:
        InputError: a constant is not what it has to be; names it.
    """

    data: str | Path | tuple = "."
    model: str = "lean"
    start_from: str | Path | None = None
    epochs: int = field(default=150, metadata=number(1, 1_000_000))
    batch_size: int = field(default=8, metadata=number(1, 1_000_000))
    image_size: int | None = field(default=None, metadata=number(16, 2048, optional=True))
    channels: int = field(default=3, metadata=number(1, 3))
    loss: str | None = None
    learning_rate: float | None = field(default=None, metadata=number(1e-8, 10, float, True))
    validation: float = field(default=0.2, metadata=number(0.001, 0.9, float))
    test: float = field(default=0.2, metadata=number(0, 0.9, float))
    patience: int | None = field(default=None, metadata=number(1, 1_000_000, optional=True))
    seed: int = field(default=0, metadata=number(0, 2**32 - 1))

    def __post_init__(self):
        data = self.data if isinstance(self.data, tuple | list) else (self.data,)
        if not data or not all(isinstance(folder, str | Path) and str(folder) for folder in data):
            raise InputError(f"DATA is {self.data!r}: give the path of a folder in quotes")
        # An immutable text, so that settings compare equal however the folder was written.
        object.__setattr__(self, "data", tuple(str(Path(f).expanduser()) for f in data))
        if isinstance(self.start_from, Path):
            object.__setattr__(self, "start_from", str(self.start_from))
        if not isinstance(self.start_from, str | None):
            raise InputError(f"START_FROM is {self.start_from!r}: give a .keras file in quotes")
        if self.start_from in SCRATCH:
            object.__setattr__(self, "start_from", None)
        for constant in fields(self):
            if constant.metadata:
                check_number(constant.name.upper(), getattr(self, constant.name), constant.metadata)
        if self.channels == 2:
            raise InputError("CHANNELS is 2: give 3 for colour or 1 for gray pictures")
        if self.validation + self.test >= 1:
            raise InputError(
                f"VALIDATION is {self.validation} and TEST {self.test}: together they must leave "
                "pictures to train on, so give shares with a sum below 1"
            )
        for name in ("model", "loss"):
            value = getattr(self, name)
            if not isinstance(value, str if name == "model" else str | None):
                raise InputError(f"{name.upper()} is {value!r}: give a name in quotes")

    @classmethod
    def from_constants(cls, namespace):
        """Take the constants of a notebook: the names of the fields, in capitals.

        Args:
            namespace: dict of names, such as `globals()`; whatever else it holds is passed over.
        """
        names = {f.name.upper(): f.name for f in fields(cls)}
        return cls(**{names[n]: namespace[n] for n in names.keys() & namespace.keys()})

    def complete(self):
        """Return these settings with each None replaced by what the network is best trained with.

        Raises:
            InputError: MODEL or LOSS is no name that `unet` knows, or START_FROM is no file.
        """
        import unet  # not earlier: it loads Keras, which takes seconds

        for name, known in (("model", unet.NETWORKS), ("loss", unet.LOSSES)):
            value = getattr(self, name)
            if value is not None and value not in known:
                choices = ", ".join(known)
                raise InputError(f"{name.upper()} is {value!r}: choose one of {choices}")
        if self.start_from and not Path(self.start_from).is_file():
            raise FileNotFoundError(
                f"{self.start_from}: no such weights file: give START_FROM the model.keras of a run"
            )
        network = unet.NETWORKS[self.model]
        rate = network.learning_rate * (FINE_TUNING if self.start_from else 1)
        own = {
            "loss": network.loss,
            "image_size": network.image_size,
            "learning_rate": rate,
            "patience": max(LEAST_PATIENCE, round(PATIENCE * self.epochs)),
        }
        missing = {name: value for name, value in own.items() if getattr(self, name) is None}
        return replace(self, **missing)


def check_number(name, value, bounds):
    """Return a number that fits `number`'s bounds.

    Raises:
        InputError: it does not; names it, what was found and the bounds.
    """
    if value is None and bounds["optional"]:
        return value
    kind = bounds["kind"]
    wanted = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool)
    # Written so that nan, which compares false with everything, fails too.
    if not wanted or not math.isfinite(value) or not bounds["lowest"] <= value <= bounds["highest"]:
        what = "a whole number" if kind is int else "a number"
        or_none = " or None" if bounds["optional"] else ""
        raise InputError(
            f"{name} is {value!r}: give {what} from {bounds['lowest']:,} to "
            f"{bounds['highest']:,}{or_none}"
        )
    return value
