using System.Runtime.CompilerServices;
using FramePainter.Backends.Cpu.Jit;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Takes finished sums, a tile at a time and still in the first-level cache, through bias, activation, row, scale and residuals to the output.</summary>
internal sealed unsafe class TileEpilogue<L, V>
    where L : struct, ILanes<V>
    where V : struct
{
    readonly ProductOp _op;
    readonly Epilogue _epilogue;
    readonly float* _bias;
    readonly float _scale;
    readonly float[] _residualScales;
    readonly int[] _tableRows;
    readonly bool _plain;
    readonly int _tokens;
    readonly int _channels;
    float* _output;
    float* _table;
    float* _residual;
    float* _secondResidual;

    public TileEpilogue(ProductOp op, CpuWeights weights)
    {
        _op = op;
        _epilogue = op.Epilogue;
        _bias = op.Bias is null ? null : weights.Vector(op.Bias);
        _scale = weights.Scale(_epilogue.Scale);
        _residualScales = [.. _epilogue.Residuals.Select(r => weights.Scale(r.Scale)), 0, 0];
        var images = op.Output.Shape.Images;
        _tableRows = _epilogue.Rows is { } rows ? [.. Enumerable.Range(0, images).Select(i => rows.RowOf(i, images))] : [];
        _tokens = op.Output.Shape.Tokens;
        _channels = op.Output.Shape.Channels;
        _plain = _epilogue.Rows is null && _epilogue.Residuals.Length == 0 && _scale == 1;
        if (_epilogue.Residuals.Length > 2)
        {
            throw new NotSupportedException($"'{op.Name}' adds {_epilogue.Residuals.Length} residuals; two are the most.");
        }
    }

    /// <summary>Looks up where the values live in this run.</summary>
    public void Bind(CpuRun run)
    {
        _output = run.Data(_op.Output);
        _table = _epilogue.Rows is { } rows ? run.Data(rows.Table) : null;
        _residual = _epilogue.Residuals.Length > 0 ? run.Data(_epilogue.Residuals[0].Value) : null;
        _secondResidual = _epilogue.Residuals.Length > 1 ? run.Data(_epilogue.Residuals[1].Value) : null;
    }

    /// <summary>Asks for the memory that <see cref="Store(float*, int, int, int)"/> will touch, so that it arrives while the tile is summed.</summary>
    public void Prefetch(int row, int rows, int column)
    {
        Fetch(_output, row, rows, column);
        Fetch(_residual, row, rows, column);
        Fetch(_secondResidual, row, rows, column);
    }

    /// <summary>What the kernel that sums a tile does to finish it; nothing where that is left to <see cref="Store(float*, int, int, int)"/>.</summary>
    /// <param name="column">The first output column.</param>
    /// <param name="columns">How many the kernel stores: all of them must be there.</param>
    /// <param name="columnScales">Whether columns have factors of their own.</param>
    public TileFinish Finish(int column, int columns, bool columnScales)
    {
        if (_epilogue.Activation != Activation.None || columns > _channels - column)
        {
            return TileFinish.None;
        }

        return TileFinish.Output | When(columnScales, TileFinish.ColumnScales) | When(_bias is not null, TileFinish.Bias) | When(_table is not null, TileFinish.Added)
            | When(_scale != 1, TileFinish.Scale) | When(_residual is not null, TileFinish.Residual) | When(_secondResidual is not null, TileFinish.SecondResidual);

        static TileFinish When(bool wanted, TileFinish step) => wanted ? step : TileFinish.None;
    }

    /// <summary>Tells the kernel that sums a tile where it will be stored, and what belongs there; fetches a second residual.</summary>
    /// <param name="call">Receives it. Its <see cref="TileCall.Finish"/> is nothing where rows of a table differ within the tile.</param>
    /// <param name="finish">What <see cref="Finish"/> has said.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="column">The first output column.</param>
    public void Place(ref TileCall call, TileFinish finish, int row, int rows, int column)
    {
        var at = ((long)row * _channels) + column;
        call.Output = (byte*)(_output + at);
        call.Residual = _residual is null ? call.Output : (byte*)(_residual + at);
        call.SecondResidual = _secondResidual + at;
        call.OutputDistance = (long)_channels * sizeof(float);
        Fetch(_secondResidual, row, rows, column);
        call.Finish = finish;
        if (finish == TileFinish.None)
        {
            return;
        }

        call.Bias = _bias + column;
        (call.Scale, call.ResidualScale, call.SecondResidualScale) = (_scale, _residualScales[0], _residualScales[1]);
        if (_table is not null)
        {
            var image = row / _tokens;
            call.Added = _table + ((long)_tableRows[image] * _channels) + column;
            call.Finish = (row + rows - 1) / _tokens == image ? finish : TileFinish.None;
        }
    }

    /// <summary>Finishes a tile.</summary>
    /// <param name="tile">Sums, two registers a row.</param>
    /// <param name="row">The first row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="column">The first output column.</param>
    public void Store(float* tile, int row, int rows, int column)
    {
        switch (_epilogue.Activation)
        {
            case Activation.Silu:
                Choose<SiluFunction>(tile, row, rows, column);
                break;
            case Activation.Gelu:
                Choose<GeluFunction>(tile, row, rows, column);
                break;
            case Activation.QuickGelu:
                Choose<QuickGeluFunction>(tile, row, rows, column);
                break;
            case Activation.Relu:
                Choose<ReluFunction>(tile, row, rows, column);
                break;
            case Activation.Geglu when (typeof(L) == typeof(Lanes512) || typeof(L) == typeof(Lanes256)) && _plain && _channels - column >= L.Count:
                delegate*<float*, int, float*, float*, float*, int, void> geglu = typeof(L) == typeof(Lanes512) ? &Geglu512.Store : &Geglu256.Store;
                geglu(tile, rows, _bias is null ? null : _bias + column, _bias is null ? null : _bias + _channels + column, _output + ((long)row * _channels) + column, _channels);
                break;
            case Activation.Geglu:
                Choose<GegluFunction>(tile, row, rows, column);
                break;
            default:
                Choose<Identity>(tile, row, rows, column);
                break;
        }
    }

    void Fetch(float* values, int row, int rows, int column)
    {
        if (values is null)
        {
            return;
        }

        var bytes = Math.Min(_epilogue.Activation == Activation.Geglu ? L.Count : 2 * L.Count, _channels - column) * sizeof(float);
        for (var r = 0; r < rows; r++)
        {
            Simd.Prefetch.Near(values + ((long)(row + r) * _channels) + column, bytes);
        }
    }

    void Choose<F>(float* tile, int row, int rows, int column)
        where F : struct, IFunction
    {
        if (_channels - column >= (F.Gated ? L.Count : 2 * L.Count))
        {
            Store<F, WholeRegisters<L, V>>(tile, row, rows, column);
        }
        else
        {
            Store<F, PartRegisters<L, V>>(tile, row, rows, column);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Store<F, P>(float* tile, int row, int rows, int column)
        where F : struct, IFunction
        where P : struct, IMemory<V>
    {
        var (scale, first, second) = (L.Create(_scale), L.Create(_residualScales[0]), L.Create(_residualScales[1]));
        var channels = _channels;
        var columns = Math.Min(F.Gated ? L.Count : 2 * L.Count, channels - column);
        var bias = _bias is null ? null : _bias + column;
        var gateBias = _bias is null ? null : _bias + channels + column;
        var at = ((long)row * channels) + column;
        var output = _output + at;
        var residual = _residual is null ? null : _residual + at;
        var secondResidual = _secondResidual is null ? null : _secondResidual + at;
        for (var r = 0; r < rows; r++)
        {
            var added = _table is null ? null : _table + ((long)_tableRows[(row + r) / _tokens] * channels) + column;
            for (var c = 0; c < columns; c += L.Count)
            {
                var left = columns - c;
                var x = L.Load(tile + c);
                if (bias is not null)
                {
                    x = L.Add(x, P.Load(bias + c, left));
                }

                if (F.Gated)
                {
                    var gate = L.Load(tile + L.Count);
                    if (gateBias is not null)
                    {
                        gate = L.Add(gate, P.Load(gateBias, left));
                    }

                    x = L.Multiply(x, VectorMath<L, V>.Gelu(gate));
                }
                else
                {
                    x = F.Of(x);
                }

                if (added is not null)
                {
                    x = L.Add(x, P.Load(added + c, left));
                }

                x = L.Multiply(x, scale);
                if (residual is not null)
                {
                    x = L.Fma(P.Load(residual + c, left), first, x);
                }

                if (secondResidual is not null)
                {
                    x = L.Fma(P.Load(secondResidual + c, left), second, x);
                }

                P.Store(output + c, x, left);
            }

            tile += 2 * L.Count;
            output += channels;
            residual = residual is null ? null : residual + channels;
            secondResidual = secondResidual is null ? null : secondResidual + channels;
        }
    }

    interface IFunction
    {
        static abstract bool Gated { get; }

        static abstract V Of(V x);
    }

    readonly struct Identity : IFunction
    {
        public static bool Gated => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Of(V x) => x;
    }

    readonly struct GegluFunction : IFunction
    {
        public static bool Gated => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Of(V x) => x;
    }

    readonly struct SiluFunction : IFunction
    {
        public static bool Gated => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Of(V x) => VectorMath<L, V>.Silu(x);
    }

    readonly struct GeluFunction : IFunction
    {
        public static bool Gated => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Of(V x) => VectorMath<L, V>.Gelu(x);
    }

    readonly struct QuickGeluFunction : IFunction
    {
        public static bool Gated => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Of(V x) => VectorMath<L, V>.QuickGelu(x);
    }

    readonly struct ReluFunction : IFunction
    {
        public static bool Gated => false;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static V Of(V x) => L.Max(L.Zero, x);
    }
}
