"""Draw dermoscopy pictures with their lesion masks.

    python -m lesion.drawn --count 6000 --out drawn --size 128     # more pictures
    python -m lesion.drawn --embedded      # the project's own 30 + 30 pairs, train/ and test/

Neither overwrites: `--embedded` wants train/ and test/ moved away first, or draws into --out DIR.
"""

import sys
from pathlib import Path

from lesion.console import InputError, Parser, run
from lesion.drawn.scene import EMBEDDED_SIZE, PROJECT, write_embedded, write_pairs


def draw(options):
    if options.embedded:
        for name in ("count", "size", "seed"):
            if getattr(options, name) is not None:
                raise InputError(f"--embedded fixes its own {name}: leave --{name} out")
        write_embedded(options.out or PROJECT)
    elif options.count is None or options.out is None:
        raise InputError("--count and --out are both needed (or --embedded)")
    else:
        size = EMBEDDED_SIZE if options.size is None else options.size
        write_pairs(options.count, options.out, size, options.seed or 0)


def main(argv: list[str] | None = None) -> int:
    """Draw; return the exit code, 2 after a mistake of the user."""
    parser = Parser(description="Draw dermoscopy pictures with lesion masks.")
    parser.add_argument("--count", type=int, help="how many pairs to draw")
    parser.add_argument("--out", type=Path, help="a new or empty folder for image/ and label/")
    parser.add_argument("--size", type=int, help=f"pixels a side (default {EMBEDDED_SIZE})")
    parser.add_argument("--seed", type=int, help="number of the first picture (default 0)")
    parser.add_argument(
        "--embedded",
        action="store_true",
        help="draw the project's own train/ and test/, into --out or the project's folder",
    )
    return run(parser, draw, argv)


if __name__ == "__main__":
    sys.exit(main())
