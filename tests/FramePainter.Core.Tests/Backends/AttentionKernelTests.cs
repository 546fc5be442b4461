using FramePainter.Graphs;

namespace FramePainter.Core.Tests.Backends;

public sealed class AttentionKernelTests
{
    [Theory]
    [InlineData(2, 65, 3, 64, 2)]
    [InlineData(4, 1, 1, 64, 2)]
    [InlineData(2, 37, 2, 1, 1)]
    [InlineData(2, 300, 1, 8, 2)]
    [InlineData(1, 33, 2, 16, 1)]
    [InlineData(2, 270, 2, 40, 1)]
    [InlineData(1, 97, 2, 80, 1)]
    [InlineData(2, 130, 1, 160, 1)]
    [InlineData(1, 129, 1, 512, 1)]
    [InlineData(1, 530, 1, 67, 1)]
    public void Attention_with_and_without_matching_heads(int images, int tokens, int heads, int dim, int keyImages)
    {
        foreach (var matched in new[] { false, true })
        {
            var h = new OpHarness(1);
            var width = heads * dim;
            var fused = h.Input(images, tokens, (3 * width) + 5);
            var second = h.Input(keyImages, tokens, 2 * width);
            var query = h.Input(images, tokens, width);
            var self = new Qkv(new Channels(fused, 3), new Channels(fused, width + 3), new Channels(fused, (2 * width) + 5));
            Qkv? matching = matched ? new Qkv(new Channels(query), new Channels(second), new Channels(second, width)) : null;
            var output = h.Graph.Attention(self, heads, dim, matching);
            var expected = Expected(h, self, heads, dim);
            var behind = matching is { } set ? Expected(h, set, heads, dim) : null;
            foreach (var (path, result) in h.Run(output))
            {
                var stride = matched ? 2 * width : width;
                OpHarness.Close(i => i % stride < width ? expected[(i / stride * width) + (i % stride)] : behind![(i / stride * width) + (i % stride) - width], result, 3e-6, $"{path} {matched}");
            }
        }
    }

    [Theory]
    [InlineData(3, 500)]
    [InlineData(500, 3)]
    [InlineData(1, 1000)]
    public void Keys_and_queries_may_differ_in_number(int queries, int keys)
    {
        var h = new OpHarness(2);
        var (q, k) = (h.Input(4, queries, 24), h.Input(2, keys, 24));
        var v = h.Input(2, keys, 24);
        var set = new Qkv(new Channels(q), new Channels(k), new Channels(v));
        var expected = Expected(h, set, 2, 12);
        foreach (var (path, result) in h.Run(h.Graph.Attention(set, 2, 12)))
        {
            OpHarness.Close(i => expected[i], result, 3e-6, $"{path}");
        }
    }

    [Fact]
    public void Large_scores_neither_overflow_nor_lose_the_greatest()
    {
        var h = new OpHarness(3);
        var q = h.Input(h.Normal(600 * 16, 0, 30), 1, 600, 16);
        var v = h.Input(1, 600, 16);
        var set = new Qkv(new Channels(q), new Channels(q), new Channels(v));
        var expected = Expected(h, set, 1, 16);
        foreach (var (path, result) in h.Run(h.Graph.Attention(set, 1, 16)))
        {
            // Scores reach 4000, whose last place in float is 2.4e-4: that much of a probability may go astray.
            OpHarness.Close(i => expected[i], result, 2e-3, $"{path}");
        }
    }

    [Fact]
    public void NaN_and_infinity_go_where_a_softmax_takes_them()
    {
        var h = new OpHarness(4);
        var (q, k, v) = (h.Input(1, 20, 8), h.Input(1, 300, 8), h.Input(1, 300, 8));
        h[q, (5 * 8) + 2] = float.NaN;
        h[v, (299 * 8) + 1] = float.PositiveInfinity;
        var set = new Qkv(new Channels(q), new Channels(k), new Channels(v));
        foreach (var (path, result) in h.Run(h.Graph.Attention(set, 1, 8)))
        {
            for (var i = 0; i < result.Length; i++)
            {
                var kind = i / 8 == 5 ? double.NaN : i % 8 == 1 ? double.PositiveInfinity : 0;
                Assert.True(double.IsNaN(kind) ? float.IsNaN(result[i]) : kind > 0 ? float.IsPositiveInfinity(result[i]) : float.IsFinite(result[i]), $"{path} {i}");
            }
        }
    }

    [Fact]
    public void A_NaN_key_spoils_every_query_of_its_head_alone()
    {
        var h = new OpHarness(5);
        var (q, k, v) = (h.Input(1, 31, 16), h.Input(1, 31, 16), h.Input(1, 31, 16));
        h[k, (7 * 16) + 9] = float.NaN;
        var set = new Qkv(new Channels(q), new Channels(k), new Channels(v));
        foreach (var (path, result) in h.Run(h.Graph.Attention(set, 2, 8)))
        {
            Assert.All(Enumerable.Range(0, result.Length), i => Assert.True(float.IsNaN(result[i]) == (i % 16 >= 8), $"{path} {i}"));
        }
    }

