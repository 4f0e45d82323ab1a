"""read_truth and read_pair: masks of one file or several, regions, levels that are named."""

from dataclasses import replace

import numpy as np
import pytest
from picture_files import write_picture
from PIL import Image

from lesion.inputs.annotations import Annotation, Shape
from lesion.inputs.legend import Legend
from lesion.inputs.pairing import Pair
from lesion.inputs.reading import read_pair, read_second_truth, read_truth
from lesion.masks import IGNORED


def mask_file(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(rows, np.uint8)).save(path)
    return path


@pytest.fixture
def pair(tmp_path):
    mask = mask_file(tmp_path / "m.png", [[0, 255, 0], [0, 0, 0]])
    return Pair("x", write_picture(tmp_path / "x.png", (3, 2)), mask)


def test_several_masks_are_united(pair, tmp_path):
    more = mask_file(tmp_path / "m_1.png", [[0, 0, 0], [0, 0, 255]])
    picture, truth = read_pair(replace(pair, more_masks=(more,)))
    assert picture.shape == (2, 3, 3)
    assert truth.tolist() == [[0, 1, 0], [0, 0, 1]]
    small = mask_file(tmp_path / "m_2.png", [[0, 255]])
    with pytest.raises(ValueError, match=r"m_2\.png: the mask has 2 x 1 pixels"):
        read_pair(replace(pair, more_masks=(more, small)))


def test_levels_that_are_named_are_lesion_or_ignored(pair, tmp_path):
    mask = mask_file(tmp_path / "c.png", [[0, 1, 255], [1, 0, 2]])
    more = mask_file(tmp_path / "d.png", [[0, 255, 1], [0, 255, 2]])
    legend = Legend(lesion_level=("1",), ignore_level=("255",))
    named = replace(pair, mask=mask, legend=legend)
    assert read_truth(named, (2, 3)).tolist() == [[0, 1, IGNORED], [1, 0, 0]]
    # Lesion in one of the masks is lesion; ignored in one and lesion in none is ignored.
    united = replace(named, more_masks=(more,))
    assert read_truth(united, (2, 3)).tolist() == [[0, 1, 1], [1, IGNORED, 0]]


def test_regions_are_drawn_at_the_size_of_the_picture(pair, tmp_path):
    def column(number):
        return lambda height, width: np.eye(width, dtype=np.uint8)[[number] * height]

    shapes = Shape("lesion", column(0)), Shape("hair", column(2))
    drawn = replace(pair, mask=tmp_path / "x.json", annotation=Annotation(tmp_path, shapes))
    assert read_truth(drawn, (2, 3)).tolist() == [[1, 0, 1]] * 2
    named = replace(drawn, legend=Legend(lesion_class=("lesion",)))
    assert read_pair(named)[1].tolist() == [[1, 0, 0]] * 2


def test_a_second_annotators_mask_is_read_alike(pair, tmp_path):
    second = mask_file(tmp_path / "s.png", [[0, 255, 255], [0, 0, 0]])
    pair = replace(pair, second_mask=second, more_masks=(pair.mask,))
    assert read_second_truth(pair, (2, 3)).tolist() == [[0, 1, 1], [0, 0, 0]]
