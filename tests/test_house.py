"""The rules of the house: what lies where, how long it may be, and who may import whom."""

import ast
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
TOP = {"unet.py", "data.py", "segment.py"}
PACKAGES = ("lesion", "tools", "benchmarks")
MODULES = [ROOT / name for name in sorted(TOP)] + sorted((ROOT / "lesion").rglob("*.py"))
ALL = [*MODULES, *(path for name in ("tools", "benchmarks", "tests") for path in
                   sorted((ROOT / name).rglob("*.py")))]  # fmt: skip
LONGEST_MODULE, LONGEST_FUNCTION = 300, 60  # lines
MOST_EXEMPTIONS = 5


def imports(path):
    """Return the names of all modules that a file imports, also inside its functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_three_files_lie_at_the_top():
    assert {path.name for path in ROOT.glob("*.py")} == TOP


def test_only_a_notebook_changes_the_path():
    word = "sys" + ".path"
    assert [path for path in ALL if f"{word}." in path.read_text(encoding="utf-8")] == []
    notebooks = list((ROOT / "notebooks").glob("*.ipynb"))
    assert notebooks
    for path in notebooks:
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        assert not any(word in cell.source for cell in cells[1:]), path


def test_hardly_anything_is_exempt_from_the_style():
    texts = [path.read_text(encoding="utf-8") for path in ALL]
    assert sum(text.count("no" + "qa") for text in texts) <= MOST_EXEMPTIONS


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_read_at_a_sitting(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, functions) and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    }
    assert long == {}


def test_the_two_files_of_the_idea_need_little_of_the_rest():
    ours = tuple(f"{name}." for name in (*PACKAGES, "unet", "data", "segment"))
    assert not any(f"{name}.".startswith(ours) for name in imports(ROOT / "unet.py"))
    needed = {name for name in imports(ROOT / "data.py") if f"{name}.".startswith(ours)}
    used = ("lesion.inputs", "lesion.console", "lesion.batches", "lesion.processes")
    assert all(name.startswith(used) for name in needed), needed
