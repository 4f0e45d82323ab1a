"""Run a notebook from top to bottom without a browser, into a new folder in runs/.

    python -m tools.notebook notebooks/skin_lesion_segmentation.ipynb EPOCHS=300 DATA=my_data

Each NAME=VALUE replaces a constant of the notebook's "parameters" cell. What the cells print is
shown as it comes. A mistake ends in one line and exit code 2; the executed notebook is kept.
"""

import argparse
import ast
import logging
import sys
from pathlib import Path

import papermill
from papermill.exceptions import PapermillExecutionError

from lesion import console
from lesion.console import InputError, Parser
from lesion.runs import create_run_folder, releasing

PROJECT = Path(__file__).resolve().parents[1]
PATHS = ("DATA", "START_FROM", "OTHER_WEIGHTS")
RUN_FOLDER = "RUN_FOLDER"  # the constant that says where a notebook writes


def read_parameters(notebook, assignments):
    """Turn ["EPOCHS=300", ...] into {"EPOCHS": 300, ...}.

    Raises:
        InputError: not NAME=VALUE, or the notebook has no such constant.
    """
    known = papermill.inspect_notebook(str(notebook))
    known.pop(RUN_FOLDER, None)
    parameters = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or name not in known:
            raise InputError(
                f"{assignment}: give NAME=VALUE with one of the names {', '.join(known)}"
            )
        # A folder called 2024 is no number: what is text in the notebook, or a path, stays text.
        if name in PATHS or known[name]["default"][:1] in "\"'":
            parameters[name] = value
            continue
        try:
            parameters[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parameters[name] = value
    return parameters


def is_of_the_notebook(record):
    """Whether papermill logs what a cell printed, or a warning, and not what it does itself.

    A figure cannot be printed; its size in letters would tell nobody anything.
    """
    if record.funcName == "log_output_message":
        return not record.getMessage().startswith("<Figure ")
    return record.levelno >= logging.WARNING


def execute(arguments):
    if not arguments.notebook.is_file():
        raise FileNotFoundError(f"{arguments.notebook}: no such notebook")
    parameters = read_parameters(arguments.notebook, arguments.parameters)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stdout)
    papermill_log = logging.getLogger("papermill")
    papermill_log.setLevel(logging.INFO)
    papermill_log.addFilter(is_of_the_notebook)
    with releasing(create_run_folder(PROJECT / "runs", arguments.notebook.stem)) as run:
        executed = run / "notebook.ipynb"
        try:
            papermill.execute_notebook(
                str(arguments.notebook),
                str(executed),
                parameters={**parameters, RUN_FOLDER: str(run.relative_to(PROJECT))},
                cwd=str(PROJECT),
                log_output=True,
                progress_bar=False,
                extra_arguments=["--log-level=CRITICAL"],  # of the kernel, which tells of itself
            )
        except PapermillExecutionError as error:
            print(f"the notebook, as far as it came, is in {executed}", file=sys.stderr)
            kind = "" if error.ename in ("InputError", "FileNotFoundError") else f"{error.ename}: "
            raise InputError(f"{kind}{error.evalue}") from None


def main(argv=None):
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("parameters", metavar="NAME=VALUE", nargs="*")
    return console.run(parser, execute, argv)


if __name__ == "__main__":
    sys.exit(main())
