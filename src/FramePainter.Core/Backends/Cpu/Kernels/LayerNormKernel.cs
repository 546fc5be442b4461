using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Layer normalisation, a row at a time while it lies in the first-level cache: a mean good enough to subtract, then the exact
/// mean and variance of the differences, then the affine map. Bound by memory: one read, one write.
/// </summary>
internal sealed unsafe class LayerNormKernel<L, V>(LayerNormOp op, CpuWeights weights) : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    readonly float* _gamma = weights.Vector(op.Gamma);
    readonly float* _beta = weights.Vector(op.Beta);
    readonly int _width = op.Output.Shape.Channels;
    readonly int _images = op.Output.Shape.Images;
    readonly long _rowsOfImage = op.Output.Shape.Count / Math.Max(1, (long)op.Output.Shape.Channels * op.Output.Shape.Images);
    readonly Cut _cut = Cut.Rows(op.Output.Shape.Count / Math.Max(1, op.Output.Shape.Channels), op.Output.Shape.Channels);
    float* _input;
    float* _table;
    float* _output;

    public override void Run(CpuRun run)
    {
        _input = run.Data(op.Input);
        _output = run.Data(op.Output);
        _table = op.Rows is { } rows ? run.Data(rows.Table) : null;
        run.Parallel(this, _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        var (from, count) = _cut[tile];
        for (var row = from; row < from + count; row++)
        {
            var source = _input + (row * _width);
            var destination = _output + (row * _width);
            if (_table is not null)
            {
                var added = op.Rows!.Value.RowOf((int)(row / _rowsOfImage), _images);
                Pointwise.Add<L, V>(source, _table + ((long)added * _width), destination, _width);
                source = destination;
            }

            Row(source, destination);
        }
    }

    void Row(float* source, float* destination)
    {
        var near = Sum(source) / _width;
        var (sum, squares) = Differences(source, near);
        double rest = sum / (double)_width;
        var variance = Math.Max(0, (squares / (double)_width) - (rest * rest));
        var reciprocal = 1 / Math.Sqrt(variance + op.Epsilon);
        var (mean, factor, shift) = (L.Create(near), L.Create((float)reciprocal), L.Create((float)(-rest * reciprocal)));
        var i = 0;
        for (; i <= _width - L.Count; i += L.Count)
        {
            var x = L.Fma(L.Subtract(L.Load(source + i), mean), factor, shift);
            L.Store(destination + i, L.Fma(x, L.Load(_gamma + i), L.Load(_beta + i)));
        }

        if (i < _width)
        {
            var part = _width - i;
            var x = L.Fma(L.Subtract(L.LoadPart(source + i, part), mean), factor, shift);
            L.StorePart(destination + i, L.Fma(x, L.LoadPart(_gamma + i, part), L.LoadPart(_beta + i, part)), part);
        }
    }

    float Sum(float* source)
    {
        var (a, b, c, d) = (L.Zero, L.Zero, L.Zero, L.Zero);
        var i = 0;
        for (; i <= _width - (4 * L.Count); i += 4 * L.Count)
        {
            a = L.Add(a, L.Load(source + i));
            b = L.Add(b, L.Load(source + i + L.Count));
            c = L.Add(c, L.Load(source + i + (2 * L.Count)));
            d = L.Add(d, L.Load(source + i + (3 * L.Count)));
        }

        for (; i < _width; i += L.Count)
        {
            a = L.Add(a, L.LoadPart(source + i, Math.Min(L.Count, _width - i)));
        }

        return L.Sum(L.Add(L.Add(a, b), L.Add(c, d)));
    }

    (float Sum, float Squares) Differences(float* source, float near)
    {
        var mean = L.Create(near);
        var (sum, sum2, squares, squares2) = (L.Zero, L.Zero, L.Zero, L.Zero);
        var i = 0;
        for (; i <= _width - (2 * L.Count); i += 2 * L.Count)
        {
            var x = L.Subtract(L.Load(source + i), mean);
            var y = L.Subtract(L.Load(source + i + L.Count), mean);
            (sum, squares) = (L.Add(sum, x), L.Fma(x, x, squares));
            (sum2, squares2) = (L.Add(sum2, y), L.Fma(y, y, squares2));
        }

        var (total, totalSquares) = (L.Sum(L.Add(sum, sum2)), L.Sum(L.Add(squares, squares2)));
        for (; i < _width; i++)
        {
            var x = source[i] - near;
            total += x;
            totalSquares += x * x;
        }

        return (total, totalSquares);
    }
}
