using System.Runtime.InteropServices;
using FramePainter.Core.Tests.Support;
using FramePainter.Pipeline;
using FsCheck.Xunit;

namespace FramePainter.Core.Tests.Pipeline;

public sealed class TorchRandomTests
{
    /// <summary>The 10,000th output for the default seed, as the C++ standard states it for <c>std::mt19937</c>.</summary>
    [Fact]
    public void The_bits_are_those_of_the_standard_twister()
    {
        var bits = new MersenneTwister(5489);
        for (var i = 1; i < 10_000; i++)
        {
            bits.Next();
        }

        Assert.Equal(4_123_659_995u, bits.Next());
    }

    [Fact]
    public void Draws_are_those_of_the_goldens()
    {
        foreach (var golden in GoldenCase.OfKind("random"))
        {
            var random = new TorchRandom(golden.Args.GetProperty("seed").GetInt64());
            var draws = golden.Args.GetProperty("draws");
            for (var i = 0; i < draws.GetArrayLength(); i++)
            {
                var (_, want) = golden.OutputFloats($"draw{i}");
                var half = draws[i].GetProperty("dtype").GetString() == "float16";
                var got = half ? DrawHalf(random, want.Length) : Draw(random, want.Length);
                Assert.Equal(want, got);
            }
        }
    }

    [Property]
    public bool The_same_seed_gives_the_same_values(long seed, byte first, byte second)
    {
        var (a, b) = (new TorchRandom(seed), new TorchRandom(seed));
        return Draw(a, first).SequenceEqual(Draw(b, first))
            && DrawHalf(a, second).SequenceEqual(DrawHalf(b, second))
            && Draw(a, first).SequenceEqual(Draw(b, first));
    }

    [Property]
    public bool Seeding_again_forgets_everything(long seed, byte count)
    {
        var random = new TorchRandom(seed);
        var first = Draw(random, count);
        Draw(random, 3);
        random.ManualSeed(seed);
        return Draw(random, count).SequenceEqual(first);
    }

    [Property]
    public bool Only_the_low_32_bits_of_a_seed_count(uint low, int high) =>
        Draw(new TorchRandom(((long)high << 32) | low), 40).SequenceEqual(Draw(new TorchRandom(low), 40));

    [Property]
    public bool Whole_blocks_are_a_prefix_of_longer_draws(long seed, byte blocks, byte more)
    {
        var (count, all) = (16 * (1 + blocks), 16 * (1 + blocks + more));
        return Draw(new TorchRandom(seed), all).Take(count).SequenceEqual(Draw(new TorchRandom(seed), count))
            && DrawHalf(new TorchRandom(seed), all).Take(count).SequenceEqual(DrawHalf(new TorchRandom(seed), count));
    }

    [Property]
    public bool Short_draws_follow_each_other_as_one(long seed, byte first, byte second)
    {
        var (m, n) = (first % 8, second % 8);
        var random = new TorchRandom(seed);
        return Draw(new TorchRandom(seed), m + n).SequenceEqual([.. Draw(random, m), .. Draw(random, n)]);
    }

    [Property]
    public bool Only_the_last_sixteen_of_an_uneven_draw_are_drawn_again(long seed, byte blocks, byte rest)
    {
        var count = 32 + (16 * (blocks % 8)) + 1 + (rest % 15);
        var whole = count - (count % 16);
        var uneven = Draw(new TorchRandom(seed), count);
        var even = Draw(new TorchRandom(seed), whole);
        return uneven.Take(count - 16).SequenceEqual(even.Take(count - 16)) && uneven[count - 16] != even[count - 16];
    }

    [Theory]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(1000)]
    [InlineData(1024)]
    public void A_draw_that_is_lost_leaves_the_same_draws_behind_it(int count)
    {
        TorchRandom drawn = new(7), lost = new(7);
        Draw(drawn, count);
        lost.Skip(count);
        Assert.Equal(Draw(drawn, 40), Draw(lost, 40));
    }

    /// <summary>Words of all sizes, the ends and the corners of the circle among them; only their low 24 bits count.</summary>
    [Fact]
    public void Values_are_those_of_Box_and_Muller()
    {
        const int Levels = 1 << 24;
        uint[] ends = [0, 1, 2, Levels / 8, Levels / 4, Levels / 2, (Levels / 2) - 1, Levels * 3 / 4, Levels - 2, Levels - 1];
        var bits = new MersenneTwister(11);
        var words = Enumerable.Range(0, 1 << 14).Select(i => i < 160 ? ends[i / 16] : i < 320 ? ends[i % 10] : bits.Next()).ToArray();
        var values = MemoryMarshal.Cast<uint, float>(words).ToArray();
        FloatBoxMuller.Transform(values);
        for (var i = 0; i < words.Length; i++)
        {
            var pair = ((i / 16) * 16) + (i % 8);
            var radius = Math.Sqrt(-2 * Math.Log(1 - ((words[pair] % Levels) / (double)Levels)));
            var (sin, cos) = Math.SinCos(double.Tau * (words[pair + 8] % Levels) / Levels);
            Assert.Equal(radius * (i % 16 < 8 ? cos : sin), values[i], 1e-6 * Math.Max(radius, 1e-3));
        }
    }

    [Fact]
    public void An_empty_draw_takes_nothing()
    {
        var random = new TorchRandom(1);
        random.Randn(Span<float>.Empty);
        random.Randn(Span<Half>.Empty);
        Assert.Equal(Draw(new TorchRandom(1), 20), Draw(random, 20));
    }

    [Fact]
    public void Values_are_standard_normal()
    {
        var values = Draw(new TorchRandom(7), 1 << 20);
        var mean = values.Average(v => (double)v);
        var variance = values.Average(v => (v - mean) * (v - mean));
        var kurtosis = values.Average(v => Math.Pow(v - mean, 4)) / (variance * variance);
        Assert.Equal(0, mean, 0.005);
        Assert.Equal(1, variance, 0.005);
        Assert.Equal(3, kurtosis, 0.03);
    }

    static float[] Draw(TorchRandom random, int count)
    {
        var values = new float[count];
        random.Randn(values);
        return values;
    }

    static float[] DrawHalf(TorchRandom random, int count)
    {
        var values = new Half[count];
        random.Randn(values);
        return Array.ConvertAll(values, v => (float)v);
    }
}
