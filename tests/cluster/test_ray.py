"""Predicting and scoring on Ray: the files that threads write, from disks and S3, whoever dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from PIL import Image

from lesion.drawn.scene import write_pairs
from lesion.journal import NAME
from segment import main

ray = pytest.importorskip("ray", reason="Ray is not installed: requirements-cluster.txt")
pytest.importorskip("ray.data", reason="Ray Data is not installed: requirements-cluster.txt")

pytestmark = pytest.mark.slow
RAY = ("--engine", "ray")
WORKER = b"ray::Map("  # how Ray names a process that works on our pictures
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server():
    """A server that speaks S3, on this machine; None where it is not installed."""
    try:
        import s3fs  # noqa: F401
        from moto.server import ThreadedMotoServer
    except ImportError:
        yield None
        return
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    about = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    about |= {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in about.items():
            patch.setenv(name, value)
        yield server
    server.stop()


@pytest.fixture(scope="module", autouse=True)
def _cluster(server):
    """Ray on this machine, once for all tests here; its processes know of the server."""
    from lesion.cluster import engine

    engine.ray_engine()
    with engine.session():
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with 40 drawn pairs."""
    folder = tmp_path_factory.mktemp("pairs")
    write_pairs(40, folder, size=64, first_seed=900)
    return folder


@pytest.fixture
def command(capsys):
    """Runs segment.py; returns (exit code, output, what went wrong)."""

    def run(*arguments):
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        output, errors = capsys.readouterr()
        assert "Traceback" not in errors
        return code, output, [line for line in errors.splitlines() if line.startswith("error")]

    return run


def files_in(folder):
    """Return the content of every file by its path in a folder, but for the report."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "report.html"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.fixture
def threads(command, tmp_path):
    """Runs a command in threads; returns the files that it writes."""

    def run(name, *arguments):
        out = tmp_path / "threads"
        code, _, errors = command(name, *arguments, "--out", out)
        assert (code, errors) == (0, [])
        return files_in(out)

    return run


def test_predictions_are_those_of_threads(data, command, threads, tmp_path):
    more = tmp_path / "more" / "1.png"  # of the same name as another one, and of 16 bits
    more.parent.mkdir()
    Image.new("I;16", (40, 30), 3000).save(more)
    arguments = "predict", data / "image", more, "--probability", "--mm-per-pixel", 0.1
    expected = threads(*arguments)
    assert len(expected) == 3 * 41 + 1
    code, output, errors = command(*arguments, *RAY, "--out", tmp_path / "ray")
    assert (code, errors) == (0, [])
    assert files_in(tmp_path / "ray") == expected
    assert "41 masks, overlays, probabilities and lesions.csv are in" in output


def test_scores_are_those_of_threads(data, command, threads, tmp_path):
    expected = threads("evaluate", "--data", data)
    code, _, errors = command("evaluate", "--data", data, *RAY, "--out", tmp_path / "ray")
    assert (code, errors) == (0, [])
    assert files_in(tmp_path / "ray") == expected
    assert {"scores.csv", "scores.json"} <= set(expected)


def test_a_damaged_picture_is_told_in_the_same_words(data, command, threads, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for path in sorted((data / "image").glob("*.png"))[:9]:
        (folder / path.name).write_bytes(path.read_bytes())
    damaged = sorted(folder.iterdir())[4]
    damaged.write_bytes(damaged.read_bytes()[:900])
    told = [command("predict", folder, *more, "--out", tmp_path / "bad") for more in ((), RAY)]
    assert told[0] == told[1]
    assert told[0][0] == 2
    assert not (tmp_path / "bad").exists()
    expected = threads("predict", folder, "--skip-bad")
    code, output, _ = command("predict", folder, "--skip-bad", *RAY, "--out", tmp_path / "ray")
    assert code == 0
    assert f"{damaged}: the picture is damaged" in output
    assert files_in(tmp_path / "ray") == expected


@pytest.fixture(scope="module")
def bucket(data, server):
    """The URL of the same data in the server."""
    if server is None:
        pytest.skip("s3fs or moto is not installed: requirements-cluster.txt, -dev.txt")
    import fsspec

    store = fsspec.filesystem("s3", skip_instance_cache=True)
    store.mkdir("lesions")
    store.put(f"{data}/", "lesions/data/", recursive=True)
    return "s3://lesions/data"


def test_pictures_in_s3_give_the_same(data, bucket, command, threads, tmp_path):
    expected = threads("predict", data / "image")
    out = tmp_path / "ray"
    code, _, errors = command("predict", f"{bucket}/image", *RAY, "--out", out)
    assert (code, errors) == (0, [])
    assert files_in(out) == expected


def test_scores_in_s3_are_the_same(data, bucket, command, threads, tmp_path):
    expected = threads("evaluate", "--data", data)
    code, _, errors = command("evaluate", "--data", bucket, *RAY, "--out", tmp_path / "ray")
    assert (code, errors) == (0, [])
    assert files_in(tmp_path / "ray") == expected


def workers():
    """Return the numbers of the processes that work for this one: children of our raylet."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if WORKER in (process / "cmdline").read_bytes():
                parent = Path("/proc", (process / "stat").read_text().split(")")[1].split()[1])
                if int((parent / "stat").read_text().split(")")[1].split()[1]) == os.getpid():
                    found.append(int(process.name))
        except OSError:
            continue  # has just ended
    return found


