using FramePainter.Conformance;
using FramePainter.Cuda.Kernels;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>
/// Hopper's attention at sizes that go round its ring of stages, leave warpgroups without queries and end within a tile of keys, in every order
/// of copies and products, against the double-precision oracle.
/// </summary>
public sealed class HopperAttentionTests : IDisposable
{
    /// <summary>Operands, probabilities and results are rounded to halves, each once.</summary>
    const double Roundings = 4;

    static readonly Dictionary<string, OpCase> s_cases = new OpCase[]
    {
        Attention("one key", 1, 1, 3, 1, 1),
        Attention("part of a tile", 2, 2, 70, 70, 2),
        Attention("one tile", 1, 1, 64, 128, 1),
        Attention("several tiles", 1, 1, 200, 400, 2),
        Attention("round the ring", 1, 1, 20, 1300, 1),
        Attention("keys of every second image", 4, 2, 33, 129, 3),
        new("matching heads of a fused projection", typeof(AttentionOp), c =>
        {
            var (x, source) = (c.Data(4, 9, 15, 4 * 128), c.Data(2, 9, 15, 2 * 128));
            Channels At(int slice) => new(x, slice * 128);
            c.Graph.Output(c.Graph.Attention(new Qkv(At(0), At(1), At(2)), 2, 64, new Qkv(At(3), new(source), new(source, 128))), "out");
        }),
        new("matching heads with more keys", typeof(AttentionOp), c =>
        {
            var (q, k, v) = (c.Data(2, 130, 128), c.Data(2, 260, 128), c.Data(2, 260, 128));
            var (others, source) = (c.Data(2, 130, 128), c.Data(1, 900, 2 * 128));
            c.Graph.Output(c.Graph.Attention(new Qkv(new(q), new(k), new(v)), 2, 64, new Qkv(new(others), new(source), new(source, 128))), "out");
        }),
        Leaps("leaps that halves hold", 0, 4, 8, 12, 16, 20, 22),
        Leaps("leaps beyond what halves hold", 0, 20, 20, 45, 5, 70, 100),
        Leaps("leaps beyond what float32 holds", 0, 150, 0, 400, 400, 600, 900),
        Leaps("a leap among the last keys", 0, 0, 0, 0, 0, 0, 200),
        Leaps("largest first", 300, 0, 100, 20, 0, 298, 280),
        new("sharp", typeof(AttentionOp), c =>
        {
            var (q, k, v) = (c.Spread(0, 20, 1, 40, 64), c.Spread(0, 20, 1, 300, 64), c.Data(1, 300, 64));
            c.Graph.Output(c.Graph.Attention(new Qkv(new(q), new(k), new(v)), 1, 64), "out");
        }),
    }.ToDictionary(c => c.Name);

    /// <summary>Queries of a block, and whether its keys are cut into slices wherever they may be.</summary>
    static readonly Dictionary<string, CudaTuning> s_tiles = new()
    {
        ["192 queries"] = HopperRun.Every with { HopperQueryGroups = 3 },
        ["192 queries, shared"] = HopperRun.Every with { HopperQueryGroups = 3, HopperJointTime = -10 },
        ["128 queries"] = HopperRun.Every with { HopperQueryGroups = 2 },
        ["128 queries, shared"] = HopperRun.Every with { HopperQueryGroups = 2, HopperJointTime = -10 },
    };

    /// <summary>Cases in their orders.</summary>
    public static TheoryData<string, Precision, bool, bool, bool> Runs => HopperRun.Orders(s_cases.Keys);

    [Theory]
    [MemberData(nameof(Runs))]
    public void Computes_what_the_oracle_computes(string name, Precision precision, bool lateTensors, bool lateProducts, bool reverse) =>
        HopperRun.Check(s_cases[name], precision, Roundings, lateTensors, lateProducts, reverse);

    /// <summary>Cases with tiles.</summary>
    public static TheoryData<string, string, Precision> Tiles => HopperRun.KindsOfTiles(s_cases.Keys, s_tiles.Keys);

    [Theory]
    [MemberData(nameof(Tiles))]
    public void Any_tiles_compute_it(string name, string tiles, Precision precision) =>
        HopperRun.Check(s_cases[name], precision, Roundings, lateTensors: false, lateProducts: true, reverse: true, tuning: s_tiles[tiles]);

