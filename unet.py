"""U-Nets for segmentation, with the Dice metrics and losses that train them.

    from unet import build
    model = build("lean", (128, 128, 3))      # or lite, whose encoder has weights in files/
    model = build("classic", (512, 512, 1))   # the 31-million-parameter network of the tutorials

All take float pictures of shape (batch, height, width, channels) with values in [0, 1] and give
the probability of "foreground" for every pixel, float32 (batch, height, width, 1). Only Keras
layers and `keras.ops` are used, so the same file runs on TensorFlow, JAX and PyTorch. Another
network is a function and its row in NETWORKS, another loss a function and its entry in LOSSES.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import layers, ops

PACKAGE = "unet"
LEAN_WIDTHS = (32, 64, 128, 192, 192)
# Runs from random weights are short: with the usual 0.99 the moving averages would lag behind.
LEAN_MOMENTUM = 0.9
LITE_MOMENTUM = 0.97  # starts from trained weights, and long runs want steadier averages
LITE_WIDTHS = (24, 48, 80, 128, 192)  # of the decoder
# repeats, filter size, stride, growth of the width inside, width: of each stage of the encoder
LITE_STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
CLASSIC_WIDTHS = (64, 128, 256, 512, 1024)
CLASSIC_DROPOUT = (0.1, 0.1, 0.2, 0.2, 0.3)
HE = {"padding": "same", "kernel_initializer": "he_normal"}  # He et al. 2015, for ReLU


@keras.saving.register_keras_serializable(PACKAGE)
class PadToMultiple(layers.Layer):
    """Pad height and width with zeros, below and to the right, up to a multiple of `multiple`."""

    def __init__(self, multiple, **kwargs):
        super().__init__(**kwargs)
        self.multiple = multiple

    def call(self, images):
        height, width = ops.shape(images)[1:3]
        below, right = -height % self.multiple, -width % self.multiple
        return ops.pad(images, ((0, 0), (0, below), (0, right), (0, 0)))

    def compute_output_shape(self, shape):
        sides = [side and side + -side % self.multiple for side in shape[1:3]]
        return (shape[0], *sides, shape[3])

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}


@keras.saving.register_keras_serializable(PACKAGE)
class CropLike(layers.Layer):
    """Crop the first input to the height and width of the second; undoes `PadToMultiple`."""

    def call(self, inputs):
        height, width = ops.shape(inputs[1])[1:3]
        return inputs[0][:, :height, :width, :]

    def compute_output_shape(self, shapes):
        return (*shapes[1][:3], shapes[0][3])


def _picture(input_shape, multiple):
    """Return the input of a network, and the same padded so that it can be halved often enough."""
    if len(input_shape) != 3 or input_shape[2] not in (1, 3):
        raise ValueError(f"input_shape is {input_shape}: give (height, width, 1 or 3 channels)")
    images = keras.Input(input_shape, name="picture")
    return images, PadToMultiple(multiple, name="pad")(images)


# ------------------------------------------------------------------------------------- networks
# Each function takes an input_shape (height, width, channels), any height and width, also None, 1
# or 3 channels, and returns an uncompiled `keras.Model`; ValueError says what is wrong with it.


def unet_classic(input_shape: tuple = (512, 512, 1)) -> keras.Model:
    """Build the U-Net of the well-known Keras tutorials: 31.03 million parameters.

    Levels of 64-128-256-512-1024 features, two 3x3 ReLU convolutions a level (He initialisation),
    dropout between them, 2x2 transposed convolutions, concatenated skips, sigmoid. After
    Ronneberger, Fischer & Brox 2015 (doi:10.1007/978-3-319-24574-4_28), with "same" padding.
    """

    def double_convolution(x, level, name):
        width, options = CLASSIC_WIDTHS[level], {"activation": "relu", **HE}
        x = layers.Conv2D(width, 3, name=f"{name}_conv1", **options)(x)
        x = layers.Dropout(CLASSIC_DROPOUT[level], name=f"{name}_dropout")(x)
        return layers.Conv2D(width, 3, name=f"{name}_conv2", **options)(x)

    depth = len(CLASSIC_WIDTHS) - 1
    images, x = _picture(input_shape, 2**depth)
    skips = []
    for level in range(depth):
        x = double_convolution(x, level, f"down{level}")
        skips.append(x)
        x = layers.MaxPooling2D(2, name=f"down{level}_pool")(x)
    x = double_convolution(x, depth, "bottom")
    for level in reversed(range(depth)):
        width = CLASSIC_WIDTHS[level]
        x = layers.Conv2DTranspose(width, 2, strides=2, padding="same", name=f"up{level}_grow")(x)
        x = layers.Concatenate(name=f"up{level}_skip")([x, skips[level]])
        x = double_convolution(x, level, f"up{level}")
    x = layers.Conv2D(1, 1, activation="sigmoid", dtype="float32", name="probability")(x)
    return keras.Model(images, CropLike(name="crop")([x, images]), name="unet_classic")


def _normalised(x, name, activation, momentum):
    """Batch normalisation, then the activation (None for none)."""
    x = layers.BatchNormalization(momentum=momentum, name=f"{name}_norm")(x)
    return layers.Activation(activation, name=f"{name}_{activation}")(x) if activation else x


def _convolution(x, width, name, size=3, stride=1, activation="relu", momentum=LEAN_MOMENTUM):
    """Convolution, batch normalisation, activation (None for none)."""
    x = layers.Conv2D(width, size, stride, use_bias=False, name=f"{name}_conv", **HE)(x)
    return _normalised(x, name, activation, momentum)


def _residual_block(x, width, name, **options):
    y = _convolution(x, width, f"{name}_a", **options)
    y = _convolution(y, width, f"{name}_b", activation=None, **options)
    return layers.Activation("relu", name=f"{name}_relu")(layers.Add(name=f"{name}_add")([x, y]))


def _decoder(x, skips, widths, **options):
    """Go from the coarsest features up to half resolution, then to the probability of each pixel.

    Growing is a 1x1 convolution followed by copying each value four times ("nearest"). Skips, from
    the finest to the coarsest, are added; those of another width pass a 1x1 convolution first.
    """
    for level in reversed(range(len(skips))):
        width, skip = widths[level], skips[level]
        x = _convolution(x, width, f"up{level}_grow", size=1, **options)
        x = layers.UpSampling2D(2, name=f"up{level}_nearest")(x)
        if skip.shape[-1] != width:
            skip = _convolution(skip, width, f"up{level}_side", size=1, **options)
        x = layers.Add(name=f"up{level}_skip")([x, skip])
        x = _residual_block(x, width, f"up{level}", **options)
    x = layers.Conv2D(1, 1, dtype="float32", name="logit")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear", dtype="float32", name="full_size")(x)
    return layers.Activation("sigmoid", dtype="float32", name="probability")(x)


def unet(input_shape: tuple = (128, 128, 3), widths: tuple = LEAN_WIDTHS) -> keras.Model:
    """Build the lean U-Net: residual blocks with batch normalisation behind a stride-2 stem.

    What makes it quick on a CPU: no convolution runs at full resolution (the stem halves it, the
    probability map is doubled at the very end by bilinear interpolation), skips are added rather
    than concatenated, and nothing grows by a transposed convolution. `widths` are the features of
    each level, from the finest (half resolution) to the coarsest.
    """
    depth = len(widths) - 1
    images, x = _picture(input_shape, 2 ** len(widths))
    x = _convolution(x, widths[0], "stem", stride=2)
    skips = []
    for level in range(depth):
        x = _residual_block(x, widths[level], f"down{level}")
        skips.append(x)
        x = _convolution(x, widths[level + 1], f"down{level}_shrink", stride=2)
    x = _residual_block(x, widths[depth], "bottom1")
    x = _residual_block(x, widths[depth], "bottom2")
    x = _decoder(x, skips, widths)
    return keras.Model(images, CropLike(name="crop")([x, images]), name="unet_lean")


def _bottleneck(x, width, size, stride, growth, name):
    """Mobile inverted bottleneck: widen by 1x1, filter each channel by itself, narrow by 1x1."""
    y, options = x, {"momentum": LITE_MOMENTUM}
    if growth > 1:
        wide = x.shape[-1] * growth
        y = _convolution(y, wide, f"{name}_widen", size=1, activation="relu6", **options)
    filtered = layers.DepthwiseConv2D(
        size, stride, "same", use_bias=False, name=f"{name}_filter_conv"
    )
    y = _normalised(filtered(y), f"{name}_filter", "relu6", **options)
    y = _convolution(y, width, f"{name}_narrow", size=1, activation=None, **options)
    if stride == 1 and x.shape[-1] == width:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def unet_lite(input_shape: tuple = (192, 192, 3)) -> keras.Model:
    """Build a U-Net whose encoder is EfficientNet-Lite0, for which ImageNet weights exist.

    The encoder is the one of Google's EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946, without
    squeeze-and-excitation and with ReLU6), without its head. The decoder is the one of `unet`.
    `tools.imagenet` fills the encoder with weights trained on ImageNet.
    """
    options = {"momentum": LITE_MOMENTUM}
    images, x = _picture(input_shape, 2 ** len(LITE_WIDTHS))
    x = layers.Rescaling(255 / 128, -127 / 128, name="as_in_imagenet")(x)
    x = _convolution(x, 32, "stem", stride=2, activation="relu6", **options)
    skips, blocks = [], 0
    for repeats, size, stride, growth, width in LITE_STAGES:
        for step in (stride, *[1] * (repeats - 1)):
            if step == 2:
                skips.append(x)
            level = f"down{len(skips)}" if len(skips) < len(LITE_WIDTHS) - 1 else "bottom"
            x = _bottleneck(x, width, size, step, growth, f"{level}_block{blocks}")
            blocks += 1
    x = _convolution(x, LITE_WIDTHS[-1], "bottom_shrink", size=1, **options)
    x = _residual_block(x, LITE_WIDTHS[-1], "bottom", **options)
    x = _decoder(x, skips, LITE_WIDTHS, **options)
    return keras.Model(images, CropLike(name="crop")([x, images]), name="unet_lite")


# ---------------------------------------- Dice and losses: a pixel whose truth is -1 is ignored
# Dice 1945, Ecology 26; of probabilities: Milletari et al. 2016, arXiv:1606.04797.


def _known(truth):
    """Return the truth as 0 and 1, and 1 where it counts, 0 where it is ignored."""
    truth = ops.cast(truth, "float32")
    return ops.maximum(truth, 0.0), ops.cast(truth >= 0.0, "float32")


def _dice(truth, prediction, smooth):
    """(2 |A and B| + smooth) / (|A| + |B| + smooth) of each picture: 1 where both are empty."""
    truth, counted = _known(truth)
    prediction, axes = ops.cast(prediction, "float32") * counted, (1, 2, 3)
    both = ops.sum(truth * prediction, axis=axes)
    either = ops.sum(truth, axis=axes) + ops.sum(prediction, axis=axes)
    return (2.0 * both + smooth) / (either + smooth)


@keras.saving.register_keras_serializable(PACKAGE)
def soft_dice(y_true, y_pred):
    """Soft Dice of each picture, from probabilities: float (batch,) in [0, 1]."""
    return _dice(y_true, y_pred, 1.0)


@keras.saving.register_keras_serializable(PACKAGE)
def hard_dice(y_true, y_pred):
    """Dice of each picture after thresholding at 0.5: float (batch,) in [0, 1]."""
    return _dice(y_true, y_pred >= 0.5, 1e-6)


@keras.saving.register_keras_serializable(PACKAGE)
def hard_iou(y_true, y_pred):
    """Intersection over union of each picture after thresholding at 0.5: float (batch,)."""
    dice = hard_dice(y_true, y_pred)
    return dice / (2.0 - dice)


@keras.saving.register_keras_serializable(PACKAGE)
def dice_loss(y_true, y_pred):
    """1 - soft Dice of each picture: float (batch,) in [0, 1]."""
    return 1.0 - soft_dice(y_true, y_pred)


@keras.saving.register_keras_serializable(PACKAGE)
def bce_loss(y_true, y_pred):
    """Binary cross-entropy by pixel: float (batch, height, width), its mean that of what counts."""
    truth, counted = _known(y_true)
    share = ops.maximum(ops.mean(counted, axis=(1, 2, 3), keepdims=True), 1e-6)
    return keras.losses.binary_crossentropy(truth, y_pred) * ops.squeeze(counted / share, -1)


@keras.saving.register_keras_serializable(PACKAGE)
def bce_dice_loss(y_true, y_pred):
    """Mean binary cross-entropy of each picture plus its Dice loss: float (batch,), 0 or more."""
    return ops.mean(bce_loss(y_true, y_pred), axis=(1, 2)) + dice_loss(y_true, y_pred)


def dice_metrics() -> list:
    """Metrics for `compile`: `dice` (hard), `soft_dice` and `iou`, per picture, then averaged."""
    functions = {"dice": hard_dice, "soft_dice": soft_dice, "iou": hard_iou}
    return [keras.metrics.MeanMetricWrapper(f, name=name) for name, f in functions.items()]


LOSSES = {"bce": bce_loss, "dice": dice_loss, "bce_dice": bce_dice_loss}


class Entry(NamedTuple):
    """What belongs to a network: all that a new one has to bring."""

    build: Callable  # function of input_shape, which returns an uncompiled `keras.Model`
    loss: str  # the name in LOSSES that it is best trained with
    learning_rate: float  # the peak, from its own start
    image_size: int  # pixels a side that it is usually trained at
    start: str | None = None  # weights to start from, a file beside this one; None: random ones


NETWORKS = {
    "lean": Entry(unet, "bce_dice", 2e-3, 128),
    "lite": Entry(unet_lite, "dice", 2e-3, 128, "files/lite_imagenet.keras"),
    "classic": Entry(unet_classic, "bce", 3e-4, 128),
}


def build(name: str, input_shape: tuple) -> keras.Model:
    """Build a network of NETWORKS by its name; a wrong name or shape raises ValueError."""
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}: choose one of {', '.join(NETWORKS)}")
    return NETWORKS[name].build(input_shape)
