"""Pictures at a URL, such as s3://bucket/folder: found there, and fetched one by one to be read.

    pictures, passed_over = pictures_at("s3://bucket/folder")
    with local_copy(pictures[0]) as path:
        picture = read_image(path)

Of any store that fsspec knows, with its usual settings and credentials. As a path, a picture is
called like its URL with one slash: that is what pathlib makes of s3://bucket/1.png.
"""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from lesion.console import InputError
from lesion.inputs.decoding import look
from lesion.inputs.pairing import pictures_below

MISSING = "pip install -r requirements-cluster.txt installs what S3 needs"
URL = re.compile(r"([a-z][a-z0-9+.-]+):/{1,3}(?=[^/])", re.IGNORECASE)  # no drive, as C:/


def url_of(path: str | Path) -> str | None:
    """Return the URL that a path or what a user typed stands for, None for one on this machine."""
    found = URL.match(str(path))
    if not found:
        return None
    slashes = "///" if found[1].lower() == "file" else "//"  # file:// is followed by a whole path
    return f"{found[1]}:{slashes}{str(path)[found.end() :]}"


def pictures_at(url: str) -> tuple[list[Path], list[str]]:
    """Return (the pictures at a URL, lines on what is passed over), as `find_pictures` of a folder.

    Only names are looked at, by the same rules as those of a folder; of copies each counts.

    Raises:
        FileNotFoundError: nothing is there.
        InputError: it holds no picture, or cannot be listed.
    """
    files = _list(url)
    if files == [""]:
        return [Path(url)], []
    if "::" in url:
        raise InputError(f"{url}: of an archive name one picture, or unpack it and name the folder")
    with TemporaryDirectory() as folder, _named(folder, url):
        for file in files:  # stand-ins, no two alike, for who finds pictures in folders
            path = Path(folder, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file, encoding="utf-8")
        pictures, lines = pictures_below(folder)
    return [Path(url, picture.relative_to(folder)) for picture in pictures], lines


@contextmanager
def local_copy(path: Path) -> Iterator[Path]:
    """Give a file itself, or of what lies at a URL a copy for as long as the `with` lasts.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it cannot be fetched, or its values are deep: those of all pictures of a camera
            are scaled alike, which would take to read all of them first.
    """
    url = url_of(path)
    if url is None:
        yield path
        return
    with TemporaryDirectory() as folder, _named(folder, url.removesuffix(path.name)):
        copy = Path(folder, path.name)
        with _told(url, "fetched"):
            system, place = _open(url)
            system.get_file(place, str(copy))
        if look(copy).deep:
            raise InputError(
                f"{url}: a picture of more than 8 bits, whose scale depends on the others: copy "
                "the pictures into a folder of this machine and name that"
            )
        yield copy


@contextmanager
def local_folder(directory: str | Path, copy: Path) -> Iterator[Path]:
    """Give a data folder itself, or of one at a URL a copy for as long as the `with` lasts.

    Args:
        directory: folder or URL.
        copy: folder for the copy, which takes as much space as the data; removed at the end.

    Raises:
        FileNotFoundError, InputError: as `pictures_at`; what is raised in the `with` names the URL.
    """
    url = url_of(directory)
    if url is None:
        yield directory
        return
    files = _list(url)
    if files == [""]:
        raise InputError(f"{url}: is a file; give the folder that holds the pictures")
    try:
        with _told(url, "fetched"):
            system, place = _open(url)
            system.get([f"{place}/{file}" for file in files], [str(copy / file) for file in files])
        with _named(copy, url):
            yield copy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _open(url):
    """Return (file system, path there) of a URL."""
    import fsspec

    return fsspec.core.url_to_fs(url)


def _list(url):
    """Return the paths of all files below a URL, relative to it; [""] for a file."""
    with _told(url, "listed"):
        system, place = _open(url)
        if system.isfile(place):
            return [""]
        found = [PurePosixPath(file) for file in system.find(place) if file[-1] != "/"]
        if not found:
            raise FileNotFoundError
        if any(".." in file.parts for file in found):  # would be written somewhere else
            raise InputError(f"{url}: holds a name with .. in it; rename it")
        return [str(file.relative_to(place)) for file in found]


@contextmanager
def _told(url, what):
    """Tell what a store objects to in one line that names the URL."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise FileNotFoundError(f"{url}: no such file or folder; check the address") from None
    except ImportError as error:  # fsspec, or what it needs for this kind of store
        raise InputError(f"{url}: {error}; {MISSING}") from None
    # Each store has exceptions of its own: of the network, of rights, of its credentials.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"{url}: cannot be {what} ({reason}); check the address and your rights there"
        ) from None


@contextmanager
def _named(folder, url):
    """Let errors name a URL instead of the folder of its copies."""
    try:
        yield
    except (InputError, FileNotFoundError) as error:
        raise type(error)(str(error).replace(str(folder), url.rstrip("/"))) from None
