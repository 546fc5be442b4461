using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Cuda.Streaming;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <summary>Turns the ops of a plan into launches.</summary>
internal sealed partial class LaunchList(Plan plan, IPlanWeights weights, CudaContext context, CudaTuning tuning)
{
    const int BlockThreads = 256;
    const int Wide = 8;

    readonly List<Launch> _launches = [];
    Op? _op;

    /// <summary>The launches, in order.</summary>
    public IReadOnlyList<Launch> Launches => _launches;

    /// <summary>Scratch bytes that the neediest launch wants.</summary>
    public long ScratchBytes { get; private set; }

    /// <summary>Adds all ops. On an error, what was added is still the caller's to dispose of.</summary>
    public void AddAll()
    {
        foreach (var op in plan.Graph.Ops)
        {
            weights.BeginOp(_launches.Count);
            _op = op;
            Add(op);
        }
    }

    void Add(Op op)
    {
        switch (op)
        {
            case ProductOp o: Product(o); break;
            case GroupNormOp o: GroupNorm(o); break;
            case LayerNormOp o: LayerNorm(o); break;
            case AttentionOp o: Attention(o); break;
            case AttentionProbabilitiesOp o: Probabilities(o); break;
            case TemporalAttentionOp o: AttentionOverFrames(o); break;
            case ActivateOp o: Activate(o); break;
            case BlendOp o: Blend(o); break;
            case AddRowsOp o: AddRows(o); break;
            case AddTokensOp o: AddTokens(o); break;
            case ScaleOp o: Scale(o); break;
            case ControlPoolOp o: ControlPool(o); break;
            case ControlAlignOp o: ControlAlign(o); break;
            case SinusoidOp o: Sinusoid(o); break;
            case SelectRowOp o: SelectRow(o); break;
            case ClassTokenOp o: ClassToken(o); break;
            case JoinHalvesOp o: JoinHalves(o); break;
            case EulerOp o: Euler(o); break;
            default: throw new NotSupportedException($"The CUDA backend has no kernel for {op.GetType().Name}.");
        }
    }

    void Add<T>(string kernel, (long X, long Y, long Z) grid, int threads, int shared, Func<ValuePlaces, T> arguments)
        where T : unmanaged => _launches.Add(new Launch<T>(kernel, _op!, context.Kernels, grid, threads, shared, arguments));

    /// <summary>One thread an element, or one for eight where the width allows.</summary>
    void AddPointwise(string kernel, Value output, bool hasWide, Func<ValuePlaces, PointwiseArgs> arguments)
    {
        var width = hasWide && output.Shape.Channels % Wide == 0 ? Wide : 1;
        var blocks = Blocks(output.Shape.Count / width, BlockThreads);
        Add(hasWide ? $"{kernel}_{width}" : kernel, (blocks, 1, 1), BlockThreads, 0, places => arguments(places) with { Out = places[output], Count = output.Shape.Count });
    }

    static long Blocks(long items, int perBlock) => (items + perBlock - 1) / perBlock;

    static bool IsHalf(Plan plan, Value value) => !plan.IsExternal(value) && HalfLayout.IsHalf(value);
}
