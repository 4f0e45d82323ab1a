"""What every command of the project shares: mistakes in one line, numbers with bounds."""

import argparse


class Parser(argparse.ArgumentParser):
    """An argument parser that reports a mistake in one line and leaves with exit code 2."""

    def error(self, message):
        self.exit(2, f"error: {message} (--help explains)\n")


def number_between(lowest, highest, kind=int):
    """A `type=` for an argument: a number of this kind within bounds, both included."""

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = None
        # Written so that nan, which compares false with everything, fails too.
        if value is None or not lowest <= value <= highest:
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"{text!r} is not {what} from {lowest:,} to {highest:,}"
            )
        return value

    return parse
