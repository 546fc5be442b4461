using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <content>Attention with one head too wide for a block of its own, as products with a softmax between: see kernels/attention_wide.cu.</content>
internal sealed partial class LaunchList
{
    /// <summary>Below it two products would be mostly padding.</summary>
    const int FewestWideTokens = 64;

    /// <summary>Inputs of a packed operand come in so many: the step of the products.</summary>
    const int PackedInputs = 32;

    /// <summary>Side of the tile that is transposed.</summary>
    const int TransposeTile = 64;

    /// <summary>Probabilities are kept as multiples of 1 over it: the largest power of two that is a float16.</summary>
    const float ProbabilityUnit = 1 << 15;

    /// <summary>Scratch memory of one attention: byte offsets of its operands, query rows taken at a time, and keys with their padding.</summary>
    readonly record struct WideLayout(ulong Values, ulong Queries, ulong Scores, ulong Probabilities, long Bytes, int Rows, int Keys, int KeyInputs, int Outputs);

    /// <summary>Heads beyond the widest of <c>attention_flash.cu</c>: one, in halves, no matching set, tokens enough.</summary>
    bool IsWide(AttentionOp op) =>
        !tuning.Naive && op is { Heads: 1, Matching: null } && op.HeadDim > s_flashWidths[^1] && op.HeadDim % Wide == 0 && Flash(op.Self)
        && op.Output.Shape.Tokens >= FewestWideTokens && op.Self.Key.Value.Shape.Tokens >= FewestWideTokens;

    void WideAttention(AttentionOp op)
    {
        var (images, tokens, keyImages) = (op.Output.Shape.Images, op.Output.Shape.Tokens, op.Self.Key.Value.Shape.Images);
        var layout = LayoutOf(op);
        ScratchBytes = Math.Max(ScratchBytes, layout.Bytes);
        var packed = -1;
        for (var image = 0; image < images; image++)
        {
            var keyImage = (int)((long)image * keyImages / images);
            if (keyImage != packed)
            {
                PackKeysAndValues(op, layout, keyImage);
                packed = keyImage;
            }

            for (var first = 0; first < tokens; first += layout.Rows)
            {
                AttendRows(op, layout, image, first, Math.Min(layout.Rows, tokens - first));
            }
        }
    }

    /// <summary>Operands side by side; as many query rows as leave the whole within the limit, but at least one tile of them.</summary>
    WideLayout LayoutOf(AttentionOp op)
    {
        var (tokens, width) = (op.Output.Shape.Tokens, op.HeadDim);
        var (keys, keyInputs, outputs) = (Padded(op.Self.Key.Value.Shape.Tokens, LargeTile), Padded(width, PackedInputs), Padded(width, LargeTile));
        long values = (long)keys * keyInputs * 2, queries = values + ((long)outputs * keys * 2);
        long queryRow = IsDense(op.Self.Query, width) ? 0 : width * 2, row = queryRow + (keys * (sizeof(float) + 2L));
        var most = (int)Math.Clamp((tuning.WideScratch - queries) / row / LargeTile, 1, Blocks(tokens, LargeTile)) * LargeTile;
        // Chunks of like size.
        var rows = Padded((int)Blocks(tokens, (int)Blocks(tokens, most)), LargeTile);
        long scores = queries + (queryRow * rows), probabilities = scores + ((long)rows * keys * sizeof(float));
        return new WideLayout((ulong)values, (ulong)queries, (ulong)scores, (ulong)probabilities, queries + (row * rows), rows, keys, keyInputs, outputs);
    }

    void PackKeysAndValues(AttentionOp op, WideLayout layout, int image)
    {
        var (key, value) = (op.Self.Key, op.Self.Value);
        Pack(key, image, 0, key.Value.Shape.Tokens, op.HeadDim, 0, layout.Keys, layout.KeyInputs);
        Add("wide_transpose", (layout.Keys / TransposeTile, layout.Outputs / TransposeTile, 1), BlockThreads, TransposeTile * TransposeTile * 2, places => new WidePackArgs
        {
            From = places.From(value, Position(value.Value, image, 0)).Data, To = places.Scratch + layout.Values, Rows = value.Value.Shape.Tokens, Columns = op.HeadDim,
            Stride = value.Value.Shape.Channels, ToRows = layout.Outputs, ToColumns = layout.Keys,
        });
    }

    /// <summary>Some rows of one image: scores of all keys, their softmax, and the sum of values.</summary>
    void AttendRows(AttentionOp op, WideLayout layout, int image, int first, int rows)
    {
        var (query, width) = (op.Self.Query, op.HeadDim);
        var dense = IsDense(query, width);
        if (!dense)
        {
            Pack(query, image, first, rows, width, layout.Queries, rows, width);
        }

        var scores = RowsBy(rows, width, layout.Keys, layout.KeyInputs) with { Scale = (float)(Log2E / Math.Sqrt(width)) };
        LinearProduct(scores, places => scores with
        {
            First = dense ? places.From(query, Position(query.Value, image, first)) : new View { Data = places.Scratch + layout.Queries, Half = 1 },
            Weight = places.Scratch, Out = new View { Data = places.Scratch + layout.Scores },
        });
        var held = layout.Keys <= tuning.HeldWideRow;
        Add(held ? "wide_softmax" : "wide_softmax_long", (rows, 1, 1), BlockThreads, ((held ? layout.Keys : 0) + (BlockThreads / 32)) * sizeof(float), places => new WideSoftmaxArgs
        {
            Scores = places.Scratch + layout.Scores, Probabilities = places.Scratch + layout.Probabilities,
            Keys = op.Self.Key.Value.Shape.Tokens, Padded = layout.Keys, Unit = ProbabilityUnit,
        });
        var sums = RowsBy(rows, layout.Keys, width, layout.Keys) with { Scale = 1 / ProbabilityUnit };
        LinearProduct(sums, places => sums with
        {
            First = new View { Data = places.Scratch + layout.Probabilities, Half = 1 },
            Weight = places.Scratch + layout.Values, Out = places.From(new Channels(op.Output), Position(op.Output, image, first)),
        });
    }

    void Pack(Channels from, int image, int first, int rows, int columns, ulong to, int toRows, int toColumns) =>
        Add("wide_pack", (Blocks((long)toRows * toColumns / Wide, BlockThreads), 1, 1), BlockThreads, 0, places => new WidePackArgs
        {
            From = places.From(from, Position(from.Value, image, first)).Data, To = places.Scratch + to, Rows = rows, Columns = columns,
            Stride = from.Value.Shape.Channels, ToRows = toRows, ToColumns = toColumns,
        });

    /// <summary>A linear map of dense rows by a packed matrix.</summary>
    static ProductArgs RowsBy(int rows, int inputs, int outputs, int packedInputs) => new()
    {
        M = rows, Tokens = rows, Images = 1, ImageStride = 1, N = outputs, OutChannels = outputs, K = inputs, Channels0 = inputs, KPadded = packedInputs,
    };

    /// <summary>A position of one image among those of all.</summary>
    static long Position(Value value, int image, int token) => ((long)image * value.Shape.Tokens) + token;

    /// <summary>Whether a product can read the rows where they lie.</summary>
    static bool IsDense(Channels part, int width) => part.Value.Shape.Channels == width;

    static int Padded(int count, int to) => (int)Blocks(count, to) * to;
}
