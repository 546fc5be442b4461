using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>One set of heads.</summary>
internal struct AttentionSet
{
    /// <summary>Queries.</summary>
    public Elements Query;

    /// <summary>Keys.</summary>
    public Elements Key;

    /// <summary>Values.</summary>
    public Elements Value;

    /// <summary>Channels of a position in the queries' memory.</summary>
    public int QueryStride;

    /// <summary>The same for the keys.</summary>
    public int KeyStride;

    /// <summary>The same for the values.</summary>
    public int ValueStride;

    /// <summary>First channel of the queries.</summary>
    public int QueryFirst;

    /// <summary>The same for the keys.</summary>
    public int KeyFirst;

    /// <summary>The same for the values.</summary>
    public int ValueFirst;

    /// <summary>Images of keys and values.</summary>
    public int KeyImages;

    /// <summary>Keys of an image.</summary>
    public int Keys;
}

/// <summary>Attention as a whole.</summary>
internal struct AttentionArguments
{
    /// <summary>The first set of heads.</summary>
    public AttentionSet Self;

    /// <summary>The matching heads; the first set again when there are none.</summary>
    public AttentionSet Matching;

    /// <summary>Where results go.</summary>
    public Elements Output;

    /// <summary>Channels of a position of the output.</summary>
    public int OutputStride;

    /// <summary>Images.</summary>
    public int Images;

    /// <summary>Queries of an image.</summary>
    public int Tokens;

    /// <summary>Heads of a set.</summary>
    public int Heads;

    /// <summary>Channels of a head.</summary>
    public int HeadDim;

    /// <summary>Parts of 64 channels that a head is cut into.</summary>
    public int Parts;

    /// <summary>1/√head channels.</summary>
    public float Scale;
}

/// <summary>
/// Softmax attention in one pass over the keys, the greatest score and the sum kept up as keys go by. A group of 256 threads makes 64 queries by
/// 64 channels of a head; wider heads are cut into parts of 64 channels, each of which makes the scores again. Both sets of heads run in one launch.
/// </summary>
internal static class AttentionKernel
{
    /// <summary>Queries of a group.</summary>
    public const int Queries = 64;

    /// <summary>Channels of a group.</summary>
    public const int Channels = 64;

    /// <summary>Threads of a group.</summary>
    public const int Threads = 256;

    const int Keys = 32;
    const int Pitch = Channels + 1;
    const int ScorePitch = Keys + 1;

