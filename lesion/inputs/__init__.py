"""What the user brought: pictures, masks and how they are divided; and what is wrong with it.

print(inputs.check("my_data"))
split = inputs.load(settings)
picture, mask = inputs.read_pair(split.train[0])

Needs neither Keras nor TensorFlow.
"""

from lesion.inputs.checks import check, check_pairs, shared_pictures
from lesion.inputs.conversion import convert
from lesion.inputs.filtering import (
    filter_pairs,
    filter_pictures,
    filter_split,
    legend_of,
    load,
    load_folds,
)
from lesion.inputs.held_out import (
    EVERY_PAIR,
    Selection,
    refuse_seen,
    remark_on,
    select_common,
    select_pairs,
    select_test,
    unique_names,
    warning_on,
)
from lesion.inputs.legend import PLAIN, Legend
from lesion.inputs.pairing import DataFolder, Pair, find_pairs, find_parts
from lesion.inputs.pictures import distinct_names, find_pictures
from lesion.inputs.reading import (
    read_image,
    read_mask,
    read_pair,
    read_truth,
    resize_image,
    resize_mask,
)
from lesion.inputs.remote import local_folder
from lesion.inputs.seen import SeenPictures
from lesion.inputs.split import Split
from lesion.inputs.splitting import load_split, load_splits

__all__ = [
    "EVERY_PAIR",
    "PLAIN",
    "DataFolder",
    "Legend",
    "Pair",
    "SeenPictures",
    "Selection",
    "Split",
    "check",
    "check_pairs",
    "convert",
    "distinct_names",
    "filter_pairs",
    "filter_pictures",
    "filter_split",
    "find_pairs",
    "find_parts",
    "find_pictures",
    "legend_of",
    "load",
    "load_folds",
    "load_split",
    "load_splits",
    "local_folder",
    "read_image",
    "read_mask",
    "read_pair",
    "read_truth",
    "refuse_seen",
    "remark_on",
    "resize_image",
    "resize_mask",
    "select_common",
    "select_pairs",
    "select_test",
    "shared_pictures",
    "unique_names",
    "warning_on",
]
