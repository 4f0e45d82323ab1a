"""One line for a mistake of the user, a traceback for a mistake of the program."""

import os
import subprocess
import sys

import pytest

from lesion.console import InputError, Parser, counted, one_line, run, usable_cores


def outcome(capsys, error, *argv):
    """Run a command that ends in an error; returns (exit code, error stream)."""

    def command(arguments):
        raise error

    return run(Parser(), command, list(argv)), capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (InputError("a.png: is empty;\n  copy it again"), "a.png: is empty; copy it again"),
        (FileNotFoundError("a.png: no such file"), "a.png: no such file"),
        (PermissionError(13, "Permission denied", "a.png"), "a.png: Permission denied"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (MemoryError(), "out of memory; take a smaller --size or "
         "--batch (notebook: IMAGE_SIZE, BATCH_SIZE)"),
    ],
)  # fmt: skip
def test_a_mistake_of_the_user_is_one_line(error, line, capsys):
    assert outcome(capsys, error) == (2, f"error: {line}\n")


@pytest.mark.parametrize(
    "error", [ValueError("operands could not be broadcast"), TypeError("x"), OSError("odd")]
)
def test_a_mistake_of_the_program_keeps_its_traceback(error, capsys):
    assert one_line(error) is None
    with pytest.raises(type(error), match=str(error)):
        outcome(capsys, error)


def test_debug_shows_where_a_mistake_was_found(capsys):
    code, text = outcome(capsys, InputError("a.png: is empty"), "--debug")
    assert code == 2
    assert "Traceback" in text
    assert text.splitlines()[-1] == "error: a.png: is empty"


def test_stopped_by_hand(capsys):
    code, text = outcome(capsys, KeyboardInterrupt())
    assert code == 130
    assert text == "stopped; what was finished before is kept\n"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen here")
def test_only_cores_that_this_process_may_use_count():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from lesion.console import usable_cores; print(usable_cores())"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "1\n"
    assert usable_cores() >= 1


def test_a_number_with_its_noun():
    words = [counted(1), counted(1815), counted(0, "mask")]
    assert words == ["1 picture", "1,815 pictures", "0 masks"]
