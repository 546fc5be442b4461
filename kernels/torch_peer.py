"""
Times one U-Net step in PyTorch (float16, random weights of the published size) as a peer for the CUDA backend, or checks that it computes the same function:

    python3 kernels/torch_peer.py OUT_FOLDER [--sizes 512x512,576x1024] [--seconds 60]    writes OUT_FOLDER/torch_unet.json; sizes are height x width
    python3 kernels/torch_peer.py --check                                                 runs the golden U-Nets; exit code 1 where one is missed

Timed is the U-Net's call with two halves of two frames and the join of given control features: not the control encoder, guidance or the solver's step.
`original` computes all that the original code does; `saved` takes the exact savings of torch_unet.UNet. Each is run in several ways, so that PyTorch is
judged by its best: as written ("eager"), replayed as a CUDA graph, with another backend for attention, and with channels first in memory.
"""
import argparse
import contextlib
import json
import pathlib
import signal
import statistics
import sys
import time
from typing import NamedTuple

import torch

from torch_unet import FRAMES, UNet
from torch_weights import REPOSITORY, in_format, random_weights, read_heads, read_safetensors, tree

HALVES = 2
WARM_UPS = 3
STEPS = 7
GOLDENS = REPOSITORY / "tests/goldens"


class Way(NamedTuple):
    """How PyTorch is let to run the network; `attention` names the backend to be asked first, None leaves the choice to PyTorch."""

    name: str
    channels_last: bool = True
    recorded: bool = False
    attention: str | None = None


WAYS = (
    Way("eager"),
    Way("graph", recorded=True),
    Way("eager, flash attention", attention="FLASH_ATTENTION"),
    Way("eager, cuDNN attention", attention="CUDNN_ATTENTION"),
    Way("eager, channels first", channels_last=False))


def attention_backend(way):
    """A context in which the way's backend is asked before the others."""
    if way.attention is None:
        return contextlib.nullcontext()
    from torch.nn.attention import SDPBackend, sdpa_kernel
    names = dict.fromkeys([way.attention, "FLASH_ATTENTION", "EFFICIENT_ATTENTION", "CUDNN_ATTENTION", "MATH"])
    return sdpa_kernel([getattr(SDPBackend, name) for name in names], set_priority=True)


def memory_format(channels_last):
    return torch.channels_last if channels_last else torch.contiguous_format


def random_inputs(weights, height, width, layout):
    """One call's inputs on the GPU, for a picture of the size, widths read off the weights."""
    def rand(*shape):
        return torch.randn(shape, device="cuda", dtype=torch.float16)

    stem, h, w = weights["conv_in"]["weight"], height // 8, width // 8
    context = weights["down_blocks"][0]["attentions"][0]["transformer_blocks"][0]["attn2"]["to_k"]["weight"].shape[1]
    return (
        rand(HALVES, FRAMES, stem.shape[1], h, w),
        torch.ones(1, device="cuda"),
        rand(HALVES, 1, context),
        torch.tensor([[6, 128, 0.02]] * HALVES, device="cuda"),
        rand(HALVES * FRAMES, stem.shape[0], h, w).contiguous(memory_format=layout),
        torch.tensor([0, 0, 0.8, 0.8], device="cuda", dtype=torch.float16))


def record(call):
    """The call as a CUDA graph: what replays it. Its result must be held until the graph is dropped."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = call()

    def replay():
        graph.replay()
        return result

    return replay


def step_times(call):
    """Milliseconds of each of some steps, by the GPU's own clock."""
    times = []
    for _ in range(STEPS):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        call()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end))
    return times


def measure(weights, heads, height, width, variant, way):
    """The figures of one row."""
    layout = memory_format(way.channels_last)
    network = UNet(weights, heads, variant == "saved", layout)
    inputs = random_inputs(weights, height, width, layout)

    def call():
        return network(*inputs)

    for _ in range(WARM_UPS):
        result = call()
    torch.cuda.reset_peak_memory_stats()
    if way.recorded:
        call = record(call)
        result = call()
    if not torch.isfinite(result).all():
        raise ArithmeticError("The prediction is not finite.")
    times = step_times(call)
    return {"milliseconds": statistics.median(times), "best_milliseconds": min(times), "peak_bytes": torch.cuda.max_memory_allocated()}


