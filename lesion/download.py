"""Fetch a public data set of skin lesions, into a folder that `inputs` reads as it is.

    fetch("isic2018", "data/isic2018", accepted=True)

The official divisions into training, validation and test stay what they are. Until all is there,
what has come lies in a hidden folder: the same call goes on with it. Nothing else in the project
uses the network.
"""

import errno
import os
import shutil
import stat
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from lesion.console import InputError
from lesion.data_sets import DATA_SETS
from lesion.inputs import find_parts
from lesion.runs import claim_folder, releasing

UNFINISHED = ".download"  # below the folder of the data set
MOST_FILES, MOST_GROWTH = 100_000, 20  # of an archive: files in it, bytes for each of its own
CHUNK = 1 << 20  # bytes
# Without a name of its own Dataverse refuses Python; what is compressed on the way cannot be gone
# on with.
HEADERS = {"User-Agent": "lesion-segment", "Accept-Encoding": "identity"}


def fetch(
    name: str, directory: str | Path, accepted: bool, archive: str | Path | None = None
) -> Path:
    """Fetch a data set, check it against its checksums, unpack it; or go on with that.

    Args:
        name: in `DATA_SETS`.
        directory: where to, new or left by an earlier call; a complete one is used as it is.
        accepted: whether the licence is.
        archive: ZIP of a data set that somebody has to ask for.

    Returns:
        The folder.

    Raises:
        InputError: the licence is not accepted, the folder holds something else, the connection
            broke (what has come is kept) or an archive is not what it should be (it is not kept).
    """
    data_set, directory = DATA_SETS[name], Path(directory)
    if is_complete(name, directory):
        return directory
    refuse(name, archive)
    if not accepted:
        raise InputError(
            f"{data_set.title}, {data_set.gigabytes:g} GB, is to be had under its licence only "
            f"({data_set.licence}; {data_set.source}): --accept-licence, or ACCEPT_LICENCE in a "
            "notebook, says that you accept it"
        )
    with releasing(claim_folder(directory, known={UNFINISHED, *data_set.places})):
        work = directory / UNFINISHED
        work.mkdir(exist_ok=True)
        try:
            if archive:
                unpack(archive, work / data_set.folder)
            for file in data_set.files:
                _fetch_file(file, work, data_set.source)
            _check_pairs(work, archive or data_set.source)
            for place in data_set.places:
                os.replace(work / place, directory / place)
        finally:
            with suppress(OSError):  # as long as something is in it
                work.rmdir()
    return directory


def is_complete(name: str, directory: str | Path) -> bool:
    """Whether all of a data set lies in a folder."""
    directory = Path(directory)
    places = [directory / place for place in DATA_SETS[name].places]
    return all(place.exists() for place in places) and not (directory / UNFINISHED).exists()


def refuse(name: str, archive: str | Path | None) -> None:
    """Raise InputError where somebody has to ask for a data set, or need not."""
    data_set = DATA_SETS[name]
    if data_set.files and archive:
        raise InputError(f"--archive {archive}: {data_set.title} is downloaded; leave that away")
    if not data_set.files and not archive:
        raise InputError(
            f"{data_set.title} is given to those who ask for it on {data_set.source}: then "
            f"segment.py download {name} --archive FILE takes its ZIP; a .rar has to be unpacked "
            "and packed as ZIP first"
        )


def _fetch_file(file, work, source):
    """Bring a file into a folder, checked, and if it is a ZIP unpack it there."""
    import pooch
    import requests

    place = work / file.name.removesuffix(".zip")
    if place.exists():
        return
    pooch.get_logger().setLevel("WARNING")
    tqdm.write(file.name)
    try:
        path = pooch.retrieve(
            file.url, file.checksum, file.name, work, downloader=_resuming(work, file.name)
        )
    except requests.RequestException as error:  # before OSError, of which it is one
        raise InputError(
            f"{file.url}: cannot be had ({error}): what has come is kept, and the same command "
            "goes on with it"
        ) from error
    except ValueError as error:
        raise InputError(
            f"{file.url}: {error}; nothing of it is kept: try again, and if that does not help "
            f"see {source} for what has changed"
        ) from error
    if place.name != file.name:
        try:
            unpack(path, place)
        except InputError:
            os.remove(path)
            raise
        os.remove(path)


