"""The public data sets that `download` fetches: where they are, how large, under which licence.

    print(DATA_SETS["isic2018"])

HAM10000 comes from its publisher, not from one of its copies, of which many are altered
(Jiménez-Sánchez et al. 2024, arXiv:2402.06353); its checksums are those that Harvard Dataverse
publishes. The ISIC publishes none: those below are what several people computed independently of
each other from what they had fetched, the MD5 of 2016 and 2017, the SHA-256 of 2018.
"""

from dataclasses import dataclass
from typing import NamedTuple

ISIC = "https://challenge.isic-archive.com/data"
ISIC_FILES = "https://isic-archive.s3.amazonaws.com/challenges"
DATAVERSE = "https://dataverse.harvard.edu/api/access/datafile"


class File(NamedTuple):
    """A file to fetch; a ZIP is unpacked into a folder of its name.

    Attributes:
        name: under which it is published.
        url: where it is.
        checksum: "md5:..." or "sha256:...", as pooch takes it.
    """

    name: str
    url: str
    checksum: str


@dataclass(frozen=True)
class DataSet:
    """A data set of skin lesions with outlines.

    Attributes:
        title, pictures: its name and how many there are, in words.
        gigabytes: to fetch, 10^9 bytes; unpacked it is about as large.
        licence, source, cite: in words; the page that describes it; who has to be named.
        files: tuple of `File`; empty where somebody has to ask for it.
        folder: of a data set without files, where its archive is unpacked.
    """

    title: str
    pictures: str
    gigabytes: float
    licence: str
    source: str
    cite: str
    files: tuple[File, ...] = ()
    folder: str = ""

    def __str__(self):
        return (
            f"{self.title}: {self.pictures}, {self.gigabytes:g} GB\n"
            f"licence: {self.licence}\n"
            f"source:  {self.source}\n"
            f"cite:    {self.cite}"
        )

    @property
    def places(self) -> list[str]:
        """Names of the folders and tables that it consists of, unpacked."""
        return [file.name.removesuffix(".zip") for file in self.files] or [self.folder]


def _isic(year, checksums):
    return tuple(
        File(f"{name}.zip", f"{ISIC_FILES}/{year}/{name}.zip", checksum)
        for name, checksum in checksums.items()
    )


DATA_SETS = {
    "ham10000": DataSet(
        "HAM10000",
        "10,015 pictures of 7,470 lesions",
        2.8,
        "CC BY-NC 4.0: not for commercial use",
        "https://doi.org/10.7910/DVN/DBW86T",
        "Tschandl, Rosendahl & Kittler 2018, doi:10.1038/sdata.2018.161; outlines: Tschandl et "
        "al. 2020, doi:10.1038/s41591-020-0942-0",
        (
            File(
                "HAM10000_images_part_1.zip",
                f"{DATAVERSE}/3172585",
                "md5:4639bfa73ab251610530a97c898e6e46",
            ),
            File(
                "HAM10000_images_part_2.zip",
                f"{DATAVERSE}/3172584",
                "md5:da43d6cc50f6613013be07e8986b384b",
            ),
            File(
                "HAM10000_segmentations_lesion_tschandl.zip",
                f"{DATAVERSE}/3838943",
                "md5:6e8d252e09cfdb0189199f15985a5b84",
            ),
            File(  # as it was handed in: the checksum is not that of Dataverse's own conversion
                "HAM10000_metadata.csv",
                f"{DATAVERSE}/4338392?format=original",
                "md5:8f85fb1aa29d80a2797247e434deb79d",
            ),
        ),
    ),
    "isic2016": DataSet(
        "ISIC 2016, part 1",
        "900 pictures for training, 379 for test",
        0.84,
        "CC0 1.0",
        f"{ISIC}/#2016",
        "Gutman et al. 2016, arXiv:1605.01397",
        _isic(
            2016,
            {
                "ISBI2016_ISIC_Part1_Training_Data": "md5:2029f387e62dcc062b1370b1efc1f7fb",
                "ISBI2016_ISIC_Part1_Training_GroundTruth": "md5:fbd77134298f3511479a37bac93109c7",
                "ISBI2016_ISIC_Part1_Test_Data": "md5:efebcaeaae751007401a40a60d391f93",
                "ISBI2016_ISIC_Part1_Test_GroundTruth": "md5:492a7711a2e19b96114cab6c96bd1ad5",
            },
        ),
    ),
    "isic2017": DataSet(
        "ISIC 2017, part 1",
        "2,000 pictures for training, 150 for validation, 600 for test",
        12.9,
        "CC0 1.0",
        f"{ISIC}/#2017",
        "Codella et al. 2018, doi:10.1109/ISBI.2018.8363547",
        _isic(
            2017,
            {
                "ISIC-2017_Training_Data": "md5:a14a7e622c67a358797ae59abb8a0b0c",
                "ISIC-2017_Training_Part1_GroundTruth": "md5:77fdbeb6fbec4139937224416b250f4c",
                "ISIC-2017_Validation_Data": "md5:8d6419d942112f709894c0d82f6c9038",
                "ISIC-2017_Validation_Part1_GroundTruth": "md5:64d3e68fa2deeb8a5e89aa8dec2efd44",
                "ISIC-2017_Test_v2_Data": "md5:5f6a0b5e1f2972bd1f5ea02680489f09",
                "ISIC-2017_Test_v2_Part1_GroundTruth": "md5:b1742de6bd257faca3b2b21a4aa3b781",
            },
        ),
    ),
    "isic2018": DataSet(
        "ISIC 2018, task 1",
        "2,594 pictures for training, 100 for validation, 1,000 for test",
        13.9,
        "CC BY-NC 4.0 by the terms of the challenge; its page has the present ones",
        f"{ISIC}/#2018",
        "Codella et al. 2019, arXiv:1902.03368; Tschandl, Rosendahl & Kittler 2018, "
        "doi:10.1038/sdata.2018.161",
        _isic(
            2018,
            {
                "ISIC2018_Task1-2_Training_Input": "sha256:"
                "80f98572347a2d7a376227fa9eb2e4f7459d317cb619865b8b9910c81446675f",
                "ISIC2018_Task1_Training_GroundTruth": "sha256:"
                "99f8b2bb3c4d6af483362010715f7e7d5d122d9f6c02cac0e0d15bef77c7604c",
                "ISIC2018_Task1-2_Validation_Input": "sha256:"
                "0ea920fcfe512d12a6e620b50b50233c059f67b10146e1479c82be58ff15a797",
                "ISIC2018_Task1_Validation_GroundTruth": "sha256:"
                "f6911e9c0a64e6d687dd3ca466ca927dd5e82145cb2163b7a1e5b37d7a716285",
                "ISIC2018_Task1-2_Test_Input": "sha256:"
                "e59ae1f69f4ed16f09db2cb1d76c2a828487b63d28f6ab85997f5616869b127d",
                "ISIC2018_Task1_Test_GroundTruth": "sha256:"
                "2e8f6edce454a5bdee52485e39f92bd6eddf357e81f39018d05512175238ef82",
            },
        ),
    ),
    "ph2": DataSet(
        "PH2",
        "200 pictures",
        0.15,
        "for research and teaching, not to be passed on",
        "https://www.fc.up.pt/addi/ph2%20database.html",
        "Mendonça et al. 2013, doi:10.1109/EMBC.2013.6610779",
        folder="PH2Dataset",
    ),
}
