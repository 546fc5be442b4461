using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// A weight matrix in panels, each of as many outputs as the micro-kernel has columns: <c>[panel][tap·inputs + input][column]</c>.
/// Columns beyond the last output are zero. A gated matrix (GEGLU) has the values' columns in the first half of a panel and their gates in the second.
/// A paired matrix has two consecutive inputs of a column side by side, as products in bfloat16 want them: <c>[panel][input / 2][column][input % 2]</c>,
/// with zeros behind an odd last input. A word is what one column has of an input or of a pair.
/// </summary>
internal sealed unsafe class PackedMatrix : IDisposable
{
    readonly NativeBuffer? _memory;
    readonly NativeBuffer? _scales;

    PackedMatrix(DType type, int wordInputs, int inputs, int columns, int panelOutputs, int panels, bool countsOnly = false)
    {
        (Type, WordInputs, Inputs, Columns, PanelOutputs, Panels) = (type, wordInputs, inputs, columns, panelOutputs, panels);
        WordBytes = columns * wordInputs * type.Size();
        PanelBytes = (long)((inputs + wordInputs - 1) / wordInputs) * WordBytes;
        var scaleBytes = type == DType.I8 ? (long)panels * columns * sizeof(float) : 0;
        Bytes = (panels * PanelBytes) + scaleBytes;
        if (countsOnly)
        {
            return;
        }

        _memory = new NativeBuffer(panels * PanelBytes);
        try
        {
            _scales = scaleBytes > 0 ? new NativeBuffer(scaleBytes) : null;
        }
        catch
        {
            _memory.Dispose();
            throw;
        }
    }

    /// <summary>Type of the stored weights: F32, F16, BF16, or I8 with a factor for each column.</summary>
    public DType Type { get; }

    /// <summary>Inputs that lie side by side in a column: 1, or 2 when paired.</summary>
    public int WordInputs { get; }

    /// <summary>Bytes of one word of all columns of a panel.</summary>
    public int WordBytes { get; }

    /// <summary>Inputs of all taps.</summary>
    public int Inputs { get; }

    /// <summary>Columns of a panel.</summary>
    public int Columns { get; }

    /// <summary>Outputs that a panel yields: its columns, or half of them when gated.</summary>
    public int PanelOutputs { get; }

    /// <summary>How many panels there are.</summary>
    public int Panels { get; }

    /// <summary>Size of a panel.</summary>
    public long PanelBytes { get; }

    /// <summary>Bytes of all panels and factors.</summary>
    public long Bytes { get; }

    /// <summary>The first weight of a panel from some word on.</summary>
    public byte* At(int panel, int word) => (byte*)_memory!.Pointer + (panel * PanelBytes) + ((long)word * WordBytes);

    /// <summary>The factors of a panel's columns, or null where weights are what they say.</summary>
    public float* Scales(int panel) => _scales is null ? null : (float*)_scales.Pointer + ((long)panel * Columns);

