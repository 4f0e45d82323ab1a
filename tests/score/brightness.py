"""A network that needs no training."""


class Brightness:
    """A network for which bright is lesion; counts the pictures that it is asked about."""

    def __init__(self, size):
        self.input_shape, self.pictures = (None, size, size, 3), 0

    def predict_on_batch(self, inputs):
        self.pictures += len(inputs) / 4
        return inputs[..., :1]