def wait_for_lines(out, count):
    """Wait until so much stands in the journal of a job."""
    while not (out / NAME).exists() or (out / NAME).read_bytes().count(b"\n") < count:
        time.sleep(0.005)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_killed_worker_loses_no_picture_and_does_none_twice(data, command, threads, tmp_path):
    expected, out, killed = threads("predict", data / "image"), tmp_path / "ray", []

    def kill():
        wait_for_lines(out, 2)
        while not (working := workers()):  # between two of its tasks a process is called idle
            time.sleep(0.005)
        os.kill(working[0], signal.SIGKILL)
        killed.append(working[0])

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    code, _, errors = command("predict", data / "image", *RAY, "--out", out)
    killer.join(10)
    assert (code, errors, len(killed)) == (0, [], 1)
    assert files_in(out) == expected


def test_a_lost_machine_s_pictures_are_done_by_another(data, threads, tmp_path):
    from ray.cluster_utils import Cluster

    expected, out = threads("predict", data / "image"), tmp_path / "ray"
    with TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        machine = {"num_cpus": 1, "temp_dir": folder, "object_store_memory": 100 << 20}
        cluster = Cluster(True, head_node_args={"include_dashboard": False, **machine})
        lost = cluster.add_node(**machine)
        words = "predict", data / "image", *RAY, "--address", cluster.address, "--out", out
        command = [str(word) for word in (sys.executable, "segment.py", *words)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            wait_for_lines(out, 2)
            cluster.remove_node(lost, allow_graceful=False)
            assert process.wait(200) == 0
        cluster.shutdown()
    assert files_in(out) == expected


def test_a_stopped_job_does_only_what_is_missing(data, command, threads, tmp_path, monkeypatch):
    expected, out = threads("predict", data / "image"), tmp_path / "ray"

    def stopped(results, **options):
        for number, result in enumerate(results):
            if number == 13:
                raise KeyboardInterrupt
            yield result

    arguments = "predict", data / "image", "--out", out
    with monkeypatch.context() as patch:
        patch.setattr("lesion.predict.files.tqdm", stopped)
        assert command(*arguments, *RAY)[0] == 130
    before = {path: path.stat().st_mtime_ns for path in out.glob("*_mask.png")}
    assert len(before) == 13
    code, _, (line,) = command(*arguments, *RAY)
    assert code == 2
    assert "already holds files" in line
    code, _, (line,) = command(*arguments, *RAY, "--resume", "--threshold", 0.4)
    assert code == 2
    assert "was begun with other threshold" in line
    assert command(*arguments, *RAY, "--resume")[0] == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert files_in(out) == expected


def test_stopped_scoring_goes_on(data, command, threads, tmp_path, monkeypatch):
    expected, out = threads("evaluate", "--data", data), tmp_path / "ray"

    def stopped(results, *words, **options):
        for number, result in enumerate(results):
            if number == 13:
                raise KeyboardInterrupt
            yield result

    arguments = "evaluate", "--data", data, "--out", out
    with monkeypatch.context() as patch:
        patch.setattr("lesion.score.evaluation.tqdm", stopped)
        assert command(*arguments, *RAY)[0] == 130
    assert (out / NAME).read_bytes().count(b"\n") == 14
    assert command(*arguments, "--resume")[0] == 0  # whatever works on it
    assert files_in(out) == expected


def test_without_ray_a_line_says_what_to_install(data, command, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, _, (line,) = command("predict", data / "image", *RAY)
    assert code == 2
    assert "pip install -r requirements-cluster.txt" in line
