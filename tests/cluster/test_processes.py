"""Which of how many processes this is, as launchers tell it, and what several cannot do."""

import pytest

from lesion import processes
from lesion.console import InputError
from lesion.processes import Share

VARIABLES = [name for pair in processes.VARIABLES for name in pair]


@pytest.mark.parametrize(
    ("variables", "here"),
    [
        ({}, None),
        ({"OMPI_COMM_WORLD_SIZE": "1", "OMPI_COMM_WORLD_RANK": "0"}, None),
        ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"}, (3, 4)),
        ({"PMI_SIZE": "2", "PMI_RANK": "0"}, (0, 2)),
        # In a batch script, outside srun, a job of several tasks is still a single process.
        ({"SLURM_NTASKS": "2", "SLURM_PROCID": "0"}, None),
        ({"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1"}, (1, 2)),
        ({processes.COUNT: "3", processes.INDEX: "2", "PMI_SIZE": "2", "PMI_RANK": "0"}, (2, 3)),
    ],
)
def test_launchers_say_which_process_this_is(monkeypatch, variables, here):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert processes.member() == (here and Share(*here))


@pytest.mark.parametrize(("count", "index"), [("2", "2"), ("two", "0"), ("2", "")])
def test_variables_that_do_not_fit_together(monkeypatch, count, index):
    monkeypatch.setenv(processes.COUNT, count)
    monkeypatch.setenv(processes.INDEX, index)
    with pytest.raises(InputError, match=f"{processes.COUNT}={count}.*from 0"):
        processes.member()


def test_what_several_processes_cannot_do(refused, drawn_folder, monkeypatch):
    train = "train", "--data", drawn_folder
    refused("8 pictures|3 processes|--batch 9", *train, "--processes", 3)
    refused("--folds|leave out", *train, "--processes", 2, "--folds", 2)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    refused("KERAS_BACKEND is torch|jax", *train, "--processes", 2)
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setenv("PMI_RANK", "1")
    refused("--out", *train)
