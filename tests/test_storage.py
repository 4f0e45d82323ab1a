"""Tables come back as they were written, names as text."""

import math

from lesion.storage import read_table, write_table


def test_names_stay_text_and_numbers_numbers(tmp_path):
    rows = [
        {"name": "007", "lesion_id": "12", "dx": "007", "dice": 0.25, "pixels": 12, "worst": 1e-9},
        {"name": "7", "lesion_id": "1e3", "dx": "1_000", "dice": math.inf, "pixels": -3},
    ]
    write_table(tmp_path / "table.csv", rows)
    assert read_table(tmp_path / "table.csv") == [rows[0], {**rows[1], "worst": ""}]


def test_an_empty_table_is_an_empty_list(tmp_path):
    write_table(tmp_path / "table.csv", [])
    assert read_table(tmp_path / "table.csv") == []