def _resuming(work, name):
    """Return a downloader for pooch that goes on where a broken connection ended.

    pooch's own begins anew. What has come lies in a file that goes to pooch once it is whole.
    """
    import requests

    part = work / f"{name}.part"

    def download(url, output_file, _):
        while True:
            before = part.stat().st_size if part.exists() else 0
            try:
                _append(url, part)
                break
            except requests.RequestException as error:
                if getattr(error.response, "status_code", None) == 416:  # there is no more
                    break
                size = part.stat().st_size
                if not size:
                    part.unlink()
                if size <= before:  # else it is worth another try
                    raise
        os.replace(part, output_file)

    return download


def _append(url, part):
    """Add to a file what it lacks of the one at `url`, with a bar for that."""
    import pooch
    import requests

    with part.open("ab") as file:

        def look_at(response, **_):
            if response.status_code == 200:  # of a server that sends whole files only
                file.truncate(0)
            elif response.status_code in range(201, 206):  # what comes is not the file
                raise requests.HTTPError(f"the answer is {response.status_code}", response=response)

        pooch.HTTPDownloader(
            progressbar=True,
            chunk_size=CHUNK,
            headers=HEADERS | {"Range": f"bytes={file.tell()}-"},
            hooks={"response": look_at},
        )(url, file, None)


def unpack(archive: str | Path, folder: Path) -> None:
    """Unpack a ZIP into a new folder, whole or not at all.

    A top folder of the same name is left out, and so is what macOS adds.

    Raises:
        InputError: it is damaged or no ZIP, or holds what no data set does: paths that lead
            elsewhere, links, passwords, more than `MOST_FILES` files or `MOST_GROWTH` times its
            size.
        FileNotFoundError: there is no such file.
    """
    unfinished = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _harmless(Path(archive), opened.infolist())
            _check_space(folder.parent, members)
            paths = [PurePosixPath(member.filename) for member in members]
            same = {path.parts[:1] for path in paths} == {(folder.name,)}
            for member, path in zip(tqdm(members, unit="file"), paths, strict=True):
                member.filename = str(path.relative_to(folder.name) if same else path)
                opened.extract(member, unfinished)  # compares the checksum of each
        os.replace(unfinished, folder)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise InputError(f"{archive}: cannot be unpacked ({error}): get it anew, as ZIP") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _harmless(archive, members):
    """Return the files of an archive, or raise InputError for one that no data set holds."""
    files = [m for m in members if not (m.is_dir() or m.filename.startswith("__MACOSX/"))]
    size = sum(member.file_size for member in files)
    if len(files) > MOST_FILES or size > MOST_GROWTH * archive.stat().st_size:
        raise InputError(
            f"{archive}: holds {len(files):,} files of {size / 1e9:,.1f} GB, more than a data set "
            "of that size does; get it anew from its publisher"
        )
    for member in files:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            why = "leads out of its folder"
        elif stat.S_ISLNK(member.external_attr >> 16):
            why = "is a link"
        elif member.flag_bits & 1:
            why = "has a password"
        else:
            continue
        raise InputError(
            f"{archive}: {member.filename} in it {why}, which is in no data set; get it anew from "
            "its publisher"
        )
    return files


def _check_space(folder, members):
    """Raise OSError if a folder has no space for what is in an archive."""
    size = sum(member.file_size for member in members)
    if size > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, f"needs {size / 1e9:,.1f} GB of free space", str(folder))


def _check_pairs(folder, source):
    """Raise InputError if there are no pictures with masks in what was unpacked."""
    try:
        found = any(part.labelled for part in find_parts(folder).values())
    except InputError:
        found = False
    if not found:
        shutil.rmtree(folder)
        raise InputError(f"{source}: holds no pictures with masks; get it anew from its publisher")
