using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// Group normalisation over one or two values read as if concatenated, with the activation behind it.
/// Three regions: moments of each channel per chunk of rows; chunks added in order and groups closed, which leaves three floats per channel;
/// <c>f((x − mean)·factor + shift)</c>. Bound by memory: two reads and one write; the activation's exponential comes next.
/// Images that share statistics lie one behind the other and count as one long image, called a set here.
/// </summary>
internal sealed unsafe class GroupNormKernel<L, V> : CpuKernel
    where L : struct, ILanes<V>
    where V : struct
{
    const int ChunkFloats = 32768;

    readonly GroupNormOp _op;
    readonly float* _gamma;
    readonly float* _beta;
    readonly int _firstWidth;
    readonly int _width;
    readonly int _padded;
    readonly int _sets;
    readonly Cut _cut;
    Phase _phase;
    float* _first;
    float* _second;
    float* _output;
    double* _moments;
    float* _coefficients;

    public GroupNormKernel(GroupNormOp op, CpuWeights weights)
    {
        _op = op;
        _gamma = weights.Vector(op.Gamma);
        _beta = weights.Vector(op.Beta);
        (_firstWidth, _width) = (op.Input.First.Shape.Channels, op.Input.Channels);
        _padded = (_width + 15) / 16 * 16;
        _sets = op.Output.Shape.Images / op.Frames;
        _cut = new Cut((long)op.Frames * op.Output.Shape.Tokens, Math.Max(8, ChunkFloats / _width / 8 * 8));
    }

    enum Phase
    {
        Measure,
        Close,
        Apply,
    }

    public override long SharedScratchBytes => MomentBytes + ((long)_sets * 3 * _padded * sizeof(float));

    long MomentBytes => (long)_sets * _cut.Tiles * 2 * _padded * sizeof(double);

    public override void Run(CpuRun run)
    {
        _first = run.Data(_op.Input.First);
        _second = _op.Input.Second is { } second ? run.Data(second) : null;
        _output = run.Data(_op.Output);
        _moments = (double*)run.Shared;
        _coefficients = (float*)(run.Shared + MomentBytes);
        _phase = Phase.Measure;
        run.Parallel(this, _sets * _cut.Tiles);
        _phase = Phase.Close;
        run.Parallel(this, _sets);
        _phase = Phase.Apply;
        run.Parallel(this, _sets * _cut.Tiles);
    }

    public override void Execute(int tile, int worker)
    {
        switch (_phase)
        {
            case Phase.Measure:
                Measure(tile);
                break;
            case Phase.Close:
                Close(tile);
                break;
            default:
                Apply(tile);
                break;
        }
    }

    void Measure(int tile)
    {
        var (set, chunk) = Math.DivRem(tile, _cut.Tiles);
        var (from, rows) = _cut[chunk];
        var start = set * _cut.Total;
        var sums = _moments + ((long)tile * 2 * _padded);
        new Span<double>(sums, 2 * _padded).Clear();
        var squares = sums + _padded;
        Moments.AddColumns<L, V>(_first + ((start + from) * _firstWidth), _firstWidth, rows, _firstWidth, _first + (start * _firstWidth), sums, squares);
        if (_second is not null)
        {
            var width = _width - _firstWidth;
            Moments.AddColumns<L, V>(_second + ((start + from) * width), width, rows, width, _second + (start * width), sums + _firstWidth, squares + _firstWidth);
        }
    }

    void Close(int set)
    {
        var sums = _moments + ((long)set * _cut.Tiles * 2 * _padded);
        var squares = sums + _padded;
        for (var chunk = 1; chunk < _cut.Tiles; chunk++)
        {
            var more = sums + ((long)chunk * 2 * _padded);
            for (var i = 0; i < 2 * _padded; i++)
            {
                sums[i] += more[i];
            }
        }

        var means = Coefficients(set);
        var factors = means + _padded;
        var shifts = means + (2 * _padded);
        var groupWidth = _width / _op.Groups;
        double rows = _cut.Total;
        for (var first = 0; first < _width; first += groupWidth)
        {
            double mean = 0, deviations = 0;
            for (var c = first; c < first + groupWidth; c++)
            {
                mean += Pivot(set, c) + (sums[c] / rows);
            }

            mean /= groupWidth;
            for (var c = first; c < first + groupWidth; c++)
            {
                // About the group's mean: the channel's own spread, and how far its mean lies off.
                var off = Pivot(set, c) + (sums[c] / rows) - mean;
                deviations += squares[c] - (sums[c] * sums[c] / rows) + (rows * off * off);
            }

            // x − mean is exact where it matters; what the mean loses in float goes into the shift.
            var reciprocal = 1 / Math.Sqrt(Math.Max(0, deviations / (rows * groupWidth)) + _op.Epsilon);
            var near = (float)mean;
            for (var c = first; c < first + groupWidth; c++)
            {
                var factor = _gamma[c] * reciprocal;
                (means[c], factors[c], shifts[c]) = (near, (float)factor, (float)(_beta[c] - ((mean - near) * factor)));
            }
        }
    }

    void Apply(int tile)
    {
        switch (_op.Activation)
        {
            case Activation.None:
                Apply<Identity>(tile);
                break;
            case Activation.Silu:
                Apply<Silu>(tile);
                break;
            case Activation.Gelu:
                Apply<Gelu>(tile);
                break;
            case Activation.QuickGelu:
                Apply<QuickGelu>(tile);
                break;
            case Activation.Relu:
                Apply<Relu>(tile);
                break;
            default:
                throw new NotSupportedException($"'{_op.Name}': a group norm keeps its width; {_op.Activation} does not.");
        }
    }

    void Apply<F>(int tile)
        where F : struct, IFunction
    {
        var (set, chunk) = Math.DivRem(tile, _cut.Tiles);
        var (from, rows) = _cut[chunk];
        var secondWidth = _width - _firstWidth;
        var means = Coefficients(set);
        var factors = means + _padded;
        var shifts = means + (2 * _padded);
        for (var row = (set * _cut.Total) + from; rows > 0; row++, rows--)
        {
            var output = _output + (row * _width);
            Row<F>(_first + (row * _firstWidth), means, factors, shifts, output, _firstWidth);
            if (secondWidth > 0)
            {
                Row<F>(_second + (row * secondWidth), means + _firstWidth, factors + _firstWidth, shifts + _firstWidth, output + _firstWidth, secondWidth);
            }
        }
    }

    static void Row<F>(float* source, float* means, float* factors, float* shifts, float* destination, int count)
        where F : struct, IFunction
    {
        var i = 0;
        for (; i <= count - L.Count; i += L.Count)
        {
            var x = L.Subtract(L.Load(source + i), L.Load(means + i));
            L.Store(destination + i, F.Of<L, V>(L.Fma(x, L.Load(factors + i), L.Load(shifts + i))));
        }

        if (i < count)
        {
            var part = count - i;
            var x = L.Subtract(L.LoadPart(source + i, part), L.LoadPart(means + i, part));
            L.StorePart(destination + i, F.Of<L, V>(L.Fma(x, L.LoadPart(factors + i, part), L.LoadPart(shifts + i, part))), part);
        }
    }

    float Pivot(int set, int channel) =>
        channel < _firstWidth
            ? _first[(set * _cut.Total * _firstWidth) + channel]
            : _second[(set * _cut.Total * (_width - _firstWidth)) + channel - _firstWidth];

    float* Coefficients(int set) => _coefficients + ((long)set * 3 * _padded);
}
