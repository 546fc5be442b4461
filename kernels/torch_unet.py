"""
The U-Net of SVD-XT with FramePainter's matching attention in plain PyTorch, as a peer to time against and to check (torch_peer.py).

Weights are a tree of dicts by the tensors' published names. Images are [halves x frames, C, H, W]; each half of the guidance has FRAMES frames.
"""
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

FRAMES = 2
GROUPS = 32
CONTROL_STRENGTH = 0.2


def linear(m, x):
    return F.linear(x, m["weight"], m.get("bias"))


def conv(m, x, stride=1):
    return F.conv2d(x, m["weight"], m["bias"], stride=stride, padding=m["weight"].shape[-1] // 2)


def temporal_conv(m, x):
    return F.conv3d(x, m["weight"], m["bias"], padding=(1, 0, 0))


def group_norm(m, x, epsilon):
    return F.group_norm(x, GROUPS, m["weight"], m["bias"], epsilon)


def layer_norm(m, x):
    return F.layer_norm(x, x.shape[-1:], m["weight"], m["bias"], 1e-5)


def feed_forward(m, x):
    """GEGLU with the exact GELU: first half value, second half gate."""
    value, gate = linear(m["net"][0]["proj"], x).chunk(2, dim=-1)
    return linear(m["net"][2], value * F.gelu(gate))


def embed(m, x):
    return linear(m["linear_2"], F.silu(linear(m["linear_1"], x)))


def sinusoid(numbers, width, dtype):
    """A row for each number, cosines first; computed in float32."""
    half = width // 2
    rates = torch.exp(torch.arange(half, device=numbers.device, dtype=torch.float32) * (-math.log(10000) / half))
    angles = numbers.float()[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1).to(dtype)


def blend(m, spatial, temporal):
    alpha = torch.sigmoid(m["mix_factor"])
    return alpha * spatial + (1 - alpha) * temporal


def over_time(x):
    """[halves x frames, C, H, W] as [halves, C, frames, H, W]."""
    return x.unflatten(0, (-1, FRAMES)).transpose(1, 2)


def over_images(x):
    """The other way round."""
    return x.transpose(1, 2).flatten(0, 1)


def split_heads(x, heads):
    return x.unflatten(-1, (heads, x.shape[-1] // heads)).transpose(1, 2)


def attention(m, heads, q, k, v):
    """Scaled dot products of projected tokens, projected out."""
    attended = F.scaled_dot_product_attention(split_heads(q, heads), split_heads(k, heads), split_heads(v, heads))
    return linear(m["to_out"][0], attended.transpose(1, 2).flatten(2))


def attend(m, heads, x, source):
    """Attention of the tokens x to the tokens source."""
    return attention(m, heads, linear(m["to_q"], x), linear(m["to_k"], source), linear(m["to_v"], source))


def matching(m, heads, x):
    """Matching attention as the original has it: keys and values of all frames are projected, then frame 0's take the others' place."""
    def of_first(projected):
        return projected.unflatten(0, (-1, FRAMES))[:, :1].expand(-1, FRAMES, -1, -1).flatten(0, 1)

    return attention(m, heads, linear(m["to_q"], x), of_first(linear(m["to_k"], x)), of_first(linear(m["to_v"], x)))


def matching_saved(m, heads, x):
    """The same with frame 0 projected alone; the queries of all frames of a half go in one row, so that nothing is copied."""
    first = x[::FRAMES]
    queries = linear(m["to_q"], x).unflatten(0, (-1, FRAMES)).flatten(1, 2)
    attended = attention(m, heads, queries, linear(m["to_k"], first), linear(m["to_v"], first))
    return attended.unflatten(1, (FRAMES, x.shape[1])).flatten(0, 1)


def resnet(m, x, time, epsilon):
    """The spatial residual block, the temporal one on its output, blended."""
    spatial = residual(m["spatial_res_block"], x, linear(m["spatial_res_block"]["time_emb_proj"], F.silu(time))[:, :, None, None], conv, epsilon)
    row = linear(m["temporal_res_block"]["time_emb_proj"], F.silu(time)).unflatten(0, (-1, FRAMES)).transpose(1, 2)[..., None, None]
    stacked = over_time(spatial)
    return over_images(blend(m["time_mixer"], stacked, residual(m["temporal_res_block"], stacked, row, temporal_conv, epsilon)))


def residual(m, x, row, convolve, epsilon):
    h = convolve(m["conv1"], F.silu(group_norm(m["norm1"], x, epsilon))) + row
    h = convolve(m["conv2"], F.silu(group_norm(m["norm2"], h, epsilon)))
    return (conv(m["conv_shortcut"], x) if "conv_shortcut" in m else x) + h


def join_control(x, control, scale):
    """Control features, given x's mean and deviation over each image and pooled to its size, added."""
    over = (1, 2, 3)
    normal = (control - control.mean(over, keepdim=True)) * (x.std(over, keepdim=True) / (control.std(over, keepdim=True) + 1e-5))
    pooled = F.adaptive_avg_pool2d(normal + x.mean(over, keepdim=True), x.shape[-2:])
    return x + pooled * (scale * CONTROL_STRENGTH)[:, None, None, None]


class Call(NamedTuple):
    """What the blocks of one call read: a row of the time embedding and of CLIP for each image."""

    time: torch.Tensor
    context: torch.Tensor


class UNet:
    """
    One call makes one prediction for all images. `saved` takes the exact savings that can be had by hand: cross-attention to one token is a row, computed
    at the first call as are the rows of the frames' positions (so another context wants another UNet), and matching keys and values are frame 0's alone.
    """

    def __init__(self, weights, heads, saved, memory_format):
        self.weights, self.heads, self.saved, self.memory_format = weights, heads, saved, memory_format
        self.rows = {}

    def __call__(self, sample, timestep, context, added_ids, control, scale):
        """[halves, frames, 8, h, w], t [1], [halves, 1, D], [halves, 3], control features and their scales of each image: the prediction, 4 channels."""
        w, heads = self.weights, self.heads
        call = Call(self.time(timestep, added_ids, sample.dtype), context.repeat_interleave(FRAMES, dim=0))
        x = conv(w["conv_in"], sample.flatten(0, 1).contiguous(memory_format=self.memory_format))
        skips = [x]
        for level in range(len(heads)):
            x = self.down(w["down_blocks"][level], x, heads[level], skips, call)
            if level == 0:
                x = join_control(x, control, scale)
        x = self.middle(w["mid_block"], x, heads[-1], call)
        for block in range(len(heads)):
            x = self.up(w["up_blocks"][block], x, heads[-1 - block], skips, call)
        x = conv(w["conv_out"], F.silu(group_norm(w["conv_norm_out"], x, 1e-5)))
        return x.unflatten(0, (-1, FRAMES))

    def time(self, timestep, added_ids, dtype):
        """A row for each image: the time's embedding plus that of the added ids, each id with a sinusoid of its own."""
        embedding, added = self.weights["time_embedding"], self.weights["add_embedding"]
        halves, ids = added_ids.shape
        row = embed(embedding, sinusoid(timestep.expand(halves), embedding["linear_1"]["weight"].shape[1], dtype))
        sinusoids = sinusoid(added_ids.flatten(), added["linear_1"]["weight"].shape[1] // ids, dtype)
        return (row + embed(added, sinusoids.reshape(halves, -1))).repeat_interleave(FRAMES, dim=0)

    def down(self, m, x, heads, skips, call):
        for i in range(len(m["resnets"])):
            x = resnet(m["resnets"][i], x, call.time, 1e-6 if "attentions" in m else 1e-5)
            if "attentions" in m:
                x = self.transformer(m["attentions"][i], x, heads, call)
            skips.append(x)
        if "downsamplers" in m:
            x = conv(m["downsamplers"][0]["conv"], x, stride=2)
            skips.append(x)
        return x

    def middle(self, m, x, heads, call):
        x = resnet(m["resnets"][0], x, call.time, 1e-5)
        x = self.transformer(m["attentions"][0], x, heads, call)
        return resnet(m["resnets"][1], x, call.time, 1e-5)

    def up(self, m, x, heads, skips, call):
        for i in range(len(m["resnets"])):
            x = resnet(m["resnets"][i], torch.cat([x, skips.pop()], dim=1), call.time, 1e-6)
            if "attentions" in m:
                x = self.transformer(m["attentions"][i], x, heads, call)
        return conv(m["upsamplers"][0]["conv"], F.interpolate(x, scale_factor=2.0, mode="nearest")) if "upsamplers" in m else x

    def transformer(self, m, x, heads, call):
        """norm, proj_in, pairs of a spatial and a temporal block, blended; proj_out, + input."""
        height, width = x.shape[-2:]
        h = linear(m["proj_in"], group_norm(m["norm"], x, 1e-6).permute(0, 2, 3, 1).flatten(1, 2))
        position = self.once(m, lambda: self.positions(m["time_pos_embed"], h))
        for i in range(len(m["transformer_blocks"])):
            spatial = self.spatial(m["transformer_blocks"][i], h, heads, call)
            h = blend(m["time_mixer"], spatial, self.temporal(m["temporal_transformer_blocks"][i], spatial + position, heads, call))
        h = linear(m["proj_out"], h).unflatten(1, (height, width)).permute(0, 3, 1, 2)
        return x + h.contiguous(memory_format=self.memory_format)

    def positions(self, m, h):
        """A row for each image: the number of its frame, embedded."""
        numbers = torch.arange(FRAMES, device=h.device).repeat(h.shape[0] // FRAMES)
        return embed(m, sinusoid(numbers, h.shape[-1], h.dtype))[:, None]

    def spatial(self, m, x, heads, call):
        """Self and matching attention, cross-attention, feed-forward: within each frame."""
        tokens = layer_norm(m["norm1"], x)
        match = matching_saved if self.saved else matching
        x = attend(m["attn1"], heads, tokens, tokens) + match(m["sparse_attention"], heads, tokens) + x
        x = self.cross(m, x, heads, call.context)
        return feed_forward(m["ff"], layer_norm(m["norm3"], x)) + x

    def temporal(self, m, x, heads, call):
        """Feed-forward, attention over the frames, cross-attention, feed-forward: position by position, [halves x tokens, frames, C] inside."""
        count = x.shape[1]
        x = x.unflatten(0, (-1, FRAMES)).transpose(1, 2).flatten(0, 1)
        x = feed_forward(m["ff_in"], layer_norm(m["norm_in"], x)) + x
        tokens = layer_norm(m["norm1"], x)
        x = attend(m["attn1"], heads, tokens, tokens) + x
        x = self.cross(m, x, heads, call.context[::FRAMES])
        x = feed_forward(m["ff"], layer_norm(m["norm3"], x)) + x
        return x.unflatten(0, (-1, count)).transpose(1, 2).flatten(0, 1)

    def cross(self, m, x, heads, context):
        """x plus its attention to one token of context [r, 1, D]; r divides x's entries."""
        attn, entries = m["attn2"], x.shape[0] // context.shape[0]
        if self.saved:
            row = self.once(m, lambda: linear(attn["to_out"][0], linear(attn["to_v"], context)))
            return (x.unflatten(0, (-1, entries)) + row[:, None]).flatten(0, 1)
        # The original gives every position a context of its own, and projects each.
        source = context[:, None].expand(-1, entries, -1, -1).flatten(0, 1)
        return attend(attn, heads, layer_norm(m["norm2"], x), source) + x

    def once(self, module, make):
        """What a module makes: at the first call alone where savings are taken, at every one otherwise."""
        if not self.saved:
            return make()
        if id(module) not in self.rows:
            self.rows[id(module)] = make()
        return self.rows[id(module)]
