"""Every text of the page, in English and Portuguese.

words("saved", "pt", count=3)       # a text that the server makes
LANGUAGES["pt"]["save"]             # one that the browser chooses by its own language
"""

from lesion.console import InputError

LANGUAGES = {
    "en": {
        "title": "# Outline of a skin lesion",
        "about": "Of a dermatoscope picture, for learning and research. **Not a medical device**: "
        "no decisions about anybody's health.",
        "kept": "Pictures stay on the computer that serves this page, in a temporary folder: for "
        "some hours, those of the camera until the page is ended. Only what *Save* and *Retrain* "
        "write is kept longer.",
        "outline": "Outline",
        "correct": "Correct",
        "compare": "Compare",
        "model": "Model",
        "files": "Pictures: drop or choose them",
        "camera": "Camera or clipboard",
        "picture": "Picture",
        "threshold": "Threshold: higher draws tighter outlines",
        "outlined": "Outline",
        "mask": "Mask",
        "probability": "Probability",
        "measures": "Measures in pixels, of the mask as it is drawn",
        "get_mask": "Mask (PNG)",
        "get_overlay": "Overlay (JPEG)",
        "get_probability": "Probability (PNG)",
        "get_table": "Measures (CSV)",
        "get_record": "All (JSON)",
        "worklist": "Worklist, lowest quality first",
        "clear": "Clear",
        "brush": "Brush",
        "eraser": "Eraser",
        "undo": "Undo",
        "size": "Size",
        "keys": "Mask to paint on. Arrow keys move the brush, the space bar puts it down or lifts "
        "it, Ctrl+Z takes a stroke back",
        "save": "Save and go to the next",
        "retrain": "Retrain",
        "retraining": "Train the model on with the corrected pictures",
        "epochs": "Epochs: passes over the corrected pictures",
        "stop": "Stop",
        "first": "First model",
        "second": "Second model",
        "on_picture": "On one picture",
        "on_folder": "On a labelled folder",
        "folder": "Folder with pictures and masks",
        "start": "Compare",
        "one": "A picture",
        "which": "Picture, largest difference first",
        "scores": "Dice of each picture",
        "quality": "Quality {quality:.2f} (expected Dice, out of 1)",
        "low": "Look closely: this outline may be wrong.",
        "unfamiliar": "This picture is unlike those that the model was trained on; do not rely on "
        "its outline.",
        "empty": "No lesion was found at this threshold.",
        "frame": "The lesion reaches the picture's edge: the measures are of the visible part.",
        "found": "Pictures outlined: {count}.",
        "too_many": "The page takes {most} pictures at once: clear it first, or use segment.py "
        "predict for many.",
        "left_out": "Left out:",
        "nothing": "No picture yet: give some in the first tab.",
        "saved": "Corrected pictures in {folder}: {count}.",
        "training": "Training into {run}: epoch {epoch} of {epochs}",
        "starting": "the first takes a minute or more",
        "validation": "validation Dice {dice:.3f}",
        "done": "Done: {run}. It can be chosen as a model in every tab.",
        "stopped": "Stopped. Go on with segment.py train --resume --out {run}",
        "agree": "Dice of the two masks: {dice:.3f}",
        "means": "{set}, {count} pictures. Mean Dice: {first} {a:.3f}, {second} {b:.3f}; "
        "difference {difference:+.3f} [{low:+.3f}, {high:+.3f}]",
        "legend": "Blue: truth. Orange: model.",
        "value": "Value",
        "measure": "Measure",
        "says": "",
    },
    "pt": {
        "title": "# Contorno de uma lesão de pele",
        "about": "Numa imagem de dermatoscópio, para aprender e pesquisar. **Não é um dispositivo "
        "médico**: nenhuma decisão sobre a saúde de ninguém.",
        "kept": "As imagens ficam no computador que serve esta página, numa pasta temporária: por "
        "algumas horas, as da câmera até a página ser encerrada. Por mais tempo fica só o que "
        "*Salvar* e *Treinar de novo* gravam.",
        "outline": "Contorno",
        "correct": "Corrigir",
        "compare": "Comparar",
        "model": "Modelo",
        "files": "Imagens: solte ou escolha",
        "camera": "Câmera ou área de transferência",
        "picture": "Imagem",
        "threshold": "Limiar: quanto maior, mais justo o contorno",
        "outlined": "Contorno",
        "mask": "Máscara",
        "probability": "Probabilidade",
        "measures": "Medidas em pixels, da máscara como desenhada",
        "get_mask": "Máscara (PNG)",
        "get_overlay": "Sobreposição (JPEG)",
        "get_probability": "Probabilidade (PNG)",
        "get_table": "Medidas (CSV)",
        "get_record": "Tudo (JSON)",
        "worklist": "Lista de trabalho, menor qualidade primeiro",
        "clear": "Limpar",
        "brush": "Pincel",
        "eraser": "Borracha",
        "undo": "Desfazer",
        "size": "Tamanho",
        "keys": "Máscara para pintar. As setas movem o pincel, a barra de espaço o baixa ou "
        "levanta, Ctrl+Z desfaz um traço",
        "save": "Salvar e ir à próxima",
        "retrain": "Treinar de novo",
        "retraining": "Continuar o treino do modelo com as imagens corrigidas",
        "epochs": "Épocas: passagens pelas imagens corrigidas",
        "stop": "Parar",
        "first": "Primeiro modelo",
        "second": "Segundo modelo",
        "on_picture": "Numa imagem",
        "on_folder": "Numa pasta rotulada",
        "folder": "Pasta com imagens e máscaras",
        "start": "Comparar",
        "one": "Uma imagem",
        "which": "Imagem, maior diferença primeiro",
        "scores": "Dice de cada imagem",
        "quality": "Qualidade {quality:.2f} (Dice esperado, de no máximo 1)",
        "low": "Olhe com atenção: este contorno pode estar errado.",
        "unfamiliar": "Esta imagem é diferente daquelas com que o modelo foi treinado; não confie "
        "no contorno.",
        "empty": "Nenhuma lesão foi encontrada com este limiar.",
        "frame": "A lesão toca a borda da imagem: as medidas são da parte visível.",
        "found": "Imagens contornadas: {count}.",
        "too_many": "A página aceita {most} imagens de uma vez: limpe-a antes, ou use segment.py "
        "predict para muitas.",
        "left_out": "Deixadas de fora:",
        "nothing": "Nenhuma imagem ainda: envie algumas na primeira aba.",
        "saved": "Imagens corrigidas em {folder}: {count}.",
        "training": "Treinando em {run}: época {epoch} de {epochs}",
        "starting": "a primeira leva um minuto ou mais",
        "validation": "Dice de validação {dice:.3f}",
        "done": "Pronto: {run}. Pode ser escolhido como modelo em todas as abas.",
        "stopped": "Parado. Continue com segment.py train --resume --out {run}",
        "agree": "Dice das duas máscaras: {dice:.3f}",
        "means": "{set}, {count} imagens. Dice médio: {first} {a:.3f}, {second} {b:.3f}; "
        "diferença {difference:+.3f} [{low:+.3f}, {high:+.3f}]",
        "legend": "Azul: verdade. Laranja: modelo.",
        "value": "Valor",
        "measure": "Medida",
        "says": "O programa diz, em inglês: ",
    },
}

