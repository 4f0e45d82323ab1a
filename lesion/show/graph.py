"""What the diagram of a network shows, read from the network's own graph.

    graph = read_graph(unet.build("lean", (128, 128, 3)))

No layer is known by its name: stages are told apart by the side of their feature maps, skips by the
layers that join branches, operations by the classes of their layers. So a new network needs nothing
but its row in `unet.NETWORKS`.
"""

from dataclasses import dataclass, field
from itertools import pairwise

WORDS = {  # class of a layer, or name of an activation; any other is called what it is
    "Conv2D": "convolution",
    "Conv2DTranspose": "transposed convolution",
    "DepthwiseConv2D": "depthwise convolution",
    "MaxPooling2D": "max-pooling",
    "UpSampling2D": "upsampling",
    "Add": "added",
    "Concatenate": "concatenated",
    "BatchNormalization": "batch normalisation",
    "relu": "ReLU",
    "relu6": "ReLU6",
}


@dataclass
class Stage:
    """Consecutive layers whose feature maps have one size.

    Attributes:
        side: pixels of its feature maps.
        features: what each convolution over more than one pixel puts out, a depthwise one together
            with the convolution behind it; what the stage puts out where there is none.
        joined: features where its skips come in, 0 without one.
        sources: numbers of the stages that its skips come from.
        parameters: of all its layers, those of its skips included.
    """

    side: int
    features: list = field(default_factory=list)
    joined: int = 0
    sources: list = field(default_factory=list)
    parameters: int = 0


@dataclass
class Graph:
    """A network as its diagram shows it.

    Attributes:
        stages: in the order of computation; the first is the picture, the last what comes out.
        slab, shrink, grow, skip, finish: in words, what a slab is and what the arrows do.
    """

    stages: list[Stage]
    slab: str
    shrink: str
    grow: str
    skip: str
    finish: str


def read_graph(model) -> Graph:
    """Read what the diagram of a network shows.

    Args:
        model: functional `keras.Model` of known, square input size.

    Returns:
        `Graph`.
    """
    inputs = _inputs_of(model.operations)
    path = _main_path(inputs)
    convolutions = [number for number, layer in enumerate(path) if _kernel(layer)]
    first, last = convolutions[0], convolutions[-1]
    stages, stage_of = [Stage(model.input_shape[1], [model.input_shape[3]])], {}
    for number, layer in enumerate(path):
        if number == last:
            stages.append(Stage(model.output_shape[1], [model.output_shape[3]]))
        elif number == first or (first < number < last and _side(layer) != stages[-1].side):
            stages.append(Stage(_side(layer)))
        stage_of[layer] = len(stages) - 1
    inner = path[first:last]
    for number, stage in enumerate(stages[1:-1], 1):
        stage.features = _features([layer for layer in inner if stage_of[layer] == number])
    merges = _add_branches(stages, stage_of, inputs, path)

    shrink = [layer for before, layer in pairwise(path[: last + 1]) if _side(layer) < _side(before)]
    grow = [layer for before, layer in pairwise(inner) if _side(layer) > _side(before)]
    joins = dict.fromkeys(_word(layer) for layer, is_skip in merges if is_skip)
    return Graph(
        stages,
        slab=_slab(inner, any(_is(layer, "Add") and not is_skip for layer, is_skip in merges)),
        shrink=_listed(shrink, _stride),
        grow=_listed(grow),
        skip=" and ".join(joins),
        finish=", ".join(filter(None, map(_step, path[last:]))),
    )


def _inputs_of(operations):
    """Map each operation to those whose output it takes, both in the order of computation."""
    made_by = {id(operation.output): operation for operation in operations}
    inputs = {}
    for operation in operations:
        given = operation.input if isinstance(operation.input, list) else [operation.input]
        inputs[operation] = [made_by[id(tensor)] for tensor in given]
    return inputs


def _main_path(inputs):
    """The longest way from the picture to the result: through the blocks, not past them.

    Where branches join, it is one whose maps are not smaller than what comes out: not a gate.
    """
    length, before = {}, {}
    for operation, given in inputs.items():
        large = [other for other in given if _side(other) >= _side(operation)]  # larger: cropped
        before[operation] = max(large or given, key=length.get, default=None)
        length[operation] = 1 + length.get(before[operation], 0)
    path = [operation]  # the last one: what comes out
    while before[path[-1]] is not None:
        path.append(before[path[-1]])
    return path[::-1]


