"""
Makes tables.md of what lies in a folder: kernels.json (times of single ops; PyTorch's on the same shapes are taken here, where it finds the GPU),
kernels_bf16.json (some of them in bfloat16), steps.json, edits.json, and torch_unet.json of torch_peer.py.
"""
import json
import pathlib
import sys

NOT_MEASURED = "not measured"
BESIDE = ["ours, ms", "PyTorch original, ms", "PyTorch saved, ms", "original over ours", "saved over ours"]


def table(columns, rows):
    """Lines of a Markdown table."""
    return ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)] + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]


def figure(ms, digits=4):
    return f"{ms:.{digits}f}" if ms else NOT_MEASURED


def ratio(other, ours):
    return f"{other / ours:.2f}" if other and ours and ours > 0 else ""


def beside(forms, ours, digits):
    """Cells for BESIDE: ours, PyTorch's two forms, and their ratios."""
    other = [forms.get("original"), forms.get("saved")]
    return [figure(ours, digits), *(figure(ms, digits) for ms in other), *(ratio(ms, ours) for ms in other)]


def size(row):
    return f"{row['images']} x {row['height']} x {row['width']}"


def import_torch_ops():
    """The module that times PyTorch's ops, or None without PyTorch or a GPU."""
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    import torch_ops
    torch.backends.cudnn.benchmark = True
    torch.set_grad_enabled(False)
    return torch_ops


def kernel_tables(data, ops):
    """Single ops, and the matching block, beside PyTorch's."""
    about = ("Replayed as CUDA graphs on both sides, which is the kernels' time; queued one by one, a short op's time in PyTorch is what the processor takes "
             "to queue it.")
    columns = ["op", "images x height x width", "channels", "replayed, ms", "TFLOP/s", "PyTorch replayed, ms", "PyTorch's time over ours"]
    columns += ["its flash attention, ms", "its cuDNN attention, ms", "queued, ms", "PyTorch queued, ms", "PyTorch's time over ours"]
    lines = [kernel_line(row, ops.time_op(row) if ops else {}) for row in data["rows"] if row["op"] != "matching_block"]
    return [f"## Kernels on {data['device']}", "", about, "", *table(columns, lines), "", *matching_block_table(data["rows"], ops)]


def kernel_line(row, times):
    ms, other = row["replayed_milliseconds"], times.get("default")
    rate = f"{row['flops'] / ms / 1e9:.1f}" if row["flops"] and ms > 0 else ""
    by_backend = [figure(times[name]) if name in times else "" for name in ("flash", "cuDNN")]
    queued, other_queued = row["milliseconds"], times.get("queued")
    return [row["op"], size(row), f"{row['inputs']} to {row['outputs']}", f"{ms:.4f}", rate, figure(other), ratio(other, ms), *by_backend,
            f"{queued:.4f}", figure(other_queued), ratio(other_queued, queued)]


def brain_table(data, halves):
    """Single ops in bfloat16 beside the same in float16."""
    def key(row):
        return row["op"], size(row), row["inputs"]

    ours = {key(row): row["replayed_milliseconds"] for row in halves["rows"]} if halves else {}
    lines = [[*key(row), figure(row["replayed_milliseconds"]), figure(ours.get(key(row))), ratio(ours.get(key(row)), row["replayed_milliseconds"])] for row in data["rows"]]
    return [f"## Kernels in bfloat16 on {data['device']}", "", *table(["op", "images x height x width", "channels", "bfloat16, ms", "float16, ms", "float16's time over it"], lines)]


def matching_block_table(rows, ops):
    """The matching block at each size for which matching attention is timed."""
    blocks = {(row["height"], row["width"], row["inputs"]): row for row in rows if row["op"] == "matching_block"}
    lines = []
    for row in (row for row in rows if row["op"] == "attention_matching"):
        times = ops.time_matching_block(row) if ops else {}
        ours = blocks.get((row["height"], row["width"], row["inputs"]), {})
        queued, other = ours.get("milliseconds"), times.get("queued")
        lines.append([size(row), row["inputs"], *beside(times, ours.get("replayed_milliseconds"), 4), figure(queued), figure(other), ratio(other, queued)])
    about = ("From normalised tokens to the sum of self and matching attention, all projections included. Original: keys and values of all frames are projected "
             "and frame 0's taken for all. Saved: frame 0's alone are projected. Each projection is a linear map of its own, and there are two calls of "
             "`scaled_dot_product_attention`, either way. Replayed; at the end queued one by one.")
    columns = ["images x height x width", "channels", *BESIDE, "ours queued, ms", "PyTorch original queued, ms", "original over ours"]
    return ["## Matching block", "", about, "", *table(columns, lines)]


