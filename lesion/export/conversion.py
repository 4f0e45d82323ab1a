"""A trained network in the formats of other runtimes: LiteRT, ONNX, TensorFlow's SavedModel.

    content = to_litert(network, "float16")
    to_onnx(network, "model.onnx")

What is written takes float32 pictures (N, S, S, C) in [0, 1] and gives their probabilities, float32
(N, S, S, 1). Weights may be half floats, or 8-bit integers whose ranges representative pictures
(float32 (S, S, C) in [0, 1], as `reading.resize_image` makes them) tell.
"""

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lesion.console import InputError, without_errors_shown
from lesion.predict.features import with_features
from lesion.predict.network import Network

PRECISIONS = ("float32", "float16", "int8")
ONNX_PACKAGES = ("onnx", "tf2onnx", "onnxruntime", "onnxconverter_common")


def need(*packages: str) -> list:
    """Import optional packages, by their names; InputError tells how to install what is missing."""
    try:
        return [importlib.import_module(name) for name in packages]
    except ImportError as error:
        raise InputError(
            f"{error.name or packages[0]} is not installed: pip install -r requirements-export.txt"
        ) from error


def to_litert(
    network: Network, precision: str = "float32", samples: Sequence[np.ndarray] = ()
) -> bytes:
    """Return the bytes of a .tflite file that predicts what a network with Keras does.

    It takes one picture at a time, (1, S, S, C) with the network's image size, and gives
    (1, S, S, 1) and the features (1, F) of `with_features`.

    Args:
        precision: one of PRECISIONS. With "float16" weights are half floats and what is computed
            is float32: batch normalisation becomes part of the weights, which are rounded after
            that, so probabilities differ by some thousandths. With "int8" weights and what is
            computed are 8-bit integers, between a float32 picture and float32 probabilities.
        samples: representative pictures, for "int8".
    """
    import tensorflow as tf
    from tensorflow.lite.tools import flatbuffer_utils

    size, model = network.image_size, with_features(network.model)
    picture = tf.TensorSpec((1, size, size, network.channels), tf.float32)
    # The converter finds no variables in a Keras 3 model by itself, and would take them for zeros.
    holder = tf.Module()
    holder.weights = [variable.value for variable in model.variables]
    holder.call = tf.function(lambda x: model(x, training=False), input_signature=[picture])
    with without_errors_shown():  # the converter tells of its progress
        functions = [holder.call.get_concrete_function()]
        converter = tf.lite.TFLiteConverter.from_concrete_functions(functions, holder)
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision == "int8":
            converter.representative_dataset = lambda: ([sample[None]] for sample in samples)
        content = flatbuffer_utils.convert_bytearray_to_object(bytearray(converter.convert()))
    # A leave to compute in half precision too, taken by some processors: masks would depend on it.
    content.metadata = [m for m in content.metadata if m.name != b"reduced_precision_support"]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(content))


def to_onnx(
    network: Network,
    path: str | Path,
    precision: str = "float32",
    samples: Sequence[np.ndarray] = (),
) -> None:
    """Write an .onnx file that maps `picture` (N, S, S, C), any N, to `probability` (N, S, S, 1).

    Args:
        precision: one of PRECISIONS. With "float16" a runtime that can computes in half floats,
            too; with "int8" values pass through 8-bit integers (QDQ) where ONNX Runtime has
            integer convolutions, weights by output channel.
        samples: representative pictures, for "int8".

    Raises:
        InputError: a package is missing.
    """
    onnx, *_ = need(*ONNX_PACKAGES)
    path = str(path)
    with warnings.catch_warnings(), without_errors_shown():
        warnings.simplefilter("ignore")  # of packages about themselves
        model, signature = _named(network)
        model.export(path, format="onnx", input_signature=signature, verbose=False)
        if precision == "float16":
            from onnxconverter_common import float16

            # Pictures and probabilities stay float32: 1 / 255 is no half float.
            onnx.save(float16.convert_float_to_float16(onnx.load(path), keep_io_types=True), path)
        if precision == "int8":
            _quantize(path, samples)


def _quantize(path, samples):
    from onnxruntime import quantization
    from onnxruntime.quantization import CalibrationDataReader

    class Samples(CalibrationDataReader):
        def __init__(self):
            self.rest = iter(samples)

        def get_next(self):
            sample = next(self.rest, None)
            return None if sample is None else {"picture": sample[None]}

    # Static, 8-bit integers with signs for both: what ONNX Runtime's manual says to take first.
    quantization.quantize_static(path, path, Samples(), per_channel=True)


def to_saved_model(network: Network, folder: str | Path) -> None:
    """Write a SavedModel whose `serving_default` maps `picture` to `probability`, as `to_onnx`."""
    with warnings.catch_warnings(), without_errors_shown():
        warnings.simplefilter("ignore")
        model, signature = _named(network)
        model.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)


def _named(network):
    """Return (the network's model whose answer has a name, the input it is exported with)."""
    import keras

    size = network.image_size
    picture = keras.InputSpec("float32", (None, size, size, network.channels), name="picture")
    return keras.Model(network.model.input, {"probability": network.model.output}), [picture]
