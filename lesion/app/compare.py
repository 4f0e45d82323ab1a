"""The third tab: two models on a picture or on a labelled folder."""

import gradio as gr

from lesion import page
from lesion.app.models import compare_on_folder, compare_on_picture, draw_compared
from lesion.app.texts import Told, words
from lesion.app.wiring import (
    PREDICTING,
    english,
    figure,
    in_words,
    language,
    side_by_side,
    status,
    translate,
)

SHOWN = 100  # lines of the table; the rest is in the file


def on_picture(first, second, path, request: gr.Request):
    """Return (the picture by both models, how far they agree, no table)."""
    if path is None:
        return None, status(), None
    drawn, dice = compare_on_picture([first, second], path)
    return both(drawn, request), status(words("agree", language(request), dice=dice)), None


def both(drawn, request):
    """Return two pictures as HTML, side by side."""
    keys = ("first", "second")
    captions = [words(key, language(request)) for key in keys]
    return side_by_side(*(figure(*one) for one in zip(drawn, captions, strict=True)))


def on_folder(first, second, folder, request: gr.Request):
    """Return (found, its pictures to choose from, words, table, and `draw_chosen`)."""
    found = compare_on_folder([first, second], folder)
    spoken, (name_a, name_b) = language(request), found.names
    dice = next(line for line in found.content["differences"] if line["score"] == "dice")
    about = words(
        "means",
        spoken,
        set=found.content["set"],
        count=found.content["pictures"],
        first=name_a,
        second=name_b,
        a=dice["mean_a"],
        b=dice["mean_b"],
        difference=dice["difference"],
        low=dice["from"],
        high=dice["to"],
    )
    lines = [
        {words("picture", spoken): name, name_a: page.number(a), name_b: page.number(b)}
        for name, (a, b) in list(found.dice.items())[:SHOWN]
    ]
    names = list(found.dice)
    return (
        found,
        gr.Dropdown(choices=names, value=names[0], visible=True),
        status(about, found.remark and english(found.remark)),
        page.table(words("scores", spoken), lines),
        *draw_chosen(found, names[0], request),
    )


def draw_chosen(found, name, request: gr.Request):
    """Return (the picture by both models, words) for one of a folder."""
    if found is None or name not in found.pairs:
        raise Told(words("nothing", language(request)))
    a, b = found.dice[name]
    line = f"{name}: Dice {a:.3f}, {b:.3f}. {words('legend', language(request))}"
    return both(draw_compared(found, name), request), status(line)


def build(weights: list[gr.Dropdown], folders: list[str], local: bool) -> None:
    """Lay out the tab and wire it.

    Args:
        weights: choose the two models.
        folders: to choose from.
        local: whether another folder may be typed.
    """
    found = gr.State(None)
    with gr.Tabs():
        with gr.Tab(translate("on_picture")):
            picture = gr.File(label=translate("one"), height=120, elem_id="one")
        with gr.Tab(translate("on_folder")):
            folder = gr.Dropdown(
                folders,
                value=folders[0],
                label=translate("folder"),
                allow_custom_value=local,
                elem_id="folder",
            )
            start = gr.Button(translate("start"), variant="primary", elem_id="start")
            said = gr.HTML(status(), elem_id="means")
            which = gr.Dropdown(label=translate("which"), visible=False, elem_id="which")
    told = gr.HTML(status(), elem_id="agree")
    pictures = gr.HTML(elem_id="sides")
    table = gr.HTML(elem_id="scores")
    gr.on(
        [picture.change, *(one.input for one in weights)],
        in_words(on_picture),
        [*weights, picture],
        [pictures, told, table],
        **PREDICTING,
    )
    start.click(
        in_words(on_folder),
        [*weights, folder],
        [found, which, said, table, pictures, told],
        **PREDICTING,
    )
    which.input(in_words(draw_chosen), [found, which], [pictures, told], **PREDICTING)
