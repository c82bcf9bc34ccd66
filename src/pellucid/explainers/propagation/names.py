"""Which functions of PyTorch do what, by the name that a function shares with its method and its operator."""

LIKE_RELU = frozenset(
    {"leaky_relu", "rrelu", "prelu", "softplus", "gelu", "silu", "mish", "elu", "selu", "celu", "hardswish"}
)
"""Activations that let large values pass and hold small ones back, with other slopes than 0 and 1."""

CAPPING = frozenset({"relu", "relu6", "hardtanh", "clamp", "clip", "clamp_min", "clamp_max", "threshold"})
"""Activations that hold values at a floor, a ceiling or both."""

SQUASHING = frozenset({"sigmoid", "tanh", "hardsigmoid", "softsign", "logsigmoid"})

ACTIVATIONS = LIKE_RELU | CAPPING | SQUASHING

GATES = frozenset({"mul", "rmul", "multiply"})
"""Products of one number with another."""

QUOTIENTS = frozenset({"div", "true_divide", "divide"})

SUMS = frozenset({"add", "sub", "subtract"})

AFFINE = SUMS | GATES | QUOTIENTS | {"radd", "rsub", "neg"}

ELEMENTWISE = (
    ACTIVATIONS | AFFINE | {"square", "pow", "exp", "expm1", "log1p", "abs", "where", "minimum", "maximum", "erf"}
)
"""Functions of one number at a time, of which hand-written activations are made."""

PIECING = frozenset({"where", "mul", "multiply", "div", "true_divide", "minimum", "maximum"})
"""How two functions of one tensor are put together to an activation."""

CONVOLUTIONS = frozenset({"conv1d", "conv2d", "conv3d"})
TRANSPOSED = frozenset({"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"})
LAYERS = CONVOLUTIONS | TRANSPOSED | {"linear"}

LINEAR = frozenset(
    {"sum", "mean", "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d"}
    | {"adaptive_avg_pool3d", "interpolate", "dropout", "dropout1d", "dropout2d", "dropout3d"}
)
"""Linear functions without weights."""

PRODUCTS = frozenset({"matmul", "rmatmul", "mm", "bmm", "mv", "dot", "einsum", "tensordot", "inner", "outer"})
"""Products that are linear in each of their factors."""

ADDED_PRODUCTS = frozenset({"addmm", "baddbmm", "addmv", "addbmm"})
"""The same, added to a first argument."""

SCALES = frozenset({"rsqrt", "reciprocal"})
"""What comes of these is what values are divided by, written as a factor."""

RESCALING = frozenset({"normalize", "rms_norm", "local_response_norm"})
"""Values divided by their own length or scale, of which each stays in its place."""

CENTERING = frozenset({"layer_norm", "group_norm", "instance_norm"})
"""Values from which their mean is taken, divided by their own deviation."""

ROUTING = frozenset(
    {"reshape", "reshape_as", "view", "view_as", "flatten", "unflatten", "squeeze", "unsqueeze", "ravel"}
    | {"permute", "transpose", "movedim", "moveaxis", "swapaxes", "swapdims", "t", "T", "mT", "contiguous"}
    | {"clone", "to", "type", "type_as", "float", "double", "half", "bfloat16", "alias"}
    | {
        "expand",
        "expand_as",
        "broadcast_to",
        "repeat",
        "repeat_interleave",
        "tile",
        "roll",
        "flip",
        "rot90",
        "pad",
        "unfold",
    }
    | {"cat", "concat", "concatenate", "stack", "hstack", "vstack", "chunk", "split", "tensor_split", "unbind"}
    | {"getitem", "narrow", "select", "index_select", "take_along_dim", "gather", "masked_fill", "where"}
    | {"max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d"}
    | {"adaptive_max_pool3d", "amax", "amin", "max", "min", "maximum", "minimum"}
    | {"pixel_shuffle", "pixel_unshuffle", "channel_shuffle"}
)
"""Functions whose outputs are some of their inputs, so that what comes back goes where the value came from."""

BEFORE_LAYERS = AFFINE | ROUTING | {"batch_norm", "dropout", "clamp", "clip", "clamp_min", "clamp_max"}
"""What may stand between the pixels and a first layer."""
