"""What a notebook is told in words: errors in one line, figures for who cannot see them."""

import sys

import pytest
from matplotlib.figure import Figure

from lesion import jupyter
from lesion.console import InputError


class Shell:
    """As much of IPython as a cell needs."""

    def __init__(self):
        self.user_ns = {"InputError": InputError}

    def line_of(self, source):
        try:
            exec(source, self.user_ns)
        except BaseException as error:
            return jupyter._one_line(error, sys.exc_info()[2].tb_next, self)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("split.train", "name 'split' is not defined: run the cells above first"),
        ("raise InputError('x.png: is no picture')", "x.png: is no picture"),
        ("open('nowhere.png')", "nowhere.png: No such file or directory"),
        ("raise KeyboardInterrupt", "stopped by hand"),
    ],
)
def test_a_mistake_of_the_learner_is_one_line(source, words):
    assert Shell().line_of(source).startswith(words)


@pytest.mark.parametrize("source", ["1 / 0", "import this_module_has_no_name"])
def test_other_errors_keep_their_traceback(source):
    assert Shell().line_of(source) is None


def test_a_figure_says_its_titles_once_or_else_what_is_written_in_it():
    figure = Figure()
    one, other = figure.subplots(1, 2)
    one.text(0, 0, "lean: 412 k parameters")
    assert jupyter.words_of(figure) == "lean: 412 k parameters"
    figure.suptitle("Pairs\nof pictures")
    one.set_title("label")
    other.set_title("label")
    assert jupyter.words_of(figure) == "Pairs of pictures; label"
    one.set_title("a" * 400)
    assert len(jupyter.words_of(figure)) == jupyter.LONGEST_ALT
