using FramePainter.Graphs;

namespace FramePainter.Conformance;

/// <summary>Attention, its probabilities, and attention over two frames.</summary>
internal static class AttentionCases
{
    static readonly (int Images, int KeyImages, int Tokens, int Keys, int Heads, int HeadDim)[] s_sizes =
    [
        (2, 2, 5, 5, 2, 8), (4, 2, 7, 9, 1, 16), (1, 1, 1, 1, 1, 1), (2, 1, 3, 1, 3, 1), (1, 1, 1, 40, 2, 40), (4, 4, 6, 6, 5, 64), (6, 3, 5, 17, 2, 24), (6, 2, 4, 33, 1, 31),
        (4, 1, 9, 3, 2, 80), (1, 1, 8, 8, 1, 160), (2, 2, 65, 63, 2, 40), (1, 1, 130, 257, 1, 64), (2, 1, 33, 129, 1, 160), (4, 2, 64, 64, 5, 64), (1, 1, 16, 300, 3, 7),
    ];

    public static IEnumerable<OpCase> All => Attentions.Concat(Wide).Concat(Probabilities).Concat(Temporal);

    static IEnumerable<OpCase> Attentions
    {
        get
        {
            foreach (var s in s_sizes)
            {
                yield return Attention($"{s.Images} images {s.KeyImages} key images {s.Tokens}x{s.Keys} {s.Heads} heads of {s.HeadDim}", s, matching: null);
            }

            foreach (var (s, keyImages, keys) in new[]
            {
                ((4, 4, 6, 6, 2, 8), 2, 6), ((2, 2, 9, 9, 1, 40), 1, 9), ((4, 4, 17, 17, 5, 64), 2, 17), ((4, 4, 5, 5, 3, 16), 2, 12), ((2, 1, 3, 8, 2, 7), 2, 5), ((1, 1, 1, 1, 1, 160), 1, 1),
            })
            {
                yield return Attention($"matching {s} with {keyImages} key images of {keys}", s, (keyImages, keys));
            }

            foreach (var (heads, headDim) in new[] { (3, 16), (2, 32), (2, 64), (1, 128) })
            {
                yield return new OpCase($"attention {heads} heads of {headDim} side by side", typeof(AttentionOp), c =>
                {
                    var width = heads * headDim;
                    var value = c.Data(2, 70, 3 * width);
                    c.Graph.Output(c.Graph.Attention(new Qkv(new(value, 0), new(value, width), new(value, 2 * width)), heads, headDim), "out");
                });
            }

            // Scores of thousands: all weight falls on one key, and the exponentials of the others vanish.
            yield return new OpCase("attention sharp", typeof(AttentionOp), c =>
            {
                var (q, k, v) = (c.Spread(0, 60, 2, 13, 24), c.Spread(0, 60, 2, 21, 24), c.Data(2, 21, 24));
                c.Graph.Output(c.Graph.Attention(new Qkv(new(q), new(k), new(v)), 3, 8), "out");
            });
            yield return new OpCase("attention of a fused projection", typeof(AttentionOp), c =>
            {
                var x = c.Data(2, 3, 5, 5 * 48);
                Channels At(int slice) => new(x, slice * 48);
                c.Graph.Output(c.Graph.Attention(new Qkv(At(0), At(1), At(2)), 3, 16, new Qkv(At(3), At(4), At(1))), "out");
            });
        }
    }

    /// <summary>One wide head, as in the middle of an autoencoder: a projection of queries, keys and values, or each in a value of its own.</summary>
    static IEnumerable<OpCase> Wide
    {
        get
        {
            foreach (var (images, tokens, width) in new[] { (2, 64, 136), (1, 200, 136), (1, 65, 160), (2, 130, 160), (1, 64, 512), (1, 130, 512) })
            {
                yield return new OpCase($"attention wide {images} images of {tokens} {width} channels fused", typeof(AttentionOp), c =>
                {
                    var x = c.Data(images, tokens, 3 * width);
                    c.Graph.Output(c.Graph.Attention(new Qkv(new(x), new(x, width), new(x, 2 * width)), 1, width), "out");
                });
            }

            foreach (var (images, keyImages, tokens, keys, width, deviation) in new[] { (2, 1, 65, 200, 136, 1), (4, 2, 64, 65, 160, 1), (1, 1, 200, 130, 512, 1), (1, 1, 130, 200, 160, 20) })
            {
                yield return new OpCase($"attention wide {images} images {keyImages} key images {tokens}x{keys} {width} channels times {deviation}", typeof(AttentionOp), c =>
                {
                    var (q, k, v) = (c.Spread(0, deviation, images, tokens, width), c.Spread(0, deviation, keyImages, keys, width), c.Data(keyImages, keys, width));
                    c.Graph.Output(c.Graph.Attention(new Qkv(new(q), new(k), new(v)), 1, width), "out");
                });
            }

            // A NaN where tiles are padded: one row of queries, all rows by a key, one channel by a value.
            foreach (var part in new[] { "query", "key", "value" })
            {
                yield return new OpCase($"attention wide with a NaN in a {part}", typeof(AttentionOp), c =>
                {
                    var parts = new[] { "query", "key", "value" }.Select(name =>
                    {
                        var elements = RandomData.Normals(c.Random, 65 * 136);
                        elements[^1] = name == part ? float.NaN : elements[^1];
                        return new Channels(c.Input(elements, 1, 65, 136));
                    }).ToArray();
                    c.Graph.Output(c.Graph.Attention(new Qkv(parts[0], parts[1], parts[2]), 1, 136), "out");
                });
            }
        }
    }