    /// <summary>Cases with tiles, by seeds.</summary>
    public static TheoryData<string, string, uint> Lags => HopperRun.LagsOfTiles(s_cases.Keys, s_tiles.Keys);

    [Trait("Needs", "emulator")]
    [Theory]
    [MemberData(nameof(Lags))]
    public void Warps_may_run_apart(string name, string tiles, uint seed) => HopperRun.CheckLagging(s_cases[name], Roundings, seed, tuning: s_tiles[tiles]);

    /// <summary>Self attention at 512×512 and 576×1024, and with matching heads, on the 132 multiprocessors of an H100: tiles that are more than whole rounds are cut.</summary>
    [Theory]
    [InlineData(9216, 20, 9216, 3, 924, 36, 3)]
    [InlineData(9216, 40, 9216, 3, 1848, 72, 3)]
    [InlineData(4096, 20, 4096, 3, 396, 44, 3)]
    [InlineData(4096, 40, 4096, 3, 792, 88, 3)]
    [InlineData(2304, 40, 2304, 3, 480, 0, 1)]
    [InlineData(2304, 80, 2304, 3, 924, 36, 3)]
    [InlineData(1024, 40, 1024, 3, 240, 0, 1)]
    [InlineData(256, 80, 256, 2, 160, 0, 1)]
    public void The_last_tiles_are_shared(int tokens, int heads, int keys, int groups, int whole, int shared, int slices)
    {
        var tiles = LaunchList.QueryTiles.Of(tokens, heads, keys, keys, 132, CudaTuning.Default);
        Assert.Equal((groups, whole, shared, slices), (tiles.Groups, tiles.Shares.Whole, tiles.Shares.Shared, tiles.Shares.Slices));
    }

    /// <summary>Every slice has keys, of the set with the fewest too.</summary>
    [Fact]
    public void There_are_no_more_slices_than_tiles_of_keys()
    {
        var tuning = s_tiles["192 queries, shared"];
        Assert.Equal(2, LaunchList.QueryTiles.Of(64, 1, 129, 4096, 132, tuning).Shares.Slices);
        Assert.Equal(1, LaunchList.QueryTiles.Of(64, 1, 1, 4096, 132, tuning).Shares.Slices);
    }

    /// <inheritdoc/>
    public void Dispose() => Emulator.Restore();

    /// <summary>
    /// Scores that lie higher by so much in each tile of keys, of which the last is not whole; by how much of it differs from query to query. A tile's probabilities are measured by the largest
    /// score of those before, and it is looked for anew where they leap.
    /// </summary>
    static OpCase Leaps(string name, params int[] tiles) => new(name, typeof(AttentionOp), c =>
    {
        const int tokens = 200, tile = 128;
        var keys = (tiles.Length - 1) * tile + 50;
        var (q, k) = (RandomData.Normals(c.Random, tokens * 64, 1, 0), RandomData.Normals(c.Random, keys * 64, 1, 0));
        for (var i = 0; i < tokens; i++)
        {
            // Of a warp's sixteen queries one alone, in either half, or all.
            q[i * 64] = (i / 16 % 3) switch { 0 => i % 16 == 3 ? 8 : 0, 1 => i % 16 == 13 ? 8 : 0, _ => c.Random.Next(128) / 16f };
        }

        for (var i = 0; i < keys; i++)
        {
            k[i * 64] = tiles[i / tile];
        }

        c.Graph.Output(c.Graph.Attention(new Qkv(new(c.Input(q, 1, tokens, 64)), new(c.Input(k, 1, keys, 64)), new(c.Data(1, keys, 64))), 1, 64), "out");
    });

    static OpCase Attention(string name, int images, int keyImages, int tokens, int keys, int heads) => new(name, typeof(AttentionOp), c =>
    {
        var (q, k, v) = (c.Data(images, tokens, heads * 64), c.Data(keyImages, keys, heads * 64), c.Data(keyImages, keys, heads * 64));
        c.Graph.Output(c.Graph.Attention(new Qkv(new(q), new(k), new(v)), heads, 64), "out");
    });
}
