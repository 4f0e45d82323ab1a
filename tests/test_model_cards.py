"""The header of each model card, which model hubs read, says what the card's text and files say."""

import json
import re
from pathlib import Path

import pytest
import yaml

FILES = Path(__file__).parents[1] / "files"
WEIGHTS = ("lite", "lean_drawn")


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_model_card_has_the_fields_of_a_hub_and_the_numbers_of_its_tables(name):
    _, header, text = (FILES / f"{name}.md").read_text(encoding="utf-8").split("---\n", 2)
    about, record = yaml.safe_load(header), json.loads((FILES / f"{name}.json").read_text())
    assert (about["library_name"], about["pipeline_tag"]) == ("keras", "image-segmentation")
    assert about["license"] == {"lite": "cc-by-nc-4.0", "lean_drawn": "mit"}[name]
    assert record["license"] == about["license"]  # what an export of them says
    (model,) = about["model-index"]
    assert model["name"] == name
    assert record["model"] == name.partition("_")[0]
    for result in model["results"]:
        assert result["task"]["type"] == "image-segmentation"
        assert result["dataset"]["type"] in about["datasets"]
        for metric in result["metrics"]:
            assert metric["type"] in about["metrics"]
            interval = re.fullmatch(r"Dice (\[0\.\d{3}, 0\.\d{3}\])", metric["name"]).group(1)
            rows = [row for row in text.splitlines() if row.startswith("|")]
            written = f"{metric['value']:.3f} {interval}"
            assert any(written in row and result["dataset"]["name"] in row for row in rows), written
