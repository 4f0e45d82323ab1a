"""A page in the browser: outline pictures, correct masks, train on them, compare two networks.

    python -m lesion.app        # or `make app`

What it does is in plain functions: `pictures`, `corrections`, `models`. What it looks like is a
module for each tab, put together by `page`. Only these need Gradio.
"""
