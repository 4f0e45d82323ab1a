"""Several processes of one command on this machine, which train together, and what becomes of them.

    code = launch(4, "runs/mine")

On several machines mpirun, srun or Kubernetes do the same, see files/cluster.md.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lesion import processes
from lesion.console import MISTAKE, STOPPED, InputError

TURN = 0.1  # seconds between two looks at the processes
GRACE = 20  # seconds for the leading process to keep what is trained when another one has ended
STOPPING = 120  # seconds for it to come to the end of its step after Ctrl-C


def launch(count: int, out: str | Path, further: Sequence[str] = ()) -> int:
    """Run this very command in some processes that train together; return its exit code.

    What the first of them prints is printed, and no process outlives this one.

    Args:
        count: processes; each gets an equal part of the processor's cores, and a GPU of its own.
        out: the folder of the training.
        further: arguments besides those of this process.

    Raises:
        InputError: as `processes.check_jax`; a process has ended before its time.
    """
    processes.check_jax()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    children = []
    try:
        errors = [tempfile.TemporaryFile() for _ in range(count)]  # noqa: SIM115
        for index in range(count):
            children.append(_start(index, count, address, further, errors[index]))
        failed = _wait(children)
        return _tell(failed, count, errors, out) if failed else 0
    except KeyboardInterrupt:
        children[0].send_signal(signal.SIGINT)  # it says itself what is kept
        _end(children, STOPPING)
        return STOPPED
    finally:
        for child in children:
            child.kill()
            child.wait()


def _start(index, count, address, further, errors):
    environment = {
        **os.environ,
        processes.COUNT: str(count),
        processes.INDEX: str(index),
        processes.ADDRESS: address,
        processes.SUPERVISED: str(errors.fileno()),
        "JAX_COORDINATOR_BIND_ADDRESS": address,  # not to be reached from other machines
        "JAX_LOCAL_DEVICE_IDS": str(index),  # a GPU each, where there are any
    }
    child = subprocess.Popen(
        [sys.executable, *sys.orig_argv[1:], *further],
        env=environment,
        stdin=subprocess.PIPE,  # which ends with this process, and they with it
        stdout=None if index == 0 else subprocess.DEVNULL,
        stderr=None if index == 0 else errors,
        pass_fds=[errors.fileno()],
        start_new_session=True,  # Ctrl-C comes to this process alone
    )
    if hasattr(os, "sched_setaffinity"):  # not on macOS and Windows
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(child.pid, cores[index::count] or [cores[index % len(cores)]])
    return child


def _wait(children):
    """Return (index, exit code) of the process that failed first, or None when all ended well."""
    while True:
        codes = [child.poll() for child in children]
        if any(codes):
            # What follows from the end of another one comes last.
            follow = (processes.LOST, -signal.SIGABRT)
            failed = [(code in follow, index, code) for index, code in enumerate(codes) if code]
            for child in children[1:]:
                child.kill()
            _end(children, GRACE)
            return min(failed)[1:]
        if None not in codes:
            return None
        if codes[0] is None and None not in codes[1:]:
            _give_all_cores(children[0].pid)
        time.sleep(TURN)


def _give_all_cores(process):
    """Let the first process, which has trained and goes on alone, use what the others had."""
    if hasattr(os, "sched_setaffinity"):
        with suppress(OSError):  # it, or one of its threads, has just ended
            for thread in os.listdir(f"/proc/{process}/task"):
                os.sched_setaffinity(int(thread), os.sched_getaffinity(0))


def _end(children, seconds):
    """Give the first process time to keep what is trained."""
    with suppress(subprocess.TimeoutExpired):
        children[0].wait(seconds)


def _tell(failed, count, errors, out):
    """Return the exit code of a process that said why itself; of another one raise InputError."""
    index, code = failed
    errors[index].seek(0)
    told = errors[index].read().decode(errors="replace")
    if index == 0 and code > 0 and code != processes.LOST:
        return code
    if code == MISTAKE and "error: " in told:
        raise InputError(told.rpartition("error: ")[2])
    if code < 0:
        how = f"was killed ({signal.Signals(-code).name})"
    elif code == processes.LOST:
        how = f"failed ({told})"
    else:
        sys.stderr.write(told)
        how = f"ended with exit code {code}"
    raise InputError(
        f"process {index} of {count} {how}, so the others were ended: {processes.going_on(out)}"
    )
