using FramePainter.Graphs;

namespace FramePainter.Cuda.Streaming;

/// <summary>Addresses of weights, as the launches of one plan ask for them.</summary>
internal interface IPlanWeights
{
    /// <summary>Address of a packed matrix, see <see cref="PackedMatrix"/>.</summary>
    /// <param name="matrix">The matrix.</param>
    /// <param name="form">How it is packed.</param>
    ulong Matrix(WeightMatrix matrix, MatrixForm form);

    /// <summary>Address of a vector in float32; 0 for none.</summary>
    /// <param name="vector">The vector.</param>
    /// <param name="gated">Elements of the second half lie between those of the first.</param>
    ulong Vector(WeightVector? vector, bool gated = false);

    /// <summary>Address of several vectors, one behind the other.</summary>
    ulong Vectors(params ReadOnlySpan<WeightVector> vectors);

    /// <summary>Address of so many constants, made by the caller.</summary>
    ulong Constants(string key, int count, Func<double[]> make);

    /// <summary>A factor, with its learned scalar looked up.</summary>
    float Scale(MixScale scale);

    /// <summary>The next op begins.</summary>
    /// <param name="launches">Launches of the ops before it.</param>
    void BeginOp(int launches);
}

/// <summary>Weights of a plan whose matrices are looked after apart; all else is in the store for good.</summary>
internal abstract class PlanWeights(CudaWeights store) : IPlanWeights
{
    public abstract ulong Matrix(WeightMatrix matrix, MatrixForm form);

    public ulong Vector(WeightVector? vector, bool gated = false) => store.Vector(vector, gated);

    public ulong Vectors(params ReadOnlySpan<WeightVector> vectors) => store.Vectors(vectors);

    public ulong Constants(string key, int count, Func<double[]> make) => store.Constants(key, count, make);

    public float Scale(MixScale scale) => store.Scale(scale);

    public abstract void BeginOp(int launches);
}

/// <summary>A matrix that an op of a plan reads.</summary>
/// <param name="Op">The op's number.</param>
/// <param name="Key">The packed matrix's key in the store.</param>
internal readonly record struct MatrixUse(int Op, string Key);

/// <summary>Notes which matrices the ops of a plan ask for, and packs them. Its addresses are for nothing.</summary>
internal sealed class WeightSurvey(CudaWeights store, HostWeights host) : PlanWeights(store)
{
    const ulong Nowhere = 1 << 20;

    readonly CudaWeights _store = store;
    readonly List<MatrixUse> _uses = [];
    int _op = -1;

    /// <summary>What was asked for, in order.</summary>
    public IReadOnlyList<MatrixUse> Uses => _uses;

    public override ulong Matrix(WeightMatrix matrix, MatrixForm form)
    {
        var key = CudaWeights.MatrixKey(matrix, form);
        host.Add(key, _store.MatrixBytes(matrix, form), () => _store.PackMatrix(matrix, form));
        _uses.Add(new MatrixUse(_op, key));
        return Nowhere;
    }

    public override void BeginOp(int launches) => _op++;
}
