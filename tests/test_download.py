"""Downloads from a server on this machine: small archives with the true names and structure."""

import hashlib
import io
import re
import stat
import zipfile
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import cv2
import pytest

from lesion.data_sets import DATA_SETS
from lesion.download import UNFINISHED, fetch
from lesion.drawn.scene import draw_picture
from lesion.inputs import find_parts
from segment import main

SEEDS = {"Training": (1, 2, 3), "Validation": (4,), "Test": (5, 6)}
PARTS = {"Training": "train", "Validation": "validation", "Test": "test"}


def drawn(seed, ending, is_mask=False):
    """Return a drawn picture or its mask, encoded as the ending of its name says."""
    picture = draw_picture(seed, 64)[is_mask]
    picture = picture * 255 if is_mask else picture[..., ::-1]
    return cv2.imencode(ending[ending.rindex(".") :], picture)[1].tobytes()


def zipped(files):
    """Return the bytes of a ZIP of {path or ZipInfo: bytes}."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def isic(name):
    """Return an archive of the ISIC's challenges by its name."""
    folder = name.removesuffix(".zip")
    seeds = next(SEEDS[word] for word in SEEDS if word in name)
    if "GroundTruth" in name:
        ending = "_Segmentation.png" if "2016" in name else "_segmentation.png"
        return zipped({f"{folder}/ISIC_{k:07}{ending}": drawn(k, ending, True) for k in seeds})
    files = {f"{folder}/ISIC_{k:07}.jpg": drawn(k, ".jpg") for k in seeds}
    if "2017" in name:
        files |= {f"{folder}/ISIC_{k:07}_superpixels.png": drawn(k, ".png") for k in seeds}
    return zipped(files | {f"{folder}/LICENSE.txt": b"CC0", f"__MACOSX/{folder}/._x.jpg": b"Mac"})


def ham10000(name):
    """Return a file of HAM10000 by its name: two pictures of each lesion."""
    if name.endswith(".csv"):
        rows = "".join(f"HAM_{k // 2:07},ISIC_{k:07},nv,histo,45.0,male,back,x\n" for k in range(4))
        header = "lesion_id,image_id,dx,dx_type,age,sex,localization,dataset\n"
        return (header + rows).encode()
    if "segmentations" in name:
        folder, ending = name.removesuffix(".zip"), "_segmentation.png"
        return zipped({f"{folder}/ISIC_{k:07}{ending}": drawn(k, ending, True) for k in range(4)})
    seeds = (0, 1) if "part_1" in name else (2, 3)
    return zipped({f"ISIC_{k:07}.jpg": drawn(k, ".jpg") for k in seeds})