    /// <summary>The matrix from a store, packed when it is first asked for.</summary>
    /// <param name="weights">The store.</param>
    /// <param name="matrix">The matrix.</param>
    /// <param name="columns">Columns of a panel.</param>
    /// <param name="gated">The outputs' second half are gates of the first.</param>
    /// <param name="numbers">What it is multiplied in and kept as.</param>
    /// <exception cref="CheckpointException">A tensor's shape or type does not fit, or its weights are beyond the numbers.</exception>
    public static PackedMatrix Of(CpuWeights weights, WeightMatrix matrix, int columns, bool gated, ProductNumbers numbers)
    {
        var key = $"{matrix.Key}:panels{columns}{(gated ? "gated" : "")}{numbers.Type}{(numbers.Brain is null ? "" : "pairs")}";
        var wordInputs = numbers.Brain is null ? 1 : BrainTiles.PairInputs;
        return weights.CountsOnly ? Count(weights, key, matrix, columns, gated, numbers.Type, wordInputs) : weights.Packed(key, source =>
        {
            var packed = Pack(source, matrix, columns, gated, weights.Threads);
            var type = numbers.Type ?? packed.Type;
            if (packed.Type != type || packed.WordInputs != wordInputs)
            {
                using var stored = packed;
                packed = stored.Recast(type, wordInputs, string.Join("', '", matrix.Tensors), weights.Threads);
            }

            return (packed, packed.Bytes);
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory?.Dispose();
        _scales?.Dispose();
    }

    /// <summary>The matrix without its weights, counted as <see cref="Of"/> would take memory for it.</summary>
    static PackedMatrix Count(CpuWeights weights, string key, WeightMatrix matrix, int columns, bool gated, DType? type, int wordInputs)
    {
        var stored = Empty(weights.Source, matrix, columns, gated, countsOnly: true);
        var tensor = stored.Bytes + matrix.Tensors.Max(t => weights.Source.Describe(t).Bytes);
        if ((type ?? stored.Type) == stored.Type && wordInputs == stored.WordInputs)
        {
            weights.Count(key, stored.Bytes, tensor);
            return stored;
        }

        var recast = new PackedMatrix(type ?? stored.Type, wordInputs, stored.Inputs, columns, stored.PanelOutputs, stored.Panels, countsOnly: true);
        weights.Count(key, recast.Bytes, Math.Max(tensor, stored.Bytes + recast.Bytes));
        return recast;
    }

    static PackedMatrix Empty(IWeightSource source, WeightMatrix matrix, int columns, bool gated, bool countsOnly = false)
    {
        var panelOutputs = gated ? columns / 2 : columns;
        var panels = ((gated ? matrix.Outputs / 2 : matrix.Outputs) + panelOutputs - 1) / panelOutputs;
        return new PackedMatrix(MatrixPart.TypeOf(source, matrix), 1, matrix.Inputs * matrix.Taps, columns, panelOutputs, panels, countsOnly);
    }

    static PackedMatrix Pack(IWeightSource source, WeightMatrix matrix, int columns, bool gated, int threads)
    {
        var packed = Empty(source, matrix, columns, gated);
        try
        {
            MatrixPart.Place(source, matrix, (view, part) => packed.Add(view, matrix, part, threads));
        }
        catch
        {
            packed.Dispose();
            throw;
        }

        return packed;
    }

    PackedMatrix Recast(DType type, int wordInputs, string tensors, int threads)
    {
        var recast = new PackedMatrix(type, wordInputs, Inputs, Columns, PanelOutputs, Panels);
        try
        {
            RowWork.Run(Panels, threads, (first, end) =>
            {
                var widened = new float[Inputs * Columns];
                for (var panel = first; panel < end; panel++)
                {
                    new TensorView(tensors, Type, new Shape(widened.Length), (nint)At(panel, 0)).CopyTo(0, widened);
                    PanelRecast.Write(widened, recast, panel, tensors);
                }
            });
        }
        catch
        {
            recast.Dispose();
            throw;
        }

        return recast;
    }

    void Add(TensorView view, WeightMatrix matrix, MatrixPart part, int threads)
    {
        if (view.Type != Type)
        {
            var widened = view.ToArray();
            fixed (float* floats = widened)
            {
                Scatter<float>((nint)floats, matrix, part, threads);
            }
        }
        else if (Type == DType.F32)
        {
            Scatter<float>(view.Address, matrix, part, threads);
        }
        else
        {
            Scatter<ushort>(view.Address, matrix, part, threads);
        }
    }

    /// <summary>Transposes panel by panel: outputs are read as parallel streams, the panel is written in order.</summary>
    void Scatter<T>(nint tensor, WeightMatrix matrix, MatrixPart part, int threads)
        where T : unmanaged => RowWork.Run(Panels, threads, (first, end) => Scatter<T>((byte*)tensor, matrix, part, first, end));

    void Scatter<T>(byte* tensor, WeightMatrix matrix, MatrixPart part, int firstPanel, int endPanel)
        where T : unmanaged
    {
        var half = matrix.Outputs / 2;
        var gated = PanelOutputs != Columns;
        var sources = stackalloc T*[Columns];
        var to = stackalloc int[Columns];
        for (var panel = firstPanel; panel < endPanel; panel++)
        {
            var count = 0;
            for (var column = 0; column < Columns; column++)
            {
                var within = column % PanelOutputs;
                var output = (panel * PanelOutputs) + within;
                if (gated && output >= half)
                {
                    continue;
                }

                output += column >= PanelOutputs ? half : 0;
                if (output >= part.ToOutput && output < part.ToOutput + part.Outputs)
                {
                    var row = part.FromOutput + output - part.ToOutput;
                    sources[count] = (T*)tensor + (((long)row * part.TensorInputs) + part.FromInput) * matrix.Taps;
                    to[count++] = column;
                }
            }

            if (count > 0)
            {
                var target = (T*)At(panel, 0);
                for (var input = 0; input < part.Inputs; input++)
                {
                    for (var tap = 0; tap < matrix.Taps; tap++)
                    {
                        var line = target + (((long)tap * matrix.Inputs) + part.ToInput + input) * Columns;
                        var from = ((long)input * matrix.Taps) + tap;
                        for (var c = 0; c < count; c++)
                        {
                            line[to[c]] = Read(sources[c] + from);
                        }
                    }
                }
            }
        }
    }

    /// <summary>Files promise no alignment.</summary>
    static T Read<T>(T* source)
        where T : unmanaged => System.Runtime.CompilerServices.Unsafe.ReadUnaligned<T>(source);
}