    static IEnumerable<OpCase> Probabilities
    {
        get
        {
            foreach (var s in s_sizes)
            {
                yield return new OpCase($"probabilities {s}", typeof(AttentionProbabilitiesOp), c =>
                {
                    var set = Set(c, s.Images, s.KeyImages, s.Tokens, s.Keys, s.Heads * s.HeadDim);
                    c.Graph.Output(c.Graph.AttentionProbabilities(set.Query, set.Key, s.Heads, s.HeadDim), "out");
                });
            }
        }
    }

    static IEnumerable<OpCase> Temporal
    {
        get
        {
            foreach (var (images, tokens, heads, headDim) in new[]
            {
                (2, 5, 2, 8), (4, 7, 3, 16), (2, 1, 1, 1), (6, 3, 1, 33), (4, 6, 5, 64), (2, 65, 2, 40), (2, 4, 2, 80), (4, 3, 1, 160), (2, 130, 4, 7),
            })
            {
                foreach (var deviation in new[] { 1, 30 })
                {
                    yield return new OpCase($"temporal attention {images}x{tokens} {heads} heads of {headDim} times {deviation}", typeof(TemporalAttentionOp), c =>
                    {
                        var set = Set(c, images, images, tokens, tokens, heads * headDim, deviation);
                        c.Graph.Output(c.Graph.TemporalAttention(set, heads, headDim), "out");
                    });
                }
            }

            foreach (var (images, tokens, heads, headDim) in new[] { (4, 37, 5, 64), (2, 7, 3, 8), (6, 3, 2, 16), (2, 9, 2, 32), (4, 3, 1, 128), (2, 5, 2, 256), (2, 5, 2, 24) })
            {
                yield return new OpCase($"temporal attention {images}x{tokens} {heads} heads of {headDim} side by side", typeof(TemporalAttentionOp), c =>
                {
                    var width = heads * headDim;
                    var value = c.Data(images, tokens, 3 * width);
                    c.Graph.Output(c.Graph.TemporalAttention(new Qkv(new(value, 0), new(value, width), new(value, 2 * width)), heads, headDim), "out");
                });
            }
        }
    }

    static OpCase Attention(string name, (int Images, int KeyImages, int Tokens, int Keys, int Heads, int HeadDim) s, (int KeyImages, int Keys)? matching) =>
        new($"attention {name}", typeof(AttentionOp), c =>
        {
            var width = s.Heads * s.HeadDim;
            var self = Set(c, s.Images, s.KeyImages, s.Tokens, s.Keys, width);
            Qkv? second = matching is { } m ? Set(c, s.Images, m.KeyImages, s.Tokens, m.Keys, width) : null;
            c.Graph.Output(c.Graph.Attention(self, s.Heads, s.HeadDim, second), "out");
        });

    /// <summary>Queries, keys and values in values of their own or in one, at odd first channels or at 0.</summary>
    static Qkv Set(CaseBuilder c, int images, int keyImages, int tokens, int keys, int width, double deviation = 1)
    {
        if (c.Random.Next(2) == 0)
        {
            return new Qkv(
                new(c.Spread(0, deviation, images, tokens, width)), new(c.Spread(0, deviation, keyImages, keys, width)), new(c.Data(keyImages, keys, width)));
        }

        var (before, behind) = (c.Random.Next(4), c.Random.Next(4));
        var query = c.Spread(0, deviation, images, tokens, before + width + behind);
        var keyAndValue = c.Spread(0, deviation, keyImages, keys, before + (2 * width) + behind + 3);
        return new Qkv(new(query, before), new(keyAndValue, before), new(keyAndValue, before + width + 3));
    }
}
