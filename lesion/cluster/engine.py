"""Work on many pictures at once on Ray Data: what `parallel.in_order` does, on many machines.

    engine = ray_engine(address)         # None: on this machine alone
    rows, left_out = predict_files(network, images, directory, engine=engine)

Each core of the cluster has a process with the work, such as a network, of its own. Pictures come
to it a few at a time, and are done again by another if it dies; what is written is written here,
once. Ray's logs and progress bars stay off, and no use is reported to anybody.
"""

import logging
import os
import pickle
import socket
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from lesion.console import InputError, usable_cores, without_errors_shown

TOGETHER = 32  # pictures, at most, for a process at once; between two such it waits some 0.1 s
RETRIES = 5  # of these, if their process dies
STORE = 512 << 20  # bytes of shared memory for what is on its way between processes
ROOT = Path(__file__).parents[2]


def ray_engine(address: str | None = None) -> Callable[..., Iterator]:
    """Return a function like `parallel.in_order` that works on Ray.

    Args:
        address: of a cluster, as `ray.init` takes it; None for one of this machine's own cores,
            started and ended with the work.

    Raises:
        InputError: Ray is not installed.
    """
    _quieten()
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"--engine ray: {error}: pip install -r requirements-cluster.txt installs it"
        ) from None
    return partial(_in_order, address=address)


def _in_order(work, items, address):
    items = list(items)
    if not items:
        return
    with session(address) as cores:
        import ray

        size = min(TOGETHER, -(-len(items) // (4 * cores)))  # each has work to the end
        starts = range(0, len(items), size)
        groups = [{"items": pickle.dumps(items[start : start + size])} for start in starts]
        _settle(ray.data.DataContext.get_current())
        rows = ray.data.from_items(groups, override_num_blocks=len(groups))
        with warnings.catch_warnings(action="ignore"):  # the name of the last will change
            # Tasks, not actors: those of a machine that is lost are done by the others.
            rows = rows.map(partial(_results, ray.put(work)), num_cpus=1, max_retries=RETRIES)
        try:
            for row in rows.iter_rows():
                for result in pickle.loads(row["results"]):
                    if isinstance(result, _Raised):
                        raise result.error
                    yield result
        except ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[-1]
            raise InputError(
                f"Ray gave up ({reason}); with --resume the same command goes on from here"
            ) from error


def _settle(context):
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False


def _results(reference, row):
    """Return what becomes of a row of pictures, in a process of the cluster."""
    results = []
    try:
        work = _work(reference)
        for item in pickle.loads(row["items"]):
            results.append(work(item))
    except Exception as error:  # told by who asks, in its turn, and not tried again
        if not isinstance(error, InputError):
            error.add_note(traceback.format_exc())  # of this process
        results.append(_Raised(error))
    return {"results": pickle.dumps(results)}


@lru_cache(maxsize=1)
def _work(reference):
    """Return the work, such as a network, that this process does one time after the other."""
    import ray

    cv2.setNumThreads(1)  # there is a process for each core
    return ray.get(reference)


@dataclass
class _Raised:
    """Stands for the result of work that raised an error."""

    error: Exception


@contextmanager
def session(address: str | None = None) -> Iterator[int]:
    """Give the number of cores of a cluster, connected or started for as long as the `with` lasts.

    One that this process is connected to already is used, and left as it is.

    Raises:
        InputError: nothing answers at that address.
    """
    import ray

    if ray.is_initialized():
        yield _cores(ray)
        return
    # The names of pictures may stand in Ray's own files: they go with it.
    with TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        try:
            _start(ray, address, folder)
            yield _cores(ray)
        finally:
            ray.shutdown()


def _start(ray, address, folder):
    own = {
        "num_cpus": usable_cores(),
        "object_store_memory": STORE,
        "include_dashboard": False,
        "_node_ip_address": "127.0.0.1",
        "_temp_dir": folder,
    }
    try:
        if ":" in (address or ""):  # where Ray itself would try for minutes
            host, port = address.rsplit(":", 1)
            socket.create_connection((host, int(port)), timeout=10).close()
        with without_errors_shown():
            ray.init(
                address,
                runtime_env={"env_vars": _variables()},
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if address else own),
            )
    except Exception as error:  # no narrower one is promised
        where = f"--address {address}: no Ray" if address else "--engine ray: Ray does not start"
        raise InputError(f"{where} ({str(error).strip().partition(chr(10))[0]})") from error


def _cores(ray):
    return int(ray.cluster_resources()["CPU"])


def _variables():
    """Return what a process of the cluster needs: where this project is, and one thread each."""
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "PYTHON_CPU_COUNT": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _quieten():
    """Switch off what Ray tells, to the user and to its makers; read when it is imported."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    os.environ.setdefault("RAY_DATA_LOG_LEVEL", "CRITICAL")