    [Theory]
    [InlineData(4, 19, 2, 21, 2)]
    [InlineData(2, 1, 1, 1, 1)]
    [InlineData(2, 50, 3, 64, 2)]
    public void Probabilities(int images, int tokens, int heads, int dim, int keyImages)
    {
        var h = new OpHarness(6);
        var (q, k) = (h.Input(images, tokens, heads * dim), h.Input(keyImages, tokens + 2, heads * dim));
        var expected = Softmax(h, new Qkv(new Channels(q), new Channels(k), new Channels(k)), heads, dim).SelectMany(row => row).ToArray();
        foreach (var (path, result) in h.Run(h.Graph.AttentionProbabilities(new Channels(q), new Channels(k), heads, dim)))
        {
            OpHarness.Close(i => expected[i], result, 2e-6, $"{path}");
        }
    }

    [Theory]
    [InlineData(2, 7, 5, 64)]
    [InlineData(4, 33, 2, 9)]
    [InlineData(4, 1, 1, 1)]
    [InlineData(2, 200, 3, 40)]
    public void Temporal_attention_is_attention_over_both_frames(int images, int tokens, int heads, int dim)
    {
        var h = new OpHarness(7);
        var width = heads * dim;
        var fused = h.Input(images, tokens, (3 * width) + 1);
        var set = new Qkv(new Channels(fused, 1), new Channels(fused, width + 1), new Channels(fused, (2 * width) + 1));
        foreach (var (path, result) in h.Run(h.Graph.TemporalAttention(set, heads, dim)))
        {
            OpHarness.Close(i => Temporal(i), result, 3e-6, $"{path}");
        }

        double Temporal(int index)
        {
            var (row, c) = (index / width, index % width);
            var (image, token) = (row / tokens, row % tokens);
            double At(int frame, int channel) => h.Data(fused)[(((((image / 2 * 2) + frame) * tokens) + token) * ((3 * width) + 1)) + channel];
            double Score(int key) => Enumerable.Range(c / dim * dim, dim).Sum(d => At(image % 2, 1 + d) * At(key, 1 + width + d)) / Math.Sqrt(dim);
            var p = 1 / (1 + Math.Exp(Score(0) - Score(1)));
            return ((1 - p) * At(0, 1 + (2 * width) + c)) + (p * At(1, 1 + (2 * width) + c));
        }
    }

    static IEnumerable<double[]> Softmax(OpHarness h, Qkv set, int heads, int dim)
    {
        var (q, k) = (set.Query.Value.Shape, set.Key.Value.Shape);
        for (var image = 0; image < q.Images; image++)
        {
            for (var head = 0; head < heads; head++)
            {
                for (var query = 0; query < q.Tokens; query++)
                {
                    var from = (((image * q.Tokens) + query) * q.Channels) + set.Query.FirstChannel + (head * dim);
                    var scores = new double[k.Tokens];
                    for (var key = 0; key < k.Tokens; key++)
                    {
                        var to = (((image * k.Images / q.Images * k.Tokens) + key) * k.Channels) + set.Key.FirstChannel + (head * dim);
                        for (var d = 0; d < dim; d++)
                        {
                            scores[key] += (double)h.Data(set.Query.Value)[from + d] * h.Data(set.Key.Value)[to + d];
                        }

                        scores[key] /= Math.Sqrt(dim);
                    }

                    var largest = scores.Max();
                    var sum = scores.Sum(s => Math.Exp(s - largest));
                    yield return [.. scores.Select(s => Math.Exp(s - largest) / sum)];
                }
            }
        }
    }

    static double[] Expected(OpHarness h, Qkv set, int heads, int dim)
    {
        var (q, v) = (set.Query.Value.Shape, set.Value.Value.Shape);
        var result = new double[q.Images * q.Tokens * heads * dim];
        var row = 0;
        foreach (var probabilities in Softmax(h, set, heads, dim))
        {
            var (image, head, query) = (row / (heads * q.Tokens), row / q.Tokens % heads, row % q.Tokens);
            for (var d = 0; d < dim; d++)
            {
                double sum = 0;
                for (var key = 0; key < v.Tokens; key++)
                {
                    sum += probabilities[key] * h.Data(set.Value.Value)[(((image * v.Images / q.Images * v.Tokens) + key) * v.Channels) + set.Value.FirstChannel + (head * dim) + d];
                }

                result[(((image * q.Tokens) + query) * heads * dim) + (head * dim) + d] = sum;
            }

            row++;
        }

        return result;
    }
}
