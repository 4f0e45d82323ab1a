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
# The constants that say what masks mean: every command that reads masks takes them.
LEGEND = ("lesion_level", "ignore_level", "lesion_class")
RANDOM = "random"
SCRATCH = ("", "scratch", "none", "None")  # what people write for random weights, too


def number(meaning, lowest, highest, kind=int):
    """Metadata of a constant that is a number of this kind within bounds, both included."""
    return {"meaning": meaning, "kind": kind, "lowest": lowest, "highest": highest}


def text(meaning, table=None):
    """Metadata of a constant that is a text: a path, or a name in a table of `unet`."""
    return {"meaning": meaning, "table": table}


def names(meaning):
    """Metadata of a constant that is one or more names, none by default."""
    return {"meaning": meaning, "table": None, "several": True}


@dataclass(frozen=True)
class Settings:
    """The constants of a training, each with its default and meaning.

    None stands for the network's own, see `complete`; `start_from` "random" for random weights.

    Raises:
        InputError: a constant is not what it has to be; names it.
    """

    data: str | Path | tuple = field(
        default=".", metadata=text("folder with pictures and masks, or several")
    )
    model: str = field(default="lite", metadata=text("the network to train", "NETWORKS"))
    start_from: str | Path | None = field(
        default=None,
        metadata=text("saved weights of the same network to go on from, or the word random"),
    )
    epochs: int = field(
        default=100, metadata=number("passes over the training pictures, at most", 1, 1_000_000)
    )
    batch_size: int = field(
        default=8, metadata=number("pictures per step; halve it if memory runs out", 1, 1_000_000)
    )
    image_size: int | None = field(
        default=None,
        metadata=number("pixels a side that the network sees (default: its own size)", 16, 2048),
    )
    channels: int = field(default=3, metadata=number("3 for colour, 1 for gray pictures", 1, 3))
    loss: str | None = field(
        default=None,
        metadata=text("loss to minimise (default: the network's own)", "LOSSES"),
    )
    learning_rate: float | None = field(
        default=None,
        metadata=number("peak learning rate (default: the network's own)", 1e-8, 10, float),
    )
    averaging: float = field(
        default=0.1,
        metadata=number("share of the steps whose weights are averaged; 0: none", 0, 1, float),
    )
    augmentation: float = field(
        default=1.0,
        metadata=number("factor on the range of every augmentation; 0: flips alone", 0, 3, float),
    )
    validation: float = field(
        default=0.2,
        metadata=number(
            "share of the pictures set apart to choose epoch and threshold", 0.001, 0.9, float
        ),
    )
    test: float = field(
        default=0.2,
        metadata=number("share set apart for the test, where the data have none", 0, 0.9, float),
    )
    patience: int | None = field(
        default=None,
        metadata=number(
            "stop after N epochs without a better validation Dice (default: "
            f"{100 * PATIENCE:g} % of all epochs; never with few validation pictures)",
            1,
            1_000_000,
        ),
    )
    seed: int = field(
        default=0,
        metadata=number("random seed of split, initial weights and augmentation", 0, 2**32 - 1),
    )
    lesion_level: str | int | tuple = field(
        default=(),
        metadata=names("mask levels that are lesion, as `check` names them"),
    )
    ignore_level: str | int | tuple = field(
        default=(), metadata=names("mask levels to ignore, in training and in scores")
    )
    lesion_class: str | tuple = field(
        default=(),
        metadata=names("annotation classes that are lesion (default: all)"),
    )

    def __post_init__(self):
        data = self.data if isinstance(self.data, tuple | list) else (self.data,)
        if not data or not all(isinstance(folder, str | Path) and str(folder) for folder in data):
            raise InputError(f"DATA is {self.data!r}: give the path of a folder in quotes")
        # An immutable text, so that settings compare equal however the folder was written.
        object.__setattr__(self, "data", tuple(str(Path(f).expanduser()) for f in data))
        if isinstance(self.start_from, Path):
            object.__setattr__(self, "start_from", str(self.start_from))
        if not isinstance(self.start_from, str | None):
            raise InputError(
                f'START_FROM is {self.start_from!r}: give a .keras file, or "random", in quotes'
            )
        if self.start_from in SCRATCH:
            object.__setattr__(self, "start_from", RANDOM)
        for constant in fields(self):
            value = getattr(self, constant.name)
            if "several" in constant.metadata:
                object.__setattr__(self, constant.name, as_names(value))
            elif "kind" in constant.metadata:
                check_number(constant, value)
            elif constant.metadata["table"] and not isinstance(value, str | type(constant.default)):
                raise InputError(f"{constant.name.upper()} is {value!r}: give a name in quotes")
        if self.channels == 2:
            raise InputError("CHANNELS is 2: give 3 for colour or 1 for gray pictures")
        if self.validation + self.test >= 1:
            raise InputError(
                f"VALIDATION is {self.validation} and TEST {self.test}: together they must leave "
                "pictures to train on, so give shares with a sum below 1"
            )

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

        Patience stays, since it depends on the data too.

        Raises:
            InputError: MODEL or LOSS is no name that `unet` knows, or START_FROM is no file.
        """
        import unet  # not earlier: it loads Keras, which takes seconds

        for constant in fields(self):
            table, value = constant.metadata.get("table"), getattr(self, constant.name)
            if table and value is not None and value not in getattr(unet, table):
                choices = ", ".join(getattr(unet, table))
                raise InputError(f"{constant.name.upper()} is {value!r}: choose one of {choices}")
        network, start = unet.NETWORKS[self.model], self.start_from or RANDOM
        if self.start_from is None and network.start and self.channels == 3:
            shipped, here = Path(unet.__file__).parent / network.start, Path.cwd()
            start = str(shipped.relative_to(here) if shipped.is_relative_to(here) else shipped)
        if start != RANDOM and not Path(start).is_file():
            raise FileNotFoundError(
                f"{start}: no such weights file: give START_FROM the model.keras of a run"
            )
        learnt = self.start_from not in (None, RANDOM)
        rate = network.learning_rate * (FINE_TUNING if learnt else 1)
        own = {
            "start_from": start,
            "loss": network.loss,
            "image_size": network.image_size,
            "learning_rate": rate,
        }
        missing = {name: value for name, value in own.items() if getattr(self, name) is None}
        return replace(self, **missing)

    def patient(self):
        """Return these settings with the usual patience where none is given."""
        usual = max(LEAST_PATIENCE, round(PATIENCE * self.epochs))
        return replace(self, patience=usual if self.patience is None else self.patience)


def as_names(value):
    """Return one or several names as a tuple of text; None and "" are none."""
    several = value if isinstance(value, tuple | list) else (value,)
    return tuple(str(name).strip() for name in several if name not in (None, ""))


def check_number(constant, value):
    """Raise InputError, which names the constant and its bounds, if a value is not within them.

    Args:
        constant: field of `Settings` made by `number`.
    """
    bounds, optional = constant.metadata, constant.default is None
    if value is None and optional:
        return
    kind = bounds["kind"]
    wanted = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool)
    # Written so that nan, which compares false with everything, fails too.
    if not wanted or not math.isfinite(value) or not bounds["lowest"] <= value <= bounds["highest"]:
        what = "a whole number" if kind is int else "a number"
        raise InputError(
            f"{constant.name.upper()} is {value!r}: give {what} from {bounds['lowest']:,} to "
            f"{bounds['highest']:,}{' or None' if optional else ''}"
        )
