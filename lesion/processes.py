"""A training by several processes: whether this is one of them, joining the others, its share.

    with processes.joined("runs/mine"):
        ...

Keras distributes on JAX, which sums up over all processes what each found on its share of a batch:
weights, statistics of batches and scores are in all of them what one process with the whole batch
would have. The first process leads: it alone writes, shows, and goes on when all is trained.
A process without others leads, has the whole of each batch, and needs no JAX.
"""

import argparse
import importlib.util
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from lesion.console import MISTAKE, STOPPED, InputError, one_line, out_of_memory

COUNT, INDEX = "KERAS_DISTRIBUTION_NUM_PROCESSES", "KERAS_DISTRIBUTION_PROCESS_ID"
ADDRESS = "KERAS_DISTRIBUTION_JOB_ADDRESSES"  # host:port of the first process
VARIABLES = (  # that say how many processes there are, and which one this is
    (COUNT, INDEX),  # Keras' own: set by lesion.launcher, or by hand, as for Kubernetes
    ("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  # mpirun of Open MPI
    ("PMI_SIZE", "PMI_RANK"),  # mpiexec of MPICH and Intel MPI
    ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"),  # srun
)
# Set by lesion.launcher, which tells what became of all: number of the open file for the reason.
SUPERVISED = "LESION_SUPERVISED"
LOST = 75  # exit code of a supervised process that lost the others
WAIT = 300  # seconds for all to come
SILENCE = 30  # seconds without a sign of life after which a process is taken for dead
FAREWELL = 10  # seconds for all to leave, once they have met for it


class Share(NamedTuple):
    """What a process has of each batch: block `process` of `processes` equal ones.

    devices: those of all processes together, among which a batch is divided.
    """

    process: int = 0
    processes: int = 1
    devices: int = 1


WHOLE = Share()
_share = WHOLE


def member() -> Share | None:
    """Return which of how many processes this was started as, or None for a single one.

    Raises:
        InputError: the variables that say so do not fit together.
    """
    for count, index in VARIABLES:
        if count in os.environ:
            values = os.environ[count], os.environ.get(index, "")
            if not all(value.isdecimal() for value in values) or int(values[1]) >= int(values[0]):
                raise InputError(
                    f"{count}={values[0]} and {index}={values[1]}: give the number of processes, "
                    "and which one this is, from 0"
                )
            return Share(int(values[1]), int(values[0])) if int(values[0]) > 1 else None
    return None


def share() -> Share:
    """Return what this process has of each batch: the whole before `joined` and after `disband`."""
    return _share


def several() -> bool:
    """Return whether this process works together with others."""
    return _share.processes > 1


def leads() -> bool:
    """Return whether this process writes and shows: the only one, or the first of several."""
    return _share.process == 0


def check_batch(batch_size: int, devices: int) -> None:
    """Raise InputError if a batch cannot be divided into equal parts."""
    if batch_size % devices:
        raise InputError(
            f"a batch of {batch_size} pictures cannot be divided among {devices} processes or "
            f"devices: give --batch {-(-batch_size // devices) * devices}"
        )


def check(arguments: argparse.Namespace) -> None:
    """Raise InputError for what several processes, of which this is one or starts them, cannot do.

    Args:
        arguments: those of `segment.py train`.
    """
    here = member()
    if not (here or arguments.processes):
        return
    if arguments.folds:
        raise InputError(
            "--folds trains one network after the other, several processes one network together: "
            "leave out --folds, or all processes but one"
        )
    if here and arguments.out is None:
        raise InputError(f"{_name(here)}: --out is missing: name the folder that all share")
    check_batch(arguments.batch_size, arguments.processes or here.processes)


def check_jax() -> None:
    """Raise InputError if Keras is told to compute with something else, or there is no JAX."""
    backend = os.environ.setdefault("KERAS_BACKEND", "jax")
    if backend != "jax":
        raise InputError(
            f"KERAS_BACKEND is {backend}: several processes train together with jax alone"
        )
    if importlib.util.find_spec("jax") is None:
        raise InputError(
            "several processes train together with JAX, which is not installed: "
            "pip install -r requirements-cluster.txt"
        )


def going_on(out: str | Path | None) -> str:
    """Return what to do when one of several processes has ended before its time."""
    return f"the same command with --resume --out {out} goes on from the last checkpoint"


@contextmanager
def joined(out: str | Path | None) -> Iterator[None]:
    """Let Keras distribute what a `with` block builds, once the others are there; or do nothing.

    Only the leading process is heard on the standard output.

    Args:
        out: the folder of the training.

    Raises:
        InputError: as `check_jax`; nothing says where the first process is, not all come, or one
            has ended.
    """
    here = member()
    if here is None:
        yield
        return
    try:
        _join(here)
        yield
    except KeyboardInterrupt:
        if not leads():
            os._exit(STOPPED)
        raise
    except Exception as error:
        if not is_loss(error):
            if one_line(error) is None:  # nobody's mistake: as Python would end, but at once
                traceback.print_exc()
                leave(1)
            raise
        reason = str(error).partition("\n")[0]
        if told := os.environ.get(SUPERVISED):
            os.write(int(told), reason.encode())
            os._exit(LOST)
        raise InputError(
            f"{_name(here)} has lost the others ({reason}): {going_on(out)}"
        ) from error


def _name(here):
    return f"process {here.process} of {here.processes}"


def _join(here):
    global _share
    from lesion import startup  # which asks this module, too

    if os.environ.get(SUPERVISED):
        threading.Thread(target=_end_with_launcher, daemon=True).start()
    check_jax()
    if hasattr(os, "SCHED_BATCH"):  # on Linux
        # Gloo's thread asks its sockets without a pause (its issue 246). Threads of a batch do not
        # interrupt each other, so that it leaves the core to the one that computes: a step of two
        # processes on two cores takes an eighth of the time.
        with suppress(PermissionError):  # in some containers
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    startup.start_keras()
    import jax
    import keras
    from jax.experimental.multihost_utils import sync_global_devices

    waited = threading.Timer(WAIT, _give_up, [here])
    waited.start()
    try:
        jax.distributed.initialize(
            os.environ.get(ADDRESS),
            here.processes,
            here.process,
            initialization_timeout=2 * WAIT,  # at which JAX would abort without a word
            heartbeat_timeout_seconds=SILENCE,
            shutdown_timeout_seconds=FAREWELL,
        )
    except ValueError as error:
        raise InputError(
            f"{_name(here)}: nothing says where the first one is: set {ADDRESS}=HOST:PORT"
        ) from error
    finally:
        waited.cancel()
    _share = Share(here.process, here.processes, jax.device_count())
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sync_global_devices("come")  # of which Gloo tells on the standard output
    if leads():
        os.dup2(output, 1)
    keras.distribution.set_distribution(keras.distribution.DataParallel(auto_shard_dataset=False))


def _give_up(here):
    """End this process, whose only other thread waits in the depth of JAX."""
    sys.stderr.write(
        f"error: {_name(here)}: the others did not come within {WAIT} s: look whether each was "
        "started, and whether its machine reaches that of the first one\n"
    )
    sys.stderr.flush()
    os._exit(MISTAKE)


def _end_with_launcher():
    """End this process when the one that holds the other end of its standard input has ended."""
    os.read(sys.stdin.fileno(), 1)
    os._exit(LOST)


def is_loss(error: Exception) -> bool:
    """Return whether an error tells that another process has ended."""
    if not several():
        return False
    import jax

    return isinstance(error, jax.errors.JaxRuntimeError) and not out_of_memory(error)


def disband() -> None:
    """End the work of several processes, of which the leading one goes on alone.

    Raises:
        SystemExit: in the others, which have nothing to do any more.
    """
    global _share
    import jax
    import keras
    from jax.experimental.multihost_utils import sync_global_devices

    sync_global_devices("done")  # however long the first one takes to draw a figure
    jax.distributed.shutdown()
    keras.distribution.set_distribution(None)
    leading, _share = leads(), WHOLE
    if not leading:
        sys.exit()


def leave(code: int) -> int:
    """Return the exit code of a process; one that leaves others behind ends here and now.

    Otherwise it would wait for them at its end, while they wait for it.
    """
    if several():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
