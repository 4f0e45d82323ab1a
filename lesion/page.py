"""What a page of HTML is made of: style, numbers, tables, and figures that are part of it.

Plain HTML for a browser of any age, which loads nothing from anywhere.
"""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1b1b1b; --quiet: #555; --line: #ddd;
  --marked: #fff4dd; }
@media (prefers-color-scheme: dark) { :root { --page: #16181b; --ink: #e8e8e8; --quiet: #b0b4ba;
  --line: #3c4047; --marked: #43371d; } }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1rem; box-sizing: border-box; }
p, figcaption { max-width: 48rem; }
h1 { font-size: 1.6rem; line-height: 1.2; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
.beside { display: flex; flex-wrap: wrap; gap: 0 3rem; align-items: flex-start; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child { text-align: left; min-width: 9rem; overflow-wrap: anywhere; }
thead th { vertical-align: bottom; border-bottom: 2px solid #888; }
tbody tr.model { background: var(--marked); }
td { white-space: nowrap; }
td small { color: var(--quiet); display: block; }
figure { margin: 1.5rem 0; } figcaption, footer { color: var(--quiet); font-size: .9rem; }
figure img { width: 100%; max-width: 56rem; height: auto; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; overflow-wrap: anywhere; }
"""


def text(value: object) -> str:
    """Text that is safe in HTML, whatever a file or a metadata column is called."""
    return html.escape(str(value))


def number(value: float | None, digits: int = 3) -> str:
    """A number as text; a dash for what is undefined."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """A share of 0..1 as text; a dash for what is undefined."""
    return "–" if share is None else f"{100 * share:.1f} %"


def with_interval(mean: float | None, interval: Sequence[float] | None, digits: int = 3) -> str:
    """A table cell: the mean, its interval in small print unless a point; ready-made HTML."""
    if mean is None:
        return "–"
    low, high = interval
    ends = f"<small>{number(low, digits)} to {number(high, digits)}</small>"
    return number(mean, digits) + (ends if low < high else "")


def table(caption: str, lines: Sequence[dict], marked: str | None = None) -> str:
    """A table of dicts that share their keys; the first column names the line.

    First-column values are text and escaped here; the others are ready-made HTML.
    """
    first, *others = lines[0]
    head = "".join(f'<th scope="col">{text(name)}</th>' for name in (first, *others))
    body = []
    for line in lines:
        cells = "".join(f"<td>{line[name]}</td>" for name in others)
        mark = ' class="model"' if line[first] == marked else ""
        body.append(f'<tr{mark}><th scope="row">{text(line[first])}</th>{cells}</tr>')
    return (
        f'<div class="scroll"><table><caption>{text(caption)}</caption>\n<thead><tr>{head}</tr>'
        f"</thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody></table></div>"
    )


def figure(path: str | Path, caption: str) -> str:
    """A PNG file as a part of the page, with words below it."""
    data = base64.b64encode(Path(path).read_bytes()).decode("ascii")
    return framed(f"data:image/png;base64,{data}", caption)


def framed(address: str, caption: str) -> str:
    """A picture by its address, with words below it, also for who cannot see it."""
    words = text(caption)
    return f'<figure><img alt="{words}" src="{address}"><figcaption>{words}</figcaption></figure>'
