"""What every command of the project shares: mistakes in one line, exit codes, numbers with bounds.

parser = Parser(description="...")
sys.exit(run(parser, command))
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

STOPPED = 130  # exit code after Ctrl-C
MISTAKE = 2  # exit code after a line that says what to do


class InputError(ValueError):
    """A mistake of the user, told in one line: the file, what was found, what to do."""


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a mistake in one line and leaves with exit code 2."""

    def __init__(self, **options):
        super().__init__(**options)
        self.add_argument(
            "--debug",
            action="store_true",
            default=argparse.SUPPRESS,
            help="also show where in the program a mistake was found",
        )

    def error(self, message):
        self.exit(MISTAKE, f"error: {message} (--help explains)\n")


class WeightsOrPictures(argparse.Action):
    """Takes weights; in `--weights a.keras b.jpg`, what is no .keras file is a picture.

    pictures: the action that takes these elsewhere on the line.
    """

    def __init__(self, *words, pictures, **options):
        super().__init__(*words, **options)
        self.pictures = pictures

    def __call__(self, parser, namespace, values, option_string=None):
        first, *others = values
        weights = [value for value in others if value.endswith(".keras")]
        setattr(namespace, self.dest, [first, *weights])
        if pictures := [value for value in others if value not in weights]:
            self.pictures(parser, namespace, pictures)
            self.pictures.required = False


def run(
    parser: Parser,
    command: Callable[[argparse.Namespace], int | None],
    argv: list[str] | None = None,
) -> int:
    """Run a command with the arguments that were typed; return its exit code.

    Args:
        parser: of its arguments.
        command: gets the arguments, returns an exit code or None for 0.
        argv: the arguments; None takes those of the process.

    Returns:
        What the command returned; 130 if it was interrupted; 2 after a mistake of the user, which
        is told in one line. Any other exception goes on, with its traceback.
    """
    arguments = parser.parse_args(argv)
    # A terminal that cannot show a letter of a file's name is no reason to fail.
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return command(arguments) or 0
    except KeyboardInterrupt:
        print("stopped; what was finished before is kept", file=sys.stderr)
        return STOPPED
    except Exception as error:
        line = one_line(error)
        if line is None:
            raise
        from tqdm import tqdm

        if getattr(arguments, "debug", False):
            traceback.print_exc()
        tqdm.write(f"error: {line}", file=sys.stderr)  # below a progress bar, not behind it
        return MISTAKE


def one_line(error: Exception) -> str | None:
    """Return what the user has to know of an error, or None if it is no mistake of theirs."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, InputError | FileNotFoundError):
        return " ".join(line.strip() for line in str(error).splitlines())
    if out_of_memory(error):
        return "out of memory; take a smaller --size or --batch (notebook: IMAGE_SIZE, BATCH_SIZE)"
    if type(error).__name__ == "ResourceExhaustedError":  # what TensorFlow calls a full disk
        return f"{error.message.splitlines()[0]}; free space there or give another folder"
    return None


def out_of_memory(error: Exception) -> bool:
    """Return whether an error of Python, TensorFlow or JAX tells that memory does not suffice."""
    words = "OOM when allocating", "RESOURCE_EXHAUSTED"
    return isinstance(error, MemoryError) or any(word in str(error) for word in words)


def note(text: str) -> None:
    """Tell the user what they may not expect, in one line."""
    print(f"note: {text}")


def counted(number: int, noun: str = "picture") -> str:
    """Return a number with its noun: 1 picture, 1,815 pictures."""
    return f"{number:,} {noun}" + "s" * (number != 1)


def agreed(question: str, option: str) -> bool:
    """Ask the user for a yes.

    Args:
        question: ends in a question mark.
        option: of the command, which says yes where nobody can be asked.

    Raises:
        InputError: there is no terminal.
    """
    if not sys.stdin.isatty():
        raise InputError(f"{question} This is not a terminal: pass {option} to accept")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def usable_cores() -> int:
    """Return how many cores this process may use; a container often gives fewer than there are.

    PYTHON_CPU_COUNT, which Python itself heeds from 3.13 on, says how many for this process.
    """
    if (told := os.environ.get("PYTHON_CPU_COUNT", "")).isdecimal():
        return max(1, int(told))
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def without_errors_shown() -> Iterator[None]:
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


def number_between(
    lowest: float, highest: float, kind: Callable[[str], float] = int
) -> Callable[[str], float]:
    """Return a `type=` for an argument: a number of this kind within bounds, both included."""

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
