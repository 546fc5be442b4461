using FramePainter.Conformance;
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
        Attention("round the ring", 1, 1, 20, 900, 1),
        Attention("keys of every second image", 4, 2, 33, 129, 3),
        new("matching heads of a fused projection", typeof(AttentionOp), c =>
        {
            var (x, source) = (c.Data(4, 9, 15, 4 * 128), c.Data(2, 9, 15, 2 * 128));
            Channels At(int slice) => new(x, slice * 128);
            c.Graph.Output(c.Graph.Attention(new Qkv(At(0), At(1), At(2)), 2, 64, new Qkv(At(3), new(source), new(source, 128))), "out");
        }),
        new("sharp", typeof(AttentionOp), c =>
        {
            var (q, k, v) = (c.Spread(0, 20, 1, 40, 64), c.Spread(0, 20, 1, 300, 64), c.Data(1, 300, 64));
            c.Graph.Output(c.Graph.Attention(new Qkv(new(q), new(k), new(v)), 1, 64), "out");
        }),
    }.ToDictionary(c => c.Name);

    /// <summary>Cases in their orders.</summary>
    public static TheoryData<string, Precision, bool, bool, bool> Runs => HopperRun.Orders(s_cases.Keys);

    [Theory]
    [MemberData(nameof(Runs))]
    public void Computes_what_the_oracle_computes(string name, Precision precision, bool lateTensors, bool lateProducts, bool reverse) =>
        HopperRun.Check(s_cases[name], precision, Roundings, lateTensors, lateProducts, reverse);

    /// <summary>Cases by seeds.</summary>
    public static TheoryData<string, uint> Lags => HopperRun.Lags(s_cases.Keys);

    [Trait("Needs", "emulator")]
    [Theory]
    [MemberData(nameof(Lags))]
    public void Warps_may_run_apart(string name, uint seed) => HopperRun.CheckLagging(s_cases[name], Roundings, seed);

    /// <inheritdoc/>
    public void Dispose() => Emulator.Restore();

    static OpCase Attention(string name, int images, int keyImages, int tokens, int keys, int heads) => new(name, typeof(AttentionOp), c =>
    {
        var (q, k, v) = (c.Data(images, tokens, heads * 64), c.Data(keyImages, keys, heads * 64), c.Data(keyImages, keys, heads * 64));
        c.Graph.Output(c.Graph.Attention(new Qkv(new(q), new(k), new(v)), heads, 64), "out");
    });
}
