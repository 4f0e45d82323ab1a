"""Masks for pictures, from saved networks.

network = predict.load_network("files/lite.keras")
prediction = network.predict(read_image("lesion.jpg"))      # probability, mask, quality, ...
rows, left_out = predict.predict_files(network, paths, directory)   # lesions.csv and masks

Imports neither Keras nor TensorFlow until weights without a .tflite are loaded.
"""

from lesion.predict.description import describe_lesion
from lesion.predict.ensemble import Ensemble, join
from lesion.predict.estimate import QualityEstimate, agreement
from lesion.predict.files import describe, predict_files, write_prediction
from lesion.predict.network import (
    Network,
    Prediction,
    load_keras_network,
    load_network,
    start_from,
)

__all__ = [
    "Ensemble",
    "Network",
    "Prediction",
    "QualityEstimate",
    "agreement",
    "describe",
    "describe_lesion",
    "join",
    "load_keras_network",
    "load_network",
    "predict_files",
    "start_from",
    "write_prediction",
]
