using System.Numerics.Tensors;
using FramePainter.Backends.Cpu;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Backends;

/// <summary>
/// Attention in bfloat16 against double loops over the rounded queries, keys and values. What is left is the rounding of probabilities, each by at most
/// 2⁻⁸ of itself: it moves an output by no more than 2⁻⁸·Σ p·|v − output|, and in the mean square by no more than 2⁻¹⁶/3·Σ p²·(v − output)².
/// </summary>
public sealed class BrainAttentionTests
{
    const double Unit = 1.0 / (1 << 8);
    const double Float32 = 3e-6;

    public static TheoryData<BrainKind> Kernels => [BrainKind.Vectors, BrainKind.Matrices];

    public static TheoryData<int, int, int, int, int, int, BrainKind> Sizes
    {
        get
        {
            var data = new TheoryData<int, int, int, int, int, int, BrainKind>();
            foreach (BrainKind kind in Kernels)
            {
                // Images, queries, keys, heads, head width, key images: tails of keys of each kind, odd numbers of them, more than one tile of keys, one block and several.
                foreach (var (images, queries, keys, heads, dim, keyImages) in new[]
                {
                    (2, 65, 65, 3, 64, 2), (4, 1, 1, 1, 64, 2), (2, 37, 48, 2, 2, 1), (2, 300, 300, 1, 8, 2), (1, 33, 31, 2, 16, 1), (2, 70, 270, 2, 40, 1), (1, 97, 257, 2, 80, 1),
                    (2, 30, 529, 1, 160, 1), (1, 29, 129, 1, 512, 1), (1, 15, 40, 1, 640, 1), (1, 530, 64, 1, 66, 1), (1, 600, 17, 1, 64, 1), (4, 3, 500, 2, 12, 2), (4, 500, 3, 2, 12, 2),
                })
                {
                    data.Add(images, queries, keys, heads, dim, keyImages, kind);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Attention_with_and_without_matching_heads(int images, int queries, int keys, int heads, int dim, int keyImages, BrainKind kind)
    {
        foreach (var matched in new[] { false, true })
        {
            var h = Harness(keys, kind);
            var width = heads * dim;
            var (query, keyAndValue) = (h.Input(images, queries, width + 5), h.Input(images, keys, (2 * width) + 3));
            var (other, second) = (h.Input(images, queries, width), h.Input(keyImages, keys, 2 * width));
            var self = new Qkv(new Channels(query, 5), new Channels(keyAndValue, 1), new Channels(keyAndValue, width + 3));
            Qkv? matching = matched ? new Qkv(new Channels(other), new Channels(second), new Channels(second, width)) : null;
            var expected = new Expected(h, self, heads, dim);
            var behind = matching is { } set ? new Expected(h, set, heads, dim) : null;
            foreach (var (_, result) in h.Run(h.Graph.Attention(self, heads, dim, matching)))
            {
                var stride = matched ? 2 * width : width;
                expected.Check([.. Enumerable.Range(0, images * queries * width).Select(i => result[(i / width * stride) + (i % width)])]);
                behind?.Check([.. Enumerable.Range(0, images * queries * width).Select(i => result[(i / width * stride) + (i % width) + width])]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Values_that_are_all_alike_come_out_as_they_are(BrainKind kind)
    {
        var h = Harness(1, kind);
        var (q, k) = (h.Input(1, 90, 64), h.Input(1, 333, 64));
        var v = h.Input([.. Enumerable.Repeat(1.5f, 333 * 64)], 1, 333, 64);
        foreach (var (_, result) in h.Run(h.Graph.Attention(new Qkv(new Channels(q), new Channels(k), new Channels(v)), 1, 64)))
        {
            OpHarness.Close(_ => 1.5, result, 1e-6, "alike");
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Huge_scores_neither_overflow_nor_lose_the_greatest(BrainKind kind)
    {
        var h = Harness(3, kind);
        var (q, k, v) = (h.Input(h.Normal(60 * 16, 0, 1e8), 1, 60, 16), h.Input(h.Normal(270 * 16, 0, 1e8), 1, 270, 16), h.Input(1, 270, 16));
        var set = new Qkv(new Channels(q), new Channels(k), new Channels(v));
        var expected = new Expected(h, set, 1, 16);
        foreach (var (_, result) in h.Run(h.Graph.Attention(set, 1, 16)))
        {
            expected.Check(result);
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Widths_that_do_not_come_in_pairs_stay_float32(BrainKind kind)
    {
        foreach (var (dim, rounded) in new[] { (7, false), (8, true), (642, true) })
        {
            var h = Harness(dim, kind);
            var q = h.Input(1, 20, dim);
            var exact = new OpHarness(dim);
            var same = exact.Input(1, 20, dim);
            var set = new Qkv(new Channels(q), new Channels(q), new Channels(q));
            var plain = new Qkv(new Channels(same), new Channels(same), new Channels(same));
            var got = h.Run(h.Graph.Attention(set, 1, dim)).First().Result;
            var float32 = exact.Run(exact.Graph.Attention(plain, 1, dim)).Last().Result;
            Assert.Equal(rounded, !got.AsSpan().SequenceEqual(float32));
        }
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void NaN_and_infinity_go_where_a_softmax_takes_them(BrainKind kind)
    {
        // An odd number of keys: behind the last one's row of values lies the next image's first.
        var h = Harness(4, kind);
        var (q, k, v) = (h.Input(2, 20, 16), h.Input(2, 301, 16), h.Input(2, 301, 16));
        h[q, (5 * 16) + 2] = float.NaN;
        h[k, (7 * 16) + 9] = float.NaN;
        h[v, (300 * 16) + 1] = float.PositiveInfinity;
        h[v, (301 * 16) + 3] = float.NaN;
        foreach (var (_, result) in h.Run(h.Graph.Attention(new Qkv(new Channels(q), new Channels(k), new Channels(v)), 2, 8)))
        {
            for (var i = 0; i < result.Length; i++)
            {
                // A query spoils its own row of its head, a key all rows of its head, a value its channel: each in its image alone.
                var (row, channel) = Math.DivRem(i, 16);
                var spoilt = row < 20 ? channel >= 8 || row == 5 : channel == 3;
                var fits = spoilt ? float.IsNaN(result[i]) : row < 20 && channel == 1 ? float.IsPositiveInfinity(result[i]) : float.IsFinite(result[i]);
                Assert.True(fits, $"row {row}, channel {channel}: {result[i]}");
            }
        }
    }

    /// <summary>As a float, the word of a pair whose second number is infinite and whose first is not zero is a signalling NaN.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void A_key_that_is_infinitely_far_counts_nothing_and_spoils_nothing(BrainKind kind)
    {
        var h = Harness(6, kind);
        var (q, k, v) = (h.Input(1, 40, 64), h.Input(1, 70, 64), h.Input(1, 70, 64));
        for (var row = 0; row < 40; row++)
        {
            h[q, (row * 64) + 33] = -1 - MathF.Abs(h[q, (row * 64) + 33]);
        }

        h[k, (9 * 64) + 33] = float.PositiveInfinity;
        h[v, (9 * 64) + 5] = 1e30f;
        foreach (var (_, result) in h.Run(h.Graph.Attention(new Qkv(new Channels(q), new Channels(k), new Channels(v)), 1, 64)))
        {
            Assert.All(result, x => Assert.InRange(x, -10, 10));
        }
    }

    /// <summary>Behind the odd last of three keys the scratch still holds the self heads' values, one of which is no number.</summary>
    [Theory]
    [MemberData(nameof(Kernels))]
    public void What_was_in_the_scratch_before_counts_nothing(BrainKind kind)
    {
        var h = Harness(8, kind);
        var (q, k, v) = (h.Input(1, 20, 16), h.Input(1, 65, 16), h.Input(1, 65, 16));
        var (other, few) = (h.Input(1, 20, 16), h.Input(1, 3, 32));
        foreach (var row in new[] { 3, 35 })
        {
            h[v, (row * 16) + 7] = float.NaN;
        }

        var matching = new Qkv(new Channels(other), new Channels(few), new Channels(few, 16));
        foreach (var (_, result) in h.Run(h.Graph.Attention(new Qkv(new Channels(q), new Channels(k), new Channels(v)), 1, 16, matching)))
        {
            Assert.All(Enumerable.Range(0, 20 * 16), i => Assert.True(float.IsFinite(result[(i / 16 * 32) + 16 + (i % 16)])));
        }
    }

    // AMX has tiles of one form.
    static OpHarness Harness(int seed, BrainKind kind)
    {
        var numbers = new CpuNumbers(Precision.BFloat16) { Support = BrainKinds.Support(kind) };
        return new OpHarness(seed) { Numbers = kind == BrainKind.Vectors ? [numbers with { Tiles = TileForm.OnePanel }, numbers with { Tiles = TileForm.TwoPanels }] : [numbers] };
    }

    /// <summary>What double loops say of the rounded numbers, and how far the rounding of probabilities may move it.</summary>
    sealed class Expected
    {
        readonly double[] _values;
        readonly double[] _most;
        readonly double _meanSquare;

        public Expected(OpHarness h, Qkv set, int heads, int dim)
        {
            var (q, k) = (set.Query.Value.Shape, set.Key.Value.Shape);
            var scale = (float)(1 / (Math.Sqrt(dim) * Math.Log(2)));
            var (queries, keys, values) = (Rounded(h, set.Query, heads * dim, scale), Rounded(h, set.Key, heads * dim, 1), Rounded(h, set.Value, heads * dim, 1));
            (_values, _most) = (new double[q.Images * q.Tokens * heads * dim], new double[q.Images * q.Tokens * heads * dim]);
            var weights = new double[k.Tokens];
            for (var at = 0; at < _values.Length; at += dim)
            {
                var (row, channel) = Math.DivRem(at, heads * dim);
                var first = row / q.Tokens * k.Images / q.Images * k.Tokens;
                for (var key = 0; key < k.Tokens; key++)
                {
                    weights[key] = TensorPrimitives.Dot<double>(queries[row].AsSpan(channel, dim), keys[first + key].AsSpan(channel, dim));
                }

                var largest = weights.Max();
                var sum = weights.Sum(w => Math.Pow(2, w - largest));
                for (var key = 0; key < k.Tokens; key++)
                {
                    weights[key] = Math.Pow(2, weights[key] - largest) / sum;
                    TensorPrimitives.MultiplyAdd(values[first + key].AsSpan(channel, dim), weights[key], _values.AsSpan(at, dim), _values.AsSpan(at, dim));
                }

                for (var key = 0; key < k.Tokens; key++)
                {
                    for (var c = 0; c < dim; c++)
                    {
                        var moves = weights[key] * Math.Abs(values[first + key][channel + c] - _values[at + c]);
                        _most[at + c] += Unit / (1 - Unit) * moves;
                        _meanSquare += Unit * Unit / 3 * moves * moves;
                    }
                }
            }
        }

        public void Check(float[] result)
        {
            Assert.Equal(_values.Length, result.Length);
            double error = 0, float32 = 0;
            for (var i = 0; i < result.Length; i++)
            {
                var bound = _most[i] + (Float32 * (1 + Math.Abs(_values[i])));
                Assert.True(Math.Abs(result[i] - _values[i]) <= bound, $"element {i}: expected {_values[i]:R}, found {result[i]:R}, bound {bound:E2}");
                error += (result[i] - _values[i]) * (result[i] - _values[i]);
                float32 += Math.Pow(Float32 * (1 + Math.Abs(_values[i])), 2);
            }

            Assert.True(error <= _meanSquare + float32, $"root mean square {Math.Sqrt(error / result.Length):E2}, bound {Math.Sqrt((_meanSquare + float32) / result.Length):E2}");
        }

        static double[][] Rounded(OpHarness h, Channels channels, int count, float factor)
        {
            var (stride, data) = (channels.Value.Shape.Channels, h.Data(channels.Value));
            return [.. Enumerable.Range(0, data.Length / stride).Select(row => Enumerable.Range((row * stride) + channels.FirstChannel, count)
                .Select(i => (double)BitConverter.UInt32BitsToSingle((uint)HalfConversion.NarrowBF16(data[i] * factor) << 16)).ToArray())];
        }
    }
}
