using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

internal sealed partial class LaunchList
{
    const int QueryTile = 64;
    const int AttentionThreads = 128;
    const int Warps = AttentionThreads / 32;
    const int WidestHead = 512;
    const int WarpScratch = (WidestHead + 32) * sizeof(float);
    const double Log2E = 1.44269504088896340736;

    static readonly int[] s_flashWidths = [16, 32, 64, 80, 128];

    void Attention(AttentionOp op)
    {
        if (IsWide(op))
        {
            WideAttention(op);
            return;
        }

        RequireWidth(op.HeadDim, op.Name);
        if (HopperAttention(op))
        {
            return;
        }

        var shape = op.Output.Shape;
        var sets = op.Matching is null ? 1 : 2;
        var jobs = (long)shape.Images * op.Heads;
        AttentionArgs Arguments(ValuePlaces places) => Common(op.Output, op.Heads, op.HeadDim, shape.Images, shape.Tokens, places) with
        {
            Self = Set(op.Self, places), Matching = op.Matching is { } matching ? Set(matching, places) : default,
        };

        var width = tuning.Naive || !Flash(op.Self) || (op.Matching is { } second && !Flash(second)) ? 0 : s_flashWidths.FirstOrDefault(w => w >= op.HeadDim);
        if (op.HeadDim % Wide == 0 && width > 0)
        {
            // Queries, and two stages of keys and values; rows padded by 8.
            var shared = 5 * QueryTile * (width + 8) * 2;
            Add($"attention_{width}", (Blocks(shape.Tokens, QueryTile), jobs, sets), AttentionThreads, shared, Arguments);
        }
        else
        {
            Add("attention_any", (Blocks(shape.Tokens, Warps), jobs, sets), AttentionThreads, Warps * WarpScratch, Arguments);
        }
    }

    void Probabilities(AttentionProbabilitiesOp op)
    {
        RequireWidth(op.HeadDim, op.Name);
        var query = op.Query.Value.Shape;
        Add("attention_probabilities", (Blocks(query.Tokens, Warps), (long)query.Images * op.Heads, 1), AttentionThreads, Warps * WarpScratch, places =>
            Common(op.Output, op.Heads, op.HeadDim, query.Images, query.Tokens, places) with { Self = Set(new Qkv(op.Query, op.Key, op.Key), places) });
    }

    void TemporalAttention(TemporalAttentionOp op)
    {
        var shape = op.Output.Shape;
        Add("temporal_attention", (Blocks((long)shape.Images * shape.Tokens * op.Heads, Warps), 1, 1), AttentionThreads, 0, places =>
            Common(op.Output, op.Heads, op.HeadDim, shape.Images, shape.Tokens, places) with { Self = Set(op.Input, places) });
    }

    /// <summary>Tensor cores read sixteen bytes at a time: halves, at channels and strides of eight.</summary>
    bool Flash(Qkv set) => Eights(set.Query) && Eights(set.Key) && Eights(set.Value);

    bool Eights(Channels part) => InEights(part.Value) && part.FirstChannel % Wide == 0;

    static void RequireWidth(int headDim, string name)
    {
        if (headDim > WidestHead)
        {
            throw new PlanException($"Attention '{name}' has heads of {headDim} channels; the CUDA kernels take up to {WidestHead}.");
        }
    }

    static AttentionArgs Common(Value output, int heads, int headDim, int images, int tokens, ValuePlaces places) => new()
    {
        Out = places[output], Images = images, Tokens = tokens, Heads = heads, HeadDim = headDim, OutChannels = output.Shape.Channels,
        ScaleLog2 = (float)(Log2E / Math.Sqrt(headDim)),
    };

    static AttentionSet Set(Qkv set, ValuePlaces places) => new()
    {
        Query = places.From(set.Query), Key = places.From(set.Key), Value = places.From(set.Value),
        QueryStride = set.Query.Value.Shape.Channels, KeyStride = set.Key.Value.Shape.Channels, ValueStride = set.Value.Value.Shape.Channels,
        Keys = set.Key.Value.Shape.Tokens, KeyImages = set.Key.Value.Shape.Images,
    };
}
