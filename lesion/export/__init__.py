"""Trained networks for other runtimes, each checked against Keras before it is kept.

    for line in export("files/lite.keras", "onnx", folder):
        print(line)

The folder gets the file, model.json with its recipe, and an example that needs the runtime alone.
"""

from lesion.export.writing import FORMATS, export

__all__ = ["FORMATS", "export"]
