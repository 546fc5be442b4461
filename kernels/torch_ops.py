"""Times of single ops in PyTorch (float16) on the shapes of kernels.json, for gpu_tables.py: medians, and attention with each of its backends."""
import contextlib
import statistics
import sys

import torch
import torch.nn.functional as F

import torch_unet

HEAD = 64
COPIES = 4
RUNS = 20
SAMPLES = 5
BACKENDS = {"flash": "FLASH_ATTENTION", "cuDNN": "CUDNN_ATTENTION"}
FORMS_OF_MATCHING = {"original": torch_unet.matching, "saved": torch_unet.matching_saved}


def rand(*shape):
    return torch.randn(*shape, device="cuda", dtype=torch.float16)


def picture(*shape):
    return rand(*shape).to(memory_format=torch.channels_last)


def milliseconds(run, make_input, replayed=False):
    """
    The median over samples of the mean time of some runs in a row, on several inputs by turns: queued one by one, where the processor may be what is timed, or
    replayed as a CUDA graph.
    """
    inputs = [make_input() for _ in range(COPIES)]
    for x in inputs:
        run(x)

    def all_runs():
        for i in range(RUNS):
            run(inputs[i % COPIES])

    queue = all_runs
    if replayed:
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            all_runs()
        graph.replay()
        queue = graph.replay
    times = []
    for _ in range(SAMPLES):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        queue()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) / RUNS)
    return statistics.median(times)


def linear_op(row):
    n, tokens, c, o = row["images"], row["height"] * row["width"], row["inputs"], row["outputs"]
    m = {"weight": rand(o, c) / c**0.5, "bias": rand(o)}

    def geglu(x):
        value, gate = torch_unet.linear(m, x).chunk(2, dim=2)
        return value * F.gelu(gate)

    return geglu if row["op"] == "linear_geglu" else lambda x: torch_unet.linear(m, x), lambda: rand(n, tokens, c)


def conv_op(row):
    n, h, w, c, o = row["images"], row["height"], row["width"], row["inputs"], row["outputs"]
    m = {"weight": (rand(o, c, 3, 3) / (3 * c**0.5)).to(memory_format=torch.channels_last), "bias": rand(o)}
    return lambda x: torch_unet.conv(m, x), lambda: picture(n, c, h, w)


def temporal_conv_op(row):
    n, h, w, c, o = row["images"], row["height"], row["width"], row["inputs"], row["outputs"]
    m = {"weight": (rand(o, c, 3, 1, 1) / (3 * c) ** 0.5).to(memory_format=torch.channels_last_3d), "bias": rand(o)}
    return lambda x: torch_unet.temporal_conv(m, x), lambda: torch_unet.over_time(picture(n, c, h, w))


def attention_op(row):
    """Self-attention of projected tokens; a second one beside it, as for matching attention, where the row has it."""
    n, tokens, c = row["images"], row["height"] * row["width"], row["inputs"]

    def attend(x):
        q, k, v = (torch_unet.split_heads(part, c // HEAD) for part in x.split(c, dim=2))
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

    return attend if row["op"] == "attention" else lambda x: torch.cat([attend(x), attend(x)], dim=2), lambda: rand(n, tokens, 3 * c)


def matching_block_op(row, form="original"):
    """
    Tokens to the sum of self and matching attention, projections included. `original` projects keys and values of all frames and takes frame 0's for all;
    `saved` projects frame 0's alone.
    """
    n, tokens, c = row["images"], row["height"] * row["width"], row["inputs"]

    def module():
        matrices = {name: {"weight": rand(c, c) / c**0.5} for name in ("to_q", "to_k", "to_v")}
        return matrices | {"to_out": {0: {"weight": rand(c, c) / c**0.5, "bias": rand(c)}}}

    own, match, matching = module(), module(), FORMS_OF_MATCHING[form]
    return lambda x: torch_unet.attend(own, c // HEAD, x, x) + matching(match, c // HEAD, x), lambda: rand(n, tokens, c)


def group_norm_silu_op(row):
    n, h, w, c = row["images"], row["height"], row["width"], row["inputs"]
    m = {"weight": rand(c), "bias": rand(c)}
    return lambda x: F.silu(torch_unet.group_norm(m, x, 1e-5)), lambda: picture(n, c, h, w)


def layer_norm_op(row):
    n, tokens, c = row["images"], row["height"] * row["width"], row["inputs"]
    m = {"weight": rand(c), "bias": rand(c)}
    return lambda x: torch_unet.layer_norm(m, x), lambda: rand(n, tokens, c)


OPS = {
    "linear": linear_op, "linear_geglu": linear_op, "linear_down": linear_op,
    "conv3x3": conv_op, "conv_temporal": temporal_conv_op,
    "attention": attention_op, "attention_matching": attention_op,
    "group_norm_silu": group_norm_silu_op, "layer_norm": layer_norm_op,
}


def backend(name):
    """A context in which attention is that backend's alone; PyTorch's choice for None."""
    if name is None:
        return contextlib.nullcontext()
    from torch.nn.attention import SDPBackend, sdpa_kernel
    return sdpa_kernel(getattr(SDPBackend, BACKENDS[name]))


def try_time(row, make, attention=None, replayed=False):
    """Milliseconds of what `make` makes of the row; None, with a line on standard error, where PyTorch fails."""
    try:
        with backend(attention):
            return milliseconds(*make(row), replayed)
    except Exception as error:  # One op that PyTorch refuses leaves the others' times.
        print(f"{row['op']} {row['height']} x {row['width']}, {attention or 'default'}: {type(error).__name__}: {error}", file=sys.stderr)
        return None


def time_op(row):
    """Milliseconds, replayed: "default", and each of BACKENDS where the op is attention; and "queued", of the default one by one."""
    names = [None, *BACKENDS] if row["op"].startswith("attention") else [None]
    times = {name or "default": try_time(row, OPS[row["op"]], name, replayed=True) for name in names}
    return times | {"queued": try_time(row, OPS[row["op"]])}


def time_matching_block(row):
    """Milliseconds of the matching block at the row's size, replayed, by form; and "queued", of the original one by one."""
    times = {form: try_time(row, lambda r, f=form: matching_block_op(r, f), replayed=True) for form in FORMS_OF_MATCHING}
    return times | {"queued": try_time(row, matching_block_op)}
