"""The pictures of weights that do not say yet what they have seen."""

import shutil

import numpy as np
from picture_files import write_pairs

from lesion.inputs import SeenPictures
from tools.pictures import main


def test_it_writes_what_the_training_wrote(trained, drawn_folder, tmp_path):
    run = shutil.copytree(trained, tmp_path / "run")
    (run / "model.pictures.npz").unlink()
    assert main([str(run / "model.keras"), str(drawn_folder)]) == 0
    written = SeenPictures.read(run / "model.keras")
    expected = SeenPictures.read(trained / "model.keras")
    np.testing.assert_array_equal(written.table, expected.table)
    assert written.complete


def test_other_folders_are_refused(trained, tmp_path, capsys):
    other = write_pairs(tmp_path / "other", range(5))
    assert main([str(trained / "model.keras"), str(other)]) == 2
    assert "was not trained on these pictures" in capsys.readouterr().err
