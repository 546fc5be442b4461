using FramePainter.Backends;

namespace FramePainter.Pipeline;

/// <summary>
/// A table of pooled control features, one row per step: the black frame's, then the signal's. The black half depends on size and steps
/// alone, so that a table used again needs only the signal's half, and not even that when the signal is the same.
/// </summary>
internal sealed class ControlTable(IBackend backend, DenoiseKey key, long frameFloats) : IDisposable
{
    public IDeviceBuffer Buffer { get; } = backend.Allocate(key.ControlRows * Networks.Frames * frameFloats * sizeof(float));

    public DenoiseKey Key => key;

    /// <summary>Whether the black frame's half is filled for all steps.</summary>
    public bool HasBlack { get; set; }

    /// <summary>The signal whose features of all steps fill the other half, or null.</summary>
    public PixelImage? Signal { get; set; }

    /// <summary>Where a frame's features of a row lie.</summary>
    public long Offset(int row, int frame) => ((((long)row * Networks.Frames) + frame) * frameFloats) * sizeof(float);

    public void Dispose() => Buffer.Dispose();
}

/// <summary>Tables of control features that no edit uses at the moment: the last one is kept for the next edit of its kind.</summary>
internal sealed class ControlTables(IBackend backend) : IDisposable
{
    /// <summary>Tables beyond this size are not made; control features are then computed anew before each step.</summary>
    const long MaxBytes = 512L << 20;

    readonly Lock _gate = new();
    ControlTable? _idle;

    /// <summary>Rows of a table: all steps where that fits, else one.</summary>
    public static int Rows(int steps, long frameFloats) => steps * Networks.Frames * frameFloats * sizeof(float) <= MaxBytes ? steps : 1;

    /// <summary>A table for one edit alone; give it back with <see cref="Return"/>.</summary>
    public ControlTable Rent(DenoiseKey key, long frameFloats)
    {
        key = KeyOf(key);
        ControlTable? other;
        lock (_gate)
        {
            other = _idle;
            _idle = null;
        }

        if (other?.Key == key)
        {
            return other;
        }

        other?.Dispose();
        return new ControlTable(backend, key, frameFloats);
    }

    /// <summary>Gives the idle table back unless it is for edits of a kind: what runs before the denoiser is made needs memory too.</summary>
    public void KeepOnly(DenoiseKey key)
    {
        ControlTable? other = null;
        lock (_gate)
        {
            if (_idle is not null && _idle.Key != KeyOf(key))
            {
                (other, _idle) = (_idle, null);
            }
        }

        other?.Dispose();
    }

    public void Return(ControlTable table)
    {
        ControlTable? replaced;
        lock (_gate)
        {
            replaced = _idle;
            _idle = table;
        }

        replaced?.Dispose();
    }

    public void Dispose()
    {
        _idle?.Dispose();
        _idle = null;
    }

    /// <summary>The guidance halves, the drag points and what is captured do not matter to the control features.</summary>
    static DenoiseKey KeyOf(DenoiseKey key) => key with { Halves = 0, Points = 0, CapturedBlock = 0 };
}
