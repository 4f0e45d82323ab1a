"""Dermatoscope pictures with lesion masks, drawn by program.

picture, mask = drawn.draw_picture(seed=3, size=256)
drawn.write_pairs(6000, "my_pictures", size=192)        # or python -m lesion.drawn --count 6000 ...
"""

from lesion.drawn.scene import draw_picture, write_embedded, write_pairs

__all__ = ["draw_picture", "write_embedded", "write_pairs"]
