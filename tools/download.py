"""Fetch the public HAM10000 data set, for a notebook that was given no folder.

Nothing else in the project uses the network. The pictures are for non-commercial use (CC BY-NC
4.0): Tschandl, Rosendahl & Kittler 2018, doi:10.1038/sdata.2018.161.
"""

from pathlib import Path

from lesion.console import InputError

PICTURES_AND_MASKS = "surajghuwalewala/ham1000-segmentation-and-classification"
METADATA = "kmader/skin-cancer-mnist-ham10000"  # tells which pictures show the same lesion
METADATA_FILE = "HAM10000_metadata.csv"


def download_ham10000(directory: str | Path = "data/ham10000") -> Path:
    """Download pictures, masks and metadata of HAM10000 from Kaggle, once: about 3 GB.

    Args:
        directory: where to; a folder that is complete already is used as it is.

    Returns:
        The folder, in a layout that `inputs.find_pairs` knows.

    Raises:
        InputError: the download failed; says how to go on by hand.
    """
    directory = Path(directory)
    if (directory / METADATA_FILE).is_file():
        return directory
    import kagglehub

    try:
        # Forced, because what an interrupted download left there is not worth keeping.
        kagglehub.dataset_download(
            PICTURES_AND_MASKS, force_download=True, output_dir=str(directory)
        )
        # Last, so that its presence says that everything is there.
        kagglehub.dataset_download(
            METADATA, path=METADATA_FILE, force_download=True, output_dir=str(directory)
        )
    except Exception as error:  # no network, no such data set any more, disk full, ...
        raise InputError(
            f"{directory}: HAM10000 could not be downloaded from Kaggle ({error}): get it from "
            "doi:10.7910/DVN/DBW86T by hand and name its folder as DATA"
        ) from error
    return directory