@contextlib.contextmanager
def time_limit(seconds):
    """Stops the block by a TimeoutError when the seconds are over, at the latest when the operation under way returns."""
    def stop(*_):
        raise TimeoutError("The time given to all rows is over.")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def measure_all(out, sizes, deadline):
    """All rows, each written when it is there; one that fails, or for which no time is left, has the error in place of figures."""
    torch.backends.cudnn.benchmark = True
    heads = read_heads(REPOSITORY / "tests/manifest")
    report = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "cudnn": torch.backends.cudnn.version(), "rows": []}
    tensors = random_weights("cuda", torch.float16)
    for way in WAYS:
        tensors = in_format(tensors, way.channels_last)
        weights = tree(tensors)
        for height, width in sizes:
            for variant in ("original", "saved"):
                row = {"width": width, "height": height, "variant": variant, "way": way.name}
                try:
                    with time_limit(deadline - time.monotonic()), attention_backend(way):
                        row |= measure(weights, heads, height, width, variant, way)
                except Exception as error:  # Whatever one row meets, the others are measured.
                    row["error"] = f"{type(error).__name__}: {error}"
                report["rows"].append(row)
                (out / "torch_unet.json").write_text(json.dumps(report, indent=1) + "\n")
                print(row, flush=True)
                torch.cuda.empty_cache()


def relative_l2(got, want):
    got, want = got.double().cpu(), want.double().cpu()
    return ((got - want).norm() / want.norm()).item()


def check_case(folder, device, dtype):
    """Relative L2 of one golden U-Net and what it allows, by variant and memory format."""
    case = json.loads((folder / "case.json").read_text())
    model = GOLDENS / case["model"]
    inputs, outputs = (read_safetensors(folder / f"{name}.safetensors", device, dtype) for name in ("inputs", "outputs"))
    tensors = read_safetensors(model / "framepainter/unet_diffusion_pytorch_model.safetensors", device, dtype)
    timestep = torch.tensor([case["args"]["timestep"]], device=device)
    for variant in ("original", "saved"):
        for channels_last in (True, False):
            network = UNet(tree(in_format(tensors, channels_last)), read_heads(model), variant == "saved", memory_format(channels_last))
            got = network(inputs["sample"], timestep, inputs["context"], inputs["added_time_ids"], inputs["control"], inputs["scale"])
            yield variant, "channels last" if channels_last else "channels first", relative_l2(got, outputs["noise"]), case["tolerance"]["relative_l2"]


def check():
    """Whether all golden U-Nets with matching attention are met in float32; on a GPU, float16 is shown beside it, as it is what is timed."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    met = []
    for dtype in [torch.float32] + [torch.float16] * (device == "cuda"):
        for folder in sorted(GOLDENS.glob("tiny-unet-matching-*")):
            for variant, layout, error, allowed in check_case(folder, device, dtype):
                print(f"{folder.name}, {variant}, {layout}, {dtype} on {device}: relative L2 {error:.2e}")
                met += [error < allowed] if dtype == torch.float32 else []
    return len(met) > 0 and all(met)


def read_sizes(text):
    return [tuple(int(side) for side in size.split("x")) for size in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=pathlib.Path, help="folder for torch_unet.json")
    parser.add_argument("--sizes", type=read_sizes, default=[(512, 512), (576, 1024)], help="HEIGHTxWIDTH, comma-separated")
    parser.add_argument("--seconds", type=float, default=60, help="for all rows together, weights included; rows that it cuts off have an error")
    parser.add_argument("--check", action="store_true", help="run the golden U-Nets in place of timing")
    arguments = parser.parse_args()
    deadline = time.monotonic() + arguments.seconds
    with torch.inference_mode():
        if arguments.check:
            sys.exit(0 if check() else 1)
        if arguments.out is None or not torch.cuda.is_available():
            parser.error("Timing wants OUT_FOLDER and a CUDA device that PyTorch finds.")
        arguments.out.mkdir(parents=True, exist_ok=True)
        measure_all(arguments.out, arguments.sizes, deadline)


if __name__ == "__main__":
    main()
