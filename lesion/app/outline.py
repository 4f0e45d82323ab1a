"""The first tab: pictures in, outlines, measures and files out."""

import gradio as gr

from lesion import page
from lesion.app.pictures import LOW_QUALITY, MOST_FILES, look_through, network_of, show
from lesion.app.texts import Told, measures, words
from lesion.app.wiring import (
    PREDICTING,
    SLIDING,
    english,
    figure,
    in_words,
    language,
    new_folder,
    side_by_side,
    status,
    translate,
)

DOWNLOADS = ("get_mask", "get_overlay", "get_probability", "get_table", "get_record")


def add(weights, seen, files, camera, request: gr.Request):
    """Answer to new pictures: the inputs emptied, then as `look`; the first new one is shown."""
    new = [*(files or []), *([camera] if camera else [])]
    if not new:  # the input was emptied, by this function
        return (gr.skip(),) * (10 + len(DOWNLOADS))
    known = [one.path for one in seen]
    new = [path for path in dict.fromkeys(new) if path not in known]
    if len(known) + len(new) > MOST_FILES:
        raise Told(words("too_many", language(request), most=MOST_FILES))
    return None, None, *look(weights, seen, new, new[0] if new else known[0], request)


def again(weights, seen, chosen, request: gr.Request):
    """Answer to another model: as `look`, at the pictures that are there."""
    return look(weights, [], [one.path for one in seen], chosen, request)


def look(weights, known, new, wanted, request):
    """Return what is seen, words, choices, whether to show results, threshold, and `draw`.

    Args:
        known: list of `Seen` of these weights.
        new: paths to look at besides.
        wanted: path of the picture to show, if it can be read.
    """
    found, problems = look_through(weights, new)
    seen = [*known, *found]
    paths = [one.path for one in seen]
    chosen = wanted if wanted in paths else paths[-1] if paths else None
    threshold, spoken = network_of(weights).threshold, language(request)
    said = words("found", spoken, count=len(seen)) if seen else ""
    left_out = [words("left_out", spoken), *map(english, problems)] if problems else []
    return (
        seen,
        status(said, warnings=left_out),
        gr.Dropdown(choices=[(one.name, one.path) for one in seen], value=chosen),
        gr.Column(visible=bool(seen)),
        threshold,
        *draw(weights, chosen, threshold, request),
    )


def draw(weights, path, threshold, request: gr.Request):
    """Return (words on the quality, pictures, measures, files to download) of one picture."""
    if path is None:
        return (None,) * (3 + len(DOWNLOADS))
    shown, spoken = show(weights, path, threshold, new_folder()), language(request)
    files = (shown.mask, shown.overlay, shown.probability)
    figures = [
        figure(file, words(key, spoken))
        for key, file in (
            ("outlined", shown.overlay),
            ("mask", shown.mask),
            ("probability", shown.probability),
        )
    ]
    names = [words(key, spoken) for key in ("measure", "value")]
    lines = [dict(zip(names, line, strict=True)) for line in measures(shown.row, spoken)]
    return (
        judgement(shown.row, spoken),
        side_by_side(*figures),
        page.table(words("measures", spoken), lines),
        *map(str, (*files, shown.table, shown.record)),
    )


def judgement(row: dict, spoken: str) -> str:
    """Return in plain words, as HTML, how far an outline is to be trusted.

    Args:
        row: line of lesions.csv.
        spoken: "en" or "pt".
    """
    if not row["area"]:
        return status(warnings=[words("empty", spoken)])
    low = not row["unfamiliar"] and row["quality"] < LOW_QUALITY
    holds = {"unfamiliar": row["unfamiliar"], "low": low, "frame": row["touches_frame"]}
    warnings = [words(key, spoken) for key, is_so in holds.items() if is_so]
    return status(words("quality", spoken, quality=row["quality"]), warnings=warnings)


def build(seen: gr.State, weights: gr.Dropdown):
    """Lay out the tab and wire it; return the event after which another model was asked.

    Args:
        seen: of the session, the list of `pictures.Seen`.
        weights: chooses the model.
    """
    files = gr.File(label=translate("files"), file_count="multiple", height=140, elem_id="files")
    with gr.Accordion(translate("camera"), open=False):
        camera = gr.Image(
            sources=["webcam", "clipboard"], type="filepath", label=translate("camera"), height=300
        )
    said = gr.HTML(status(), elem_id="said")
    with gr.Column(visible=False) as results:
        chosen = gr.Dropdown(label=translate("picture"), elem_id="chosen")
        judged = gr.HTML(status(), elem_id="judged")
        threshold = gr.Slider(
            0.02, 0.98, step=0.02, label=translate("threshold"), elem_id="threshold"
        )
        pictures = gr.HTML(elem_id="pictures")
        measured = gr.HTML(elem_id="measures")
        with gr.Row():
            downloads = [
                gr.DownloadButton(translate(key), elem_id=key, min_width=150, size="md")
                for key in DOWNLOADS
            ]
        clear = gr.Button(translate("clear"), size="md", elem_id="clear")
    drawn = [judged, pictures, measured, *downloads]
    looked = [seen, said, chosen, results, threshold, *drawn]
    gr.on(
        [files.upload, camera.change],
        in_words(add),
        [weights, seen, files, camera],
        [files, camera, *looked],
        **PREDICTING,
    )
    switched = weights.input(in_words(again), [weights, seen, chosen], looked, **PREDICTING)
    clear.click(lambda: ([], status(), gr.Column(visible=False)), None, [seen, said, results])
    gr.on(
        [chosen.input, threshold.input],
        in_words(draw),
        [weights, chosen, threshold],
        drawn,
        **PREDICTING,
        **SLIDING,
    )
    return switched
