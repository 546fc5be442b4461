"""Weights of the PyTorch peer (torch_peer.py): random ones in the published sizes, or those of a safetensors file."""
import json
import math
import pathlib

import torch

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
TENSORS = 1508
PARAMETERS = 1_574_197_162
DTYPES = {"F16": torch.float16, "F32": torch.float32, "BF16": torch.bfloat16, "I64": torch.int64}


def random_weights(device, dtype):
    """Random tensors with the names and shapes of FramePainter's U-Net, made on the device."""
    shapes = json.loads((REPOSITORY / "tests/manifest/framepainter/unet_diffusion_pytorch_model.tensors.json").read_text())
    torch.manual_seed(0)
    tensors = {name: random_tensor(name, shape, device, dtype) for name, shape in shapes.items()}
    parameters = sum(tensor.numel() for tensor in tensors.values())
    if (len(tensors), parameters) != (TENSORS, PARAMETERS):
        raise ValueError(f"{len(tensors)} tensors with {parameters} parameters are not FramePainter's {TENSORS} with {PARAMETERS}.")
    return tensors


def random_tensor(name, shape, device, dtype):
    """Normals over the root of the fan-in for matrices, small biases, ones for norms: float16 holds every sum."""
    if name.endswith("mix_factor"):
        return torch.full(shape, 0.5, device=device, dtype=dtype)
    if len(shape) == 1 and name.endswith("weight"):
        return torch.ones(shape, device=device, dtype=dtype)
    normals = torch.randn(shape, device=device, dtype=dtype)
    return normals * 0.02 if len(shape) == 1 else normals / math.prod(shape[1:]) ** 0.5


def read_safetensors(path, device, dtype):
    """All tensors of a file, converted."""
    data = bytearray(path.read_bytes())
    begin = 8 + int.from_bytes(data[:8], "little")
    tensors = {}
    for name, entry in json.loads(data[8:begin]).items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            raw = torch.frombuffer(data[begin + first:begin + end], dtype=DTYPES[entry["dtype"]])
            tensors[name] = raw.reshape(entry["shape"]).to(device=device, dtype=dtype)
    return tensors


def read_heads(model):
    """Attention heads of each level, of a model's folder."""
    return json.loads((model / "svd/unet/config.json").read_text())["num_attention_heads"]


def in_format(tensors, channels_last):
    """The same tensors, convolutions' weights (over pictures or over time) with their channels last or first in memory."""
    formats = {4: torch.channels_last, 5: torch.channels_last_3d} if channels_last else {}
    return {name: tensor.contiguous(memory_format=formats.get(tensor.dim(), torch.contiguous_format)) for name, tensor in tensors.items()}


def tree(tensors):
    """Tensors by the parts of their names: tree["down_blocks"][0]["resnets"][1]."""
    root = {}
    for name, tensor in tensors.items():
        *path, leaf = (int(part) if part.isdigit() else part for part in name.split("."))
        node = root
        for part in path:
            node = node.setdefault(part, {})
        node[leaf] = tensor
    return root
