"""Masks that were drawn in annotation tools: one module a format, one face.

found = find_annotations(files, pictures)
mask = found.by_picture[picture].mask(height, width, classes=("lesion",))
"""

from lesion.inputs.annotations.entry import Found
from lesion.inputs.annotations.find import find_annotations
from lesion.inputs.annotations.label_studio import is_task_mask
from lesion.inputs.annotations.shapes import Annotation, Shape

__all__ = ["Annotation", "Found", "Shape", "find_annotations", "is_task_mask"]
