"""What goes along with the code: versions, README in Portuguese, hooks, the list of commands."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_one_version():
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert yaml.safe_load(read("CITATION.cff"))["version"] == version
    assert re.search(r"^## (\S+?),? ", read("CHANGELOG.md"), re.MULTILINE)[1] == version


def test_the_portuguese_readme_says_the_same():
    """The same commands, numbers, names of files and links, in about as many words."""
    english, portuguese = read("README.md"), read("README.pt.md")

    def commands(text):
        blocks = "".join(re.findall(r"```\n(.*?)```", text, re.DOTALL))
        return [re.split(r" {2,}", line)[0] for line in blocks.splitlines()]

    assert commands(portuguese) == commands(english)
    numbers = re.findall(r"\d\.\d{3}", english)
    assert re.findall(r"\d,\d{3}", portuguese) == [number.replace(".", ",") for number in numbers]
    assert set(re.findall(r"`[^`\n]+`", portuguese)) == set(re.findall(r"`[^`\n]+`", english))
    links = [re.findall(r"\]\((.*?)\)", text) for text in (english, portuguese)]
    assert set(links[1]) - {"README.md"} == set(links[0]) - {"README.pt.md"}
    assert len(portuguese.split()) == pytest.approx(len(english.split()), rel=0.15)


def test_hooks_keep_the_chosen_outputs_and_drop_others(tmp_path):
    """By what .pre-commit-config.yaml calls, so that no notebook of real pictures is committed."""
    if not (ROOT / ".venv" / "bin" / "nbstripout").exists():
        pytest.skip("nbstripout is not installed in .venv")
    hooks = {
        hook["id"]: hook
        for hook in yaml.safe_load(read(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    }
    chosen = ROOT / "notebooks" / "skin_lesion_segmentation.ipynb"
    assert re.search(hooks["nbstripout-kept"]["files"], chosen.relative_to(ROOT).as_posix())
    assert re.search(hooks["nbstripout"]["exclude"], chosen.relative_to(ROOT).as_posix())
    for name, kept in (("nbstripout-kept", True), ("nbstripout", False)):
        copy = shutil.copy(chosen, tmp_path)
        subprocess.run([*hooks[name]["entry"].split(), copy], cwd=ROOT, check=True)
        assert (Path(copy).read_bytes() == chosen.read_bytes()) == kept
        assert ("image/png" in Path(copy).read_text()) == kept


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_make_help_lists_every_command_once():
    text = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True
    ).stdout
    use, work = text.split("\n\n")
    assert use.startswith("To use it\n")
    assert work.startswith("To work on it\n")
    phony = " ".join(re.findall(r"^\.PHONY:(.*)", read("Makefile"), re.MULTILINE)).split()
    assert sorted(re.findall(r"^  make (\w+)", text, re.MULTILINE)) == sorted({*phony} - {"style"})