def _add_branches(stages, stage_of, inputs, path):
    """Count the parameters of each stage and enter where its skips come from.

    What lies beside the main path belongs to the stage where it joins that path.

    Returns:
        list of (layer that joins branches, whether one of them is a skip), of the inner stages.
    """
    merges = []
    for layer in path:
        number = stage_of[layer]
        stage, sources, waiting = stages[number], [], [layer]
        while waiting:
            part = waiting.pop()
            stage.parameters += part.count_params() if hasattr(part, "count_params") else 0
            for other in inputs[part]:
                if other in stage_of:
                    sources.append(stage_of[other])
                else:
                    stage_of[other] = number
                    waiting.append(other)
        if len(inputs[layer]) > 1 and 0 < number < len(stages) - 1:
            skips = {s for s in sources if s < number and stages[s].side == stage.side}
            stage.sources += sorted(skips - set(stage.sources))
            stage.joined = stage.joined or (layer.output.shape[-1] if skips else 0)
            merges.append((layer, bool(skips)))
    return merges


def _side(layer):
    """Pixels of a side of what a layer puts out; 0 where that is no feature map."""
    shape = layer.output.shape
    return shape[1] if len(shape) == 4 else 0


def _kernel(layer):
    """Size of a convolution's filter: (height, width), or () for another layer."""
    return tuple(getattr(layer, "kernel_size", ()))


def _features(layers):
    """Features of each convolution over more than one pixel, see `Stage`."""
    kernels = [(layer, _kernel(layer)) for layer in layers]
    found = []
    for number, (layer, kernel) in enumerate(kernels):
        if max(kernel, default=1) > 1 and not _is(layer, "Transpose"):
            behind = [other for other, size in kernels[number + 1 :] if size]
            pair = _is(layer, "Depthwise") and behind
            found.append((behind[0] if pair else layer).output.shape[-1])
    return found or [layers[-1].output.shape[-1]]


def _is(layer, kind):
    return kind in type(layer).__name__


# ----------------------------------------------------------------------------------- in words


def _word(layer):
    kind = type(layer).__name__
    return f"{getattr(layer, 'interpolation', '')} {WORDS.get(kind, kind)}".strip()


def _listed(layers, addition=lambda layer: ""):
    """Kinds of layers with their sizes: "3×3 or 5×5 convolution; 2×2 max-pooling"."""
    sizes = {}
    for layer in layers:
        size = _kernel(layer) or getattr(layer, "pool_size", ())
        sizes.setdefault(_word(layer) + addition(layer), set()).add("×".join(map(str, size)))
    return "; ".join(f"{' or '.join(sorted(of))} {word}".strip() for word, of in sizes.items())


def _stride(layer):
    strided = _kernel(layer) and not _is(layer, "Transpose") and max(layer.strides) > 1
    return f", stride {max(layer.strides)}" if strided else ""


def _activation(layer):
    name = getattr(getattr(layer, "activation", None), "__name__", "linear")
    return "" if name == "linear" else WORDS.get(name, name)


def _slab(layers, residual):
    """What a slab of the diagram stands for, and what else its blocks hold."""
    filters = [layer for layer in layers if max(_kernel(layer), default=1) > 1]
    filters = [layer for layer in filters if not _is(layer, "Transpose")]
    rates = [layer.rate for layer in layers if _is(layer, "Dropout")]
    others = [_word(layer) for layer in layers if _is(layer, "Normalization")]
    others += [_activation(layer) for layer in layers]
    others += ["residual blocks"] if residual else []
    others += [f"dropout {min(rates):g} to {max(rates):g}"] if rates else []
    pair = {True: " with the convolution behind it", False: ""}
    listed = _listed(filters, lambda layer: pair[_is(layer, "Depthwise")])
    return f"a slab: {listed}; {', '.join(filter(None, dict.fromkeys(others)))}"


def _step(layer):
    """A layer behind the last stage in words, empty for one that only crops."""
    known = type(layer).__name__ in WORDS
    return ", ".join(filter(None, (_listed([layer]) if known else "", _activation(layer))))
