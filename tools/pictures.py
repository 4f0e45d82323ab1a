"""Write beside weights which pictures they have seen, for weights that do not say it yet.

    python -m tools.pictures files/lite.keras ISIC HAM10000

Trainings write it by themselves, into model.pictures.npz, and `tools.publish` passes it on. Name
every data folder of the training that holds real pictures: they are divided as it was.
"""

import json
import sys
from pathlib import Path

from lesion import startup
from lesion.console import InputError, Parser, run
from lesion.inputs import Split, find_parts
from lesion.inputs.held_out import own_split
from lesion.settings import RANDOM, Settings


def write_pictures(weights: str | Path, directories: list[str | Path]) -> int:
    """Write the pictures of a training beside its weights, and return how many.

    Raises:
        InputError: a folder is none that the weights were trained on, or cannot be read.
    """
    startup.start_keras()

    from lesion.workflow import seen_pictures

    whole = Split([], [], [])
    for directory in directories:
        pairs = [pair for part in find_parts(directory).values() for pair in part.labelled]
        split = own_split(directory, weights, pairs)
        if split is None:
            raise InputError(
                f"{directory}: {weights} was not trained on these pictures, or does not say how "
                "they were divided; name the folders of its training, as they were then"
            )
        whole.train += split.train
        whole.validation += split.validation
    record = json.loads(Path(weights).with_suffix(".json").read_text(encoding="utf-8"))
    # Published weights keep to themselves what they began from.
    begun = record.get("model", Settings.model), record.get("start_from", RANDOM)
    seen = seen_pictures(whole, *begun)
    seen.write(weights)
    return len(seen.table)


def command(arguments):
    count = write_pictures(arguments.weights, arguments.data)
    print(f"{count:,} pictures are noted beside {arguments.weights}")


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="a .keras file")
    parser.add_argument("data", type=Path, nargs="+", help="data folders of its training")
    return run(parser, command, argv)


if __name__ == "__main__":
    sys.exit(main())