def step_table(peer, steps):
    """The U-Net step: PyTorch's ways beside ours."""
    ours = {(row["width"], row["height"]): row["step_milliseconds"] for row in steps["rows"]}
    times, errors = {}, {}
    for row in peer["rows"]:
        times.setdefault((row["width"], row["height"], row["way"]), {})[row["variant"]] = row.get("milliseconds")
        if "error" in row:
            errors.setdefault(row["error"].splitlines()[0], []).append(f"{row['width']} x {row['height']} {row['variant']} ({row['way']})")
    lines = [[f"{width} x {height}", way, *beside(forms, ours.get((width, height)), 2)] for (width, height, way), forms in times.items()]
    about = f"PyTorch {peer['torch']} on {peer['device']}" + (f", ours on {steps['device']}." if steps["rows"] else ".")
    notes = [f"* {', '.join(where)}: {error}" for error, where in errors.items()]
    return ["## U-Net step", "", about, "", *table(["size", "PyTorch's way", *BESIDE], lines), *([""] + notes if notes else [])]


def launch_tables(steps):
    """Where our steps' time goes: each kernel's launches together, timed one by one."""
    lines = []
    for row in steps["rows"]:
        kernels = {}
        for launch in row["launches"]:
            count, ms, flops = kernels.get(launch["kernel"], (0, 0, 0))
            kernels[launch["kernel"]] = (count + 1, ms + launch["milliseconds"], flops + launch["flops"])
        lines += ["", f"### {row['width']} x {row['height']}", ""]
        by_time = sorted(kernels.items(), key=lambda kernel: -kernel[1][1])
        lines += table(["kernel", "launches", "ms", "TFLOP/s"], [[name, n, f"{ms:.3f}", f"{flops / ms / 1e9:.1f}" if flops and ms > 0 else ""] for name, (n, ms, flops) in by_time])
    return [f"## Launches of a step on {steps['device']}", *lines]


STAGES = ["Prepare", "Describe", "Encode", "Control", "Denoise", "Decode"]


def edit_table(data):
    lines = []
    for row in data["rows"]:
        budget = row["budget_bytes"] >> 20 if row["budget_bytes"] else "none"
        stages = [f"{row['stages'].get(stage, 0):.3f}" for stage in STAGES]
        rest = row["seconds"] - sum(row["stages"].values())
        lines.append([f"{row['width']} x {row['height']}", row["run"], budget, f"{row['seconds']:.2f}", *stages, f"{rest:.3f}", row["peak_bytes"] >> 20])
    columns = ["size", "run", "budget, MiB", "seconds", *(f"of it {stage.lower()}" for stage in STAGES), "of it the rest", "peak memory, MiB"]
    return [f"## Edits of 25 steps on {data['device']}", "", *table(columns, lines)]


def read(path):
    return json.loads(path.read_text()) if path.exists() else None


def main(folder):
    names = ["kernels.json", "kernels_bf16.json", "steps.json", "edits.json", "torch_unet.json"]
    kernels, brain, steps, edits, peer = (read(folder / name) for name in names)
    parts = []
    if kernels:
        parts.append(kernel_tables(kernels, import_torch_ops()))
    if brain:
        parts.append(brain_table(brain, kernels))
    if edits:
        parts.append(edit_table(edits))
    if peer:
        parts.append(step_table(peer, steps or {"rows": []}))
    if steps:
        parts.append(launch_tables(steps))
    if not parts:
        sys.exit(f"There is none of {', '.join(names)}.")
    (folder / "tables.md").write_text("\n\n".join("\n".join(part) for part in parts) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
