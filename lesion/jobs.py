"""Jobs on many pictures, for the command line: who does the work, and how it is gone on with.

    with releasing(resumed(arguments) or new_folder(arguments)) as out:
        with journal(arguments, out, pictures, "threshold") as done:
            predict_files(network, pictures, out, engine=engine(arguments), done=done)

`arguments` are those of `options.add_engine`, with what a command has besides.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lesion.console import InputError
from lesion.journal import NAME, Journal
from lesion.runs import resume_folder
from lesion.storage import sha256

PARTS = ".keras", ".json"  # of saved weights


def engine(arguments: argparse.Namespace) -> Callable[..., Iterator]:
    """Return what works on many pictures: threads of this process, or Ray with --engine ray."""
    if arguments.engine == "ray":
        from lesion.cluster.engine import ray_engine

        return ray_engine(arguments.address)
    if arguments.address:
        raise InputError("--address is that of a Ray cluster: add --engine ray")
    from lesion.parallel import in_order

    return in_order


def resumed(arguments: argparse.Namespace) -> Path | None:
    """Claim the folder of --out to go on in it, or a new one; None without --resume."""
    if not arguments.resume:
        return None
    if arguments.out is None:
        raise InputError("--resume needs --out: the folder of the results to go on with")
    return resume_folder(arguments.out, NAME)


def journal(
    arguments: argparse.Namespace, directory: Path, pictures: Iterable, *options: str
) -> Journal:
    """Return the journal of a job, that only the same job goes on with.

    Args:
        arguments: with weights, the .keras files; these count with the .json beside them.
        directory: of the results.
        pictures: all that are wanted, as what prints their paths.
        options: names of those that make a difference to the results.
    """
    files = [Path(path).with_suffix(suffix) for path in arguments.weights for suffix in PARTS]
    weights = [sha256(path.read_bytes()) for path in files if path.exists()]
    names = "\n".join(map(str, pictures)).encode(errors="surrogateescape")
    about = {"weights": weights, "pictures": sha256(names)}
    about |= {name: getattr(arguments, name) for name in options}
    return Journal(directory, about, arguments.resume)
