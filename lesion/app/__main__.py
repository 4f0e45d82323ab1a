"""Serve the page until it is stopped by hand.

python -m lesion.app
python -m lesion.app --weights runs/mine/model.keras files/lite.keras --data my_data
"""

import signal
import sys
import time

from lesion.console import InputError, Parser, number_between, run
from lesion.options import SHIPPED_WEIGHTS


def serve(options):
    try:
        from lesion.app import page
    except ModuleNotFoundError as error:
        raise InputError(
            f"the page needs a package that is not installed ({error.name}): "
            "`pip install -r requirements-app.txt`, or `make app`"
        ) from None
    # Ended from outside, too, the page removes what was uploaded.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    given = (options.weights, options.corrected, options.data, options.host, options.port)
    with page.serve(*given) as address:
        print(f"the page is at {address} (stop it with Ctrl-C)", flush=True)
        while True:
            time.sleep(3600)


def main(argv: list[str] | None = None) -> int:
    """Serve; return the exit code, 2 after a mistake of the user."""
    parser = Parser(prog="python -m lesion.app", description="Outline and correct in the browser.")
    parser.add_argument(
        "--weights",
        metavar="FILE",
        nargs="+",
        default=[str(SHIPPED_WEIGHTS), str(SHIPPED_WEIGHTS.with_name("lean_drawn.keras"))],
        help="to choose from, besides those in runs/ (default: lite and lean_drawn in files/)",
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        nargs="+",
        default=[str(SHIPPED_WEIGHTS.parents[1] / "test")],
        help="labelled folders to compare on (default: the project's test/)",
    )
    parser.add_argument(
        "--corrected",
        metavar="DIR",
        default="runs/corrected",
        help="where corrected pairs are saved (default: runs/corrected)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; 0.0.0.0 shows the page to the whole network, without password",
    )
    parser.add_argument(
        "--port", type=number_between(1, 65535), help="default: the first free one from 7860 on"
    )
    return run(parser, serve, argv)


if __name__ == "__main__":
    sys.exit(main())
