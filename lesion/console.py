"""What every command of the project shares: mistakes in one line, numbers with bounds, no noise."""

import argparse
import os
import sys
from contextlib import contextmanager


class InputError(ValueError):
    """A mistake of the user, told in one line: the file, what was found, what to do."""


def note(text: str) -> None:
    """Tell the user what they may not expect, in one line."""
    print(f"note: {text}")


def usable_cores() -> int:
    """Return how many cores this process may use; a container often gives fewer than there are."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def without_errors_shown():
    """Close the error stream of the process for a moment, also to what is not written in Python.

    For libraries that write notes there, and raise as exceptions what does fail.
    """
    sys.stderr.flush()
    stream, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(stream, 2)
        os.close(stream)
        os.close(nothing)


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a mistake in one line and leaves with exit code 2."""

    def error(self, message):
        self.exit(2, f"error: {message} (--help explains)\n")


def number_between(lowest, highest, kind=int):
    """A `type=` for an argument: a number of this kind within bounds, both included."""

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        # Written so that nan, which compares false with everything, fails too.
        if value is None or not lowest <= value <= highest:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"{text!r} is not {what} from {lowest:,} to {highest:,}"
            )
        return value

    return parse
