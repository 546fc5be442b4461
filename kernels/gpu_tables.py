"""Makes tables.md of kernels.json and edits.json, times of the same shapes in PyTorch (float16) beside ours where PyTorch finds the GPU."""
import json
import pathlib
import sys


def torch_times(rows):
    """Milliseconds of each row's op in PyTorch; an empty list without PyTorch or a GPU."""
    try:
        import torch
        import torch.nn.functional as F
    except ImportError:
        return []
    if not torch.cuda.is_available():
        return []

    def rand(*shape):
        return torch.randn(*shape, device="cuda", dtype=torch.float16)

    def heads(x, channels):
        images, tokens, _ = x.shape
        return [p.view(images, tokens, channels // 64, 64).transpose(1, 2) for p in x.split(channels, dim=2)]

    def attention(x, channels, source=None):
        q, k, v = heads(x, channels)
        if source is not None:
            _, k, v = (p[source] for p in heads(x, channels))
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

    def make(row):
        n, h, w, c, o = row["images"], row["height"], row["width"], row["inputs"], row["outputs"]
        tokens = h * w
        op = row["op"]
        if op.startswith("linear"):
            weight, bias = rand(o, c) / c**0.5, rand(o)
            xs = [rand(n, tokens, c) for _ in range(4)]

            def linear(x):
                y = F.linear(x, weight, bias)
                if op == "linear_geglu":
                    value, gate = y.chunk(2, dim=2)
                    y = value * F.gelu(gate)
                return y

            return linear, xs
        if op == "conv3x3":
            weight = (rand(o, c, 3, 3) / (3 * c**0.5)).to(memory_format=torch.channels_last)
            bias = rand(o)
            return lambda x: F.conv2d(x, weight, bias, padding=1), [rand(n, c, h, w).to(memory_format=torch.channels_last) for _ in range(4)]
        if op == "conv_temporal":
            weight, bias = rand(o, c, 3, 1, 1) / (3 * c) ** 0.5, rand(o)
            return lambda x: F.conv3d(x, weight, bias, padding=(1, 0, 0)), [rand(n // 2, c, 2, h, w) for _ in range(4)]
        if op == "attention":
            return lambda x: attention(x, c), [rand(n, tokens, 3 * c) for _ in range(4)]
        if op == "attention_matching":
            return lambda x: torch.cat([attention(x, c), attention(x, c, slice(None))], dim=2), [rand(n, tokens, 3 * c) for _ in range(4)]
        if op == "group_norm_silu":
            gamma, beta = rand(c), rand(c)
            return lambda x: F.silu(F.group_norm(x, 32, gamma, beta)), [rand(n, c, h, w).to(memory_format=torch.channels_last) for _ in range(4)]
        gamma, beta = rand(c), rand(c)
        return lambda x: F.layer_norm(x, (c,), gamma, beta), [rand(n, tokens, c) for _ in range(4)]

    times = []
    torch.backends.cudnn.benchmark = True
    with torch.no_grad():
        for row in rows:
            run, xs = make(row)
            for x in xs:
                run(x)
            best = float("inf")
            for _ in range(5):
                begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
                begin.record()
                for i in range(20):
                    run(xs[i % len(xs)])
                end.record()
                torch.cuda.synchronize()
                best = min(best, begin.elapsed_time(end) / 20)
            times.append(best)
    return times


def main(folder):
    lines = []
    kernels = folder / "kernels.json"
    if kernels.exists():
        data = json.loads(kernels.read_text())
        rows = data["rows"]
        other = torch_times(rows)
        lines += [f"## Kernels on {data['device']}", "", "| op | images x height x width | channels | ms | TFLOP/s | PyTorch, ms | PyTorch's time over ours |", "|---|---|---|---|---|---|---|"]
        for i, row in enumerate(rows):
            ms = row["milliseconds"]
            rate = f"{row['flops'] / ms / 1e9:.1f}" if row["flops"] and ms > 0 else ""
            beside = f"{other[i]:.4f} | {other[i] / ms:.2f}" if other and ms > 0 else "not measured | "
            lines.append(f"| {row['op']} | {row['images']} x {row['height']} x {row['width']} | {row['inputs']} to {row['outputs']} | {ms:.4f} | {rate} | {beside} |")
    edits = folder / "edits.json"
    if edits.exists():
        data = json.loads(edits.read_text())
        lines += ["", f"## Edits of 25 steps on {data['device']}", "", "| size | run | budget, MiB | seconds | of it denoising | peak memory, MiB |", "|---|---|---|---|---|---|"]
        for row in data["rows"]:
            budget = row["budget_bytes"] >> 20 if row["budget_bytes"] else "none"
            lines.append(f"| {row['width']} x {row['height']} | {row['run']} | {budget} | {row['seconds']:.2f} | {row['stages'].get('Denoise', 0):.2f} | {row['peak_bytes'] >> 20} |")
    if not lines:
        sys.exit("There is neither kernels.json nor edits.json.")
    (folder / "tables.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
