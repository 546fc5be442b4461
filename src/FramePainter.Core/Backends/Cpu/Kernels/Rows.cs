using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>Rows of some channels of a value, while a kernel runs.</summary>
/// <param name="First">The first row's first channel wanted.</param>
/// <param name="Stride">Floats from row to row.</param>
internal readonly unsafe record struct Rows(nint First, nint Stride)
{
    /// <summary>A row, counted over all images.</summary>
    /// <param name="row">The row.</param>
    public float* this[long row] => (float*)First + (row * Stride);

    /// <summary>The same rows from a later channel on.</summary>
    /// <param name="channel">Channels to leave out.</param>
    public Rows From(int channel) => this with { First = (nint)((float*)First + channel) };

    /// <summary>The rows of a slice of channels.</summary>
    /// <param name="run">Where values live.</param>
    /// <param name="channels">The slice.</param>
    public static Rows Of(CpuRun run, Channels channels) =>
        new((nint)(run.Data(channels.Value) + channels.FirstChannel), channels.Value.Shape.Channels);
}
