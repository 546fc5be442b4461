using FramePainter.Graphs;

namespace FramePainter.Backends;

/// <summary>
/// Where the values inside a plan lie on a backend that keeps pictures and tokens there as halves. Each of these lies at half its planned offset; tables
/// (two extents or fewer) and pictures of at most four channels (latents, velocities) are few and stay float32, each in a place of its own behind the others.
/// Values at the border of a plan have no place here: they are bound from outside, as float32.
/// </summary>
public sealed class HalfLayout
{
    const int HalvesOfFloat = sizeof(float) / 2;

    readonly List<(Value Value, long Offset, bool IsHalf)> _places = [];

    /// <summary>Lays out a plan.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="alignment">Bytes of which places of float32 are multiples, and the whole.</param>
    /// <param name="staysFloat">Values that stay float32 beside those named above; null for none.</param>
    /// <exception cref="ArgumentOutOfRangeException">The alignment is 0 or less.</exception>
    public HalfLayout(Plan plan, int alignment, Func<Value, bool>? staysFloat = null)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(alignment);
        long Aligned(long bytes) => (bytes + alignment - 1) / alignment * alignment;
        Bytes = Aligned(plan.ArenaBytes / HalvesOfFloat);
        foreach (var (value, offset) in plan.Offsets)
        {
            if (IsHalf(value) && staysFloat?.Invoke(value) != true)
            {
                _places.Add((value, offset / HalvesOfFloat, true));
            }
            else
            {
                _places.Add((value, Bytes, false));
                Bytes += Aligned(value.Bytes);
            }
        }
    }

    /// <summary>The values, the bytes at which they begin, and whether they are halves.</summary>
    public IReadOnlyList<(Value Value, long Offset, bool IsHalf)> Places => _places;

    /// <summary>Bytes of all.</summary>
    public long Bytes { get; }

    /// <summary>Whether a value inside a plan is kept as halves.</summary>
    /// <param name="value">The value.</param>
    public static bool IsHalf(Value value)
    {
        ArgumentNullException.ThrowIfNull(value);
        return value.Shape.Rank > 2 && value.Shape.Channels > 4;
    }
}