    /// <summary>The entry point. Grid: blocks of queries, images·heads, sets·parts.</summary>
    [DeviceKernel]
    public static void Attend(AttentionArguments arguments)
    {
        var query = SharedMemory.Allocate<float>(Queries * Pitch);
        var key = SharedMemory.Allocate<float>(Keys * Pitch);
        var value = SharedMemory.Allocate<float>(Keys * Channels);
        var scores = SharedMemory.Allocate<float>(Queries * ScorePitch);
        var partial = SharedMemory.Allocate<float>(Threads);
        var rescale = SharedMemory.Allocate<float>(Queries);
        var thread = Group.IdxX;
        var (across, down) = (thread % 16, thread / 16);
        var (scoreRow, quarter) = (thread / 4, thread % 4);

        var dim = arguments.HeadDim;
        var image = Grid.IdxY / arguments.Heads;
        var head = Grid.IdxY % arguments.Heads;
        var part = Grid.IdxZ % arguments.Parts;
        var second = Grid.IdxZ >= arguments.Parts;
        var set = second ? arguments.Matching : arguments.Self;
        var keyImage = image * set.KeyImages / arguments.Images;
        var firstToken = Grid.IdxX * Queries;
        var queryBase = (image * arguments.Tokens * set.QueryStride) + set.QueryFirst + (head * dim);
        var keyBase = (keyImage * set.Keys * set.KeyStride) + set.KeyFirst + (head * dim);
        var valueBase = (keyImage * set.Keys * set.ValueStride) + set.ValueFirst + (head * dim);

        var out0 = default(Quad);
        var out1 = default(Quad);
        var out2 = default(Quad);
        var out3 = default(Quad);
        var largest = float.NegativeInfinity;
        var total = 0f;
        for (var firstKey = 0; firstKey < set.Keys; firstKey += Keys)
        {
            var left0 = default(Quad);
            var left1 = default(Quad);
            for (var chunk = 0; chunk < arguments.Parts; chunk++)
            {
                var firstChannel = chunk * Channels;
                var here = dim - firstChannel < Channels ? dim - firstChannel : Channels;
                if (arguments.Parts > 1 || firstKey == 0)
                {
                    for (var i = thread; i < Queries * Channels; i += Threads)
                    {
                        var (row, c) = (i / Channels, i % Channels);
                        query[(row * Pitch) + c] = c < here && firstToken + row < arguments.Tokens
                            ? set.Query[queryBase + ((firstToken + row) * set.QueryStride) + firstChannel + c]
                            : 0;
                    }
                }

                for (var i = thread; i < Keys * Channels; i += Threads)
                {
                    var (row, c) = (i / Channels, i % Channels);
                    var inside = firstKey + row < set.Keys;
                    key[(row * Pitch) + c] = c < here && inside
                        ? set.Key[keyBase + ((firstKey + row) * set.KeyStride) + firstChannel + c]
                        : 0;
                    if (chunk == part)
                    {
                        value[i] = c < here && inside
                            ? set.Value[valueBase + ((firstKey + row) * set.ValueStride) + firstChannel + c]
                            : 0;
                    }
                }

                Group.Barrier();
                for (var d = 0; d < here; d++)
                {
                    var (k0, k1) = (key[(across * Pitch) + d], key[((across + 16) * Pitch) + d]);
                    var q = (down * Pitch) + d;
                    var rows = new Quad(query[q], query[q + (16 * Pitch)], query[q + (32 * Pitch)], query[q + (48 * Pitch)]);
                    left0 = left0.Plus(k0, rows);
                    left1 = left1.Plus(k1, rows);
                }

                Group.Barrier();
            }

            var at = (down * ScorePitch) + across;
            left0 = left0.Times(arguments.Scale);
            left1 = left1.Times(arguments.Scale);
            scores[at] = left0.X;
            scores[at + 16] = left1.X;
            scores[at + (16 * ScorePitch)] = left0.Y;
            scores[at + (16 * ScorePitch) + 16] = left1.Y;
            scores[at + (32 * ScorePitch)] = left0.Z;
            scores[at + (32 * ScorePitch) + 16] = left1.Z;
            scores[at + (48 * ScorePitch)] = left0.W;
            scores[at + (48 * ScorePitch) + 16] = left1.W;
            Group.Barrier();

            // Four threads a query, eight keys each.
            var left = set.Keys - firstKey - (quarter * 8);
            var count = left < 8 ? left : 8;
            var mine = (scoreRow * ScorePitch) + (quarter * 8);
            var greatest = float.NegativeInfinity;
            for (var i = 0; i < count; i++)
            {
                var score = scores[mine + i];
                greatest = score > greatest ? score : greatest;
            }

            partial[thread] = greatest;
            Group.Barrier();
            var before = largest;
            for (var i = 0; i < 4; i++)
            {
                var other = partial[(scoreRow * 4) + i];
                largest = other > largest ? other : largest;
            }

            var factor = MathF.Exp(before - largest);
            total *= factor;
            for (var i = 0; i < 8; i++)
            {
                var weight = i < count ? MathF.Exp(scores[mine + i] - largest) : 0;
                scores[mine + i] = weight;
                total += weight;
            }

            if (quarter == 0)
            {
                rescale[scoreRow] = factor;
            }

            Group.Barrier();
            out0 = out0.Times(rescale[down]);
            out1 = out1.Times(rescale[down + 16]);
            out2 = out2.Times(rescale[down + 32]);
            out3 = out3.Times(rescale[down + 48]);
            for (var k = 0; k < Keys; k++)
            {
                var line = (k * Channels) + across;
                var v = new Quad(value[line], value[line + 16], value[line + 32], value[line + 48]);
                var s = (down * ScorePitch) + k;
                out0 = out0.Plus(scores[s], v);
                out1 = out1.Plus(scores[s + (16 * ScorePitch)], v);
                out2 = out2.Plus(scores[s + (32 * ScorePitch)], v);
                out3 = out3.Plus(scores[s + (48 * ScorePitch)], v);
            }

            Group.Barrier();
        }

        partial[thread] = total;
        Group.Barrier();
        var firstOut = (part * Channels) + across;
        var channel = (second ? arguments.Heads * dim : 0) + (head * dim) + firstOut;
        var position = (image * arguments.Tokens) + firstToken + down;
        Store(arguments, firstToken + down, position, channel, dim - firstOut, out0.Times(Share(partial, down)));
        Store(arguments, firstToken + down + 16, position + 16, channel, dim - firstOut, out1.Times(Share(partial, down + 16)));
        Store(arguments, firstToken + down + 32, position + 32, channel, dim - firstOut, out2.Times(Share(partial, down + 32)));
        Store(arguments, firstToken + down + 48, position + 48, channel, dim - firstOut, out3.Times(Share(partial, down + 48)));
    }

    static float Share(ArrayView<float> partial, int row) =>
        1 / (partial[row * 4] + partial[(row * 4) + 1] + partial[(row * 4) + 2] + partial[(row * 4) + 3]);

    static void Store(AttentionArguments arguments, int token, int position, int channel, int left, Quad values)
    {
        if (token >= arguments.Tokens)
        {
            return;
        }

        var at = (position * arguments.OutputStride) + channel;
        if (left > 0)
        {
            arguments.Output[at] = values.X;
        }

        if (left > 16)
        {
            arguments.Output[at + 16] = values.Y;
        }

        if (left > 32)
        {
            arguments.Output[at + 32] = values.Z;
        }

        if (left > 48)
        {
            arguments.Output[at + 48] = values.W;
        }
    }
}
