"""Give weights a quality estimate, learnt from the validation pictures of their training.

    python -m tools.estimate files/lite.keras ISIC HAM10000

For weights that were trained before there was one; a training ends with it. The folders are those
of the training, whose validation part is found again. What was learnt is written into the .json
beside the weights, and a .tflite there is made anew, since it has to give the features.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from lesion.console import InputError, Parser, run
from lesion.export.conversion import to_litert
from lesion.inputs import filter_pairs, select_pairs
from lesion.predict.litert import HASHES
from lesion.predict.network import Network, load_keras_network
from lesion.score.estimation import LEAST_PICTURES, fit_estimate
from lesion.storage import replacing, sha256, write_json


def add_estimate(weights: str | Path, directories: Sequence[str | Path]) -> Network:
    """Write a quality estimate into the .json beside a .keras file; return the network with it.

    Raises:
        InputError, FileNotFoundError: as `load_network`, a folder is not of the training, or there
            are too few validation pictures.
    """
    weights, pairs = Path(weights), []
    network = load_keras_network(weights)
    for directory in directories:
        chosen = select_pairs(directory, weights, "validation")
        if not chosen.kept_apart:
            raise InputError(f"{directory}: {chosen.remark}; name the folders it was trained with")
        pairs += filter_pairs(directory, chosen.pairs)[0]
    network.estimate = fit_estimate(network, pairs)
    if network.estimate is None:
        raise InputError(
            f"{weights}: no estimate from {len(pairs)} validation pictures: {LEAST_PICTURES} are "
            "needed, and a network of this project"
        )
    settings = network.settings | {"quality_estimate": network.estimate.to_dict()}
    litert = weights.with_suffix(".tflite")
    if litert.is_file():
        with replacing(litert) as temporary:
            temporary.write_bytes(to_litert(network, "float16"))
        # Last, because it is what makes the two files a pair: see `litert`.
        settings[HASHES[".tflite"]] = sha256(litert.read_bytes())
    write_json(weights.with_suffix(".json"), settings)
    return network


def command(arguments):
    estimate = add_estimate(arguments.weights, arguments.data).estimate
    print(f"{arguments.weights}: quality estimate learnt from {estimate.pictures} pictures")


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path, help="the .keras file")
    parser.add_argument("data", nargs="+", metavar="DIR", help="the folders it was trained with")
    return run(parser, command, argv)


if __name__ == "__main__":
    sys.exit(main())