# Lines of lesions.csv that are shown; the files hold all of them.
MEASURES = {
    "area_pixels": ("area", "área"),
    "largest_diameter_pixels": ("largest diameter", "maior diâmetro"),
    "smallest_diameter_pixels": ("smallest diameter", "menor diâmetro"),
    "perimeter_pixels": ("perimeter", "perímetro"),
    "asymmetry_long_axis": ("asymmetry, long axis", "assimetria, eixo maior"),
    "asymmetry_short_axis": ("asymmetry, short axis", "assimetria, eixo menor"),
    "border_irregularity": ("border irregularity (disc: 1)", "irregularidade da borda (disco: 1)"),
    "convexity": ("convexity (disc: 1)", "convexidade (disco: 1)"),
    "colours": ("colours", "cores"),
}
COLOURS_PT = {
    "white": "branco",
    "red": "vermelho",
    "light brown": "marrom-claro",
    "dark brown": "marrom-escuro",
    "blue-gray": "azul-acinzentado",
    "black": "preto",
}


class Told(InputError):
    """A mistake of the user that is told in their language; every other one is told in English."""


def language_of(accepted: str | None) -> str:
    """Return the language for a browser's Accept-Language, "pt" or else "en"."""
    return "pt" if (accepted or "").strip().lower().startswith("pt") else "en"


def words(key: str, language: str, **values: object) -> str:
    """Return a text with the values in it."""
    return LANGUAGES[language][key].format(**values)


def measures(row: dict, language: str) -> list[list[str]]:
    """Return what is shown of a line of lesions.csv: [[name, value], ...]."""
    lines = []
    for key, names in MEASURES.items():
        value = row[key]
        if key == "colours" and value and language == "pt":
            value = "; ".join(COLOURS_PT[name] for name in value.split("; "))
        if isinstance(value, float):
            value = f"{value:.1f}" if value >= 10 else f"{value:.2f}"
        shown = "–" if value is None else str(value)
        lines.append([names[language == "pt"], shown])
    return lines