class Server(ThreadingHTTPServer):
    """Serves files by name.

    Attributes:
        breaks: bytes after which each answer ends too early; None sends all.
        ranges: whether it can begin in the middle of a file.
        status: of each answer, instead of the right one.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.breaks, self.ranges, self.status = {}, [], None, True, None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        name, wanted = self.path.strip("/"), self.headers["Range"]
        self.server.asked.append((name, wanted))
        content = self.server.files[name]
        first = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1]) if self.server.ranges else 0
        self.send_response(self.server.status or (206 if self.server.ranges else 200))
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first:][: self.server.breaks])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    """A server that has all data sets, which are looked for there."""
    server = Server()
    for name, data_set in DATA_SETS.items():
        make = ham10000 if name == "ham10000" else isic
        files = []
        for file in data_set.files:
            content = server.files[file.name] = make(file.name)
            kind = file.checksum.partition(":")[0]
            checksum = f"{kind}:{hashlib.new(kind, content).hexdigest()}"
            url = f"http://127.0.0.1:{server.server_port}/{file.name}"
            files.append(file._replace(url=url, checksum=checksum))
        monkeypatch.setitem(DATA_SETS, name, replace(data_set, files=tuple(files)))
    Thread(target=partial(server.serve_forever, 0.01), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def download(capsys):
    """Runs `segment.py download`; returns (exit code, standard output, error line or "")."""

    def run(*arguments):
        capsys.readouterr()
        code = main(["download", *map(str, arguments)])
        output, errors = capsys.readouterr()
        return code, output, "".join(line for line in errors.splitlines() if "error: " in line)

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def counts(folder):
    return {part: len(found.labelled) for part, found in find_parts(folder).items()}


@pytest.mark.parametrize("name", ["isic2016", "isic2017", "isic2018"])
def test_official_divisions_are_kept(server, download, tmp_path, name):
    out = tmp_path / "data" / name
    code, output, _ = download(name, "--out", out, "--accept-licence")
    assert code == 0
    assert DATA_SETS[name].licence in output
    assert "GB" in output
    expected = {PARTS[word]: len(SEEDS[word]) for word in SEEDS}
    if name == "isic2016":
        del expected["validation"]
    assert counts(out) == expected
    assert names(out) == sorted(DATA_SETS[name].places)
    assert main(["check", str(out)]) == 0
    server.files.clear()  # a second time nothing is asked for
    assert download(name, "--out", out)[0] == 0


def test_a_training_takes_the_official_parts(server, download, tmp_path, planned):
    out = tmp_path / "isic"
    assert download("isic2018", "--out", out, "--yes")[0] == 0
    assert main(["train", "--data", str(out), "--out", str(tmp_path / "run")]) == 0
    parts = (planned[0].train, planned[0].validation, planned[0].test)
    assert [[int(pair.name[-7:]) for pair in part] for part in parts] == [
        *map(list, SEEDS.values())
    ]


def test_ham10000_brings_its_lesions(server, download, tmp_path):
    assert download("ham10000", "--out", tmp_path / "ham", "--yes")[0] == 0
    folder = find_parts(tmp_path / "ham")[""]
    assert folder.layout.startswith("HAM10000")
    assert [pair.group for pair in folder.labelled] == ["HAM_0000000"] * 2 + ["HAM_0000001"] * 2


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_file_has_a_checksum_and_a_secure_address(name):
    for file in DATA_SETS[name].files:
        kind, _, digits = file.checksum.partition(":")
        assert file.url.startswith("https://")
        assert len(digits) == hashlib.new(kind).digest_size * 2
        assert int(digits, 16)


def test_nothing_is_fetched_before_the_licence_is_accepted(server, download, tmp_path, monkeypatch):
    code, output, error = download("isic2016", "--out", tmp_path / "out")  # without a terminal
    assert code == 2
    assert "0.84 GB" in output
    assert "--accept-licence" in error
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    code, _, error = download("isic2016", "--out", tmp_path / "out")
    assert code == 2
    assert "licence" in error
    assert (server.asked, names(tmp_path)) == ([], [])
    monkeypatch.setattr("builtins.input", lambda question: "Y")
    assert download("isic2016", "--out", tmp_path / "out")[0] == 0


@pytest.mark.parametrize("ranges", [True, False], ids=["goes on", "begins anew"])
def test_a_broken_connection_is_gone_on_with(server, download, tmp_path, ranges, monkeypatch):
    monkeypatch.setattr("lesion.download.CHUNK", 1)  # bytes, of which the last one may be lost
    out, first = tmp_path / "out", DATA_SETS["isic2016"].files[0].name
    size = len(server.files[first])
    server.breaks, server.ranges = size // 2 + 1, ranges
    code, _, error = download("isic2016", "--out", out, "--yes")
    if ranges:  # by itself, as long as each attempt brings something
        assert (code, error) == (0, "")
        assert server.asked[:2] == [(first, "bytes=0-"), (first, f"bytes={size // 2 + 1}-")]
        return
    assert code == 2
    assert first in error
    assert "kept" in error
    assert names(out) == [UNFINISHED]
    server.breaks = None
    assert download("isic2016", "--out", out, "--yes")[0] == 0
    assert counts(out) == {"train": 3, "test": 2}


@pytest.mark.parametrize(("breaks", "status", "words"), [
    (0, None, "0 bytes read"), (None, 202, "202"), (None, 404, "404 Client Error"),
])  # fmt: skip
def test_a_server_that_does_not_send_the_file(server, download, tmp_path, breaks, status, words):
    server.breaks, server.status = breaks, status
    code, _, error = download("isic2018", "--out", tmp_path / "out", "--yes")
    assert code == 2
    assert words in error
    assert "the same command goes on" in error
    assert names(tmp_path) == []
    server.breaks = server.status = None
    assert download("isic2018", "--out", tmp_path / "out", "--yes")[0] == 0


def test_what_has_another_checksum_is_not_kept(server, download, tmp_path):
    last = DATA_SETS["isic2016"].files[-1].name
    server.files[last] = isic(last.replace("Test", "Training"))
    code, _, error = download("isic2016", "--out", tmp_path / "out", "--yes")
    assert code == 2
    assert all(words in error for words in (last, "hash", "nothing of it is kept"))
    assert names(tmp_path / "out") == [UNFINISHED]  # nothing looks complete
    assert names(tmp_path / "out" / UNFINISHED) == sorted(DATA_SETS["isic2016"].places[:-1])


def link():
    member = zipfile.ZipInfo("PH2Dataset/link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zipped({member: b"/etc"})


HOSTILE = {
    "leads out": zipped({"../../outside.txt": b"x"}),
    "leads out of": zipped({"/outside.txt": b"x"}),
    "out of its folder": zipped({"..\\outside.txt": b"x"}),
    "is a link": link(),
    "more than a data set": zipped({"zeros.bmp": bytes(10_000_000)}),
    "cannot be unpacked": zipped({"a.txt": b"x" * 100})[:-30],
    "no pictures": zipped({"readme.txt": b"nothing"}),
}


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_archives_leave_nothing(download, tmp_path, words):
    archive = tmp_path / "PH2.zip"
    archive.write_bytes(HOSTILE[words])
    code, _, error = download("ph2", "--archive", archive, "--out", tmp_path / "a/b", "--yes")
    assert code == 2
    assert words in error
    assert names(tmp_path) == ["PH2.zip"]


def test_an_archive_with_a_damaged_picture_is_refused(download, tmp_path):
    content = bytearray(zipped({"PH2Dataset/IMD003.bmp": drawn(3, ".bmp")}))
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "PH2.zip").write_bytes(content)
    arguments = ("--archive", tmp_path / "PH2.zip", "--out", tmp_path / "out", "--yes")
    assert "cannot be unpacked" in download("ph2", *arguments)[2]
    assert not (tmp_path / "out").exists()


def test_ph2_is_taken_from_who_asked_for_it(download, tmp_path):
    code, _, error = download("ph2", "--out", tmp_path / "out", "--yes")
    assert code == 2
    assert "https://www.fc.up.pt/addi/ph2%20database.html" in error
    files = {}
    for k in (3, 4):
        name = f"IMD{k:03}"
        base = f"PH2Dataset/PH2 Dataset images/{name}/{name}"
        files[f"{base}_Dermoscopic_Image/{name}.bmp"] = drawn(k, ".bmp")
        files[f"{base}_lesion/{name}_lesion.bmp"] = drawn(k, ".bmp", True)
    (tmp_path / "mine.zip").write_bytes(zipped(files | {"PH2Dataset/PH2_dataset.xlsx": b"PK"}))
    arguments = ("--archive", tmp_path / "mine.zip", "--out", tmp_path / "out")
    assert download("ph2", *arguments, "--yes")[0] == 0
    assert find_parts(tmp_path / "out")[""].layout.startswith("PH2")
    assert counts(tmp_path / "out") == {"": 2}
    assert (tmp_path / "mine.zip").exists()


def test_a_folder_of_something_else_is_left_alone(server, download, tmp_path):
    (tmp_path / "mine.png").touch()
    code, _, error = download("isic2016", "--out", tmp_path, "--yes")
    assert code == 2
    assert "already holds files" in error
    assert "leave that away" in download("isic2016", "--archive", "x.zip")[2]
    with pytest.raises(ValueError, match="ACCEPT_LICENCE in a notebook"):
        fetch("isic2016", tmp_path / "new", accepted=False)
    assert (server.asked, names(tmp_path)) == ([], ["mine.png"])
