"""Exported files run by their own runtimes, with the face that a `Network` expects of its model."""

from pathlib import Path

import numpy as np

from lesion.export.conversion import need


class OnnxModel:
    """An .onnx file of `to_onnx`, run by ONNX Runtime on the CPU.

    Attributes:
        input_shape: (None, S, S, C).
    """

    def __init__(self, path: str | Path):
        (onnxruntime,) = need("onnxruntime")
        options = onnxruntime.SessionOptions()
        # Threads that spin while they wait take the processor from whatever else runs there.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.input_shape = (None, *self._session.get_inputs()[0].shape[1:])

    def predict_on_batch(self, pictures: np.ndarray) -> np.ndarray:
        """Map float32 (N, S, S, C) in [0, 1] to probabilities, float32 (N, S, S, 1)."""
        return self._session.run(["probability"], {"picture": pictures})[0]


class SavedModel:
    """A SavedModel of `to_saved_model`, run by TensorFlow without Keras; as `OnnxModel`."""

    def __init__(self, folder: str | Path):
        import tensorflow as tf

        self._loaded = tf.saved_model.load(str(folder))  # whose functions live as long as it does
        self._answer = self._loaded.signatures["serving_default"]
        _, inputs = self._answer.structured_input_signature
        self.input_shape = tuple(inputs["picture"].shape)
        self._constant = tf.constant

    def predict_on_batch(self, pictures: np.ndarray) -> np.ndarray:
        """Map float32 (N, S, S, C) in [0, 1] to probabilities, float32 (N, S, S, 1)."""
        return self._answer(picture=self._constant(pictures))["probability"].numpy()
