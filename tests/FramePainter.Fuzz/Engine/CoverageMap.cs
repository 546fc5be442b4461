using System.Runtime.InteropServices;
using SharpFuzz.Common;

namespace FramePainter.Fuzz.Engine;

/// <summary>
/// The map of edges that assemblies instrumented by SharpFuzz count in: 64 K counters, an edge being a pair of branches.
/// Counts are looked at by magnitude, as AFL does: 1, 2, 3, 4, 8, 16, 32, 128 and more.
/// </summary>
internal sealed unsafe class CoverageMap
{
    const int Size = 1 << 16;
    static readonly byte[] s_magnitudes = [.. Enumerable.Range(0, 256).Select(Magnitude)];

    // Never given back: instrumented code runs until the process ends.
    readonly byte* _counters = (byte*)NativeMemory.AllocZeroed(Size);
    readonly byte[] _seen = new byte[Size];

    public CoverageMap()
    {
        Trace.SharedMem = _counters;
        Trace.OnBranch ??= static (_, _) => { };
    }

    /// <summary>Whether assemblies in this process are instrumented: a run has counted something.</summary>
    public bool IsAlive { get; private set; }

    /// <summary>Edges seen so far.</summary>
    public int Edges { get; private set; }

    /// <summary>Forgets the last run.</summary>
    public void Clear()
    {
        Trace.PrevLocation = 0;
        new Span<byte>(_counters, Size).Clear();
    }

    /// <summary>Whether the run since <see cref="Clear"/> went where none has gone before; remembers it.</summary>
    public bool Learn()
    {
        var news = false;
        var words = (ulong*)_counters;
        for (var w = 0; w < Size / sizeof(ulong); w++)
        {
            if (words[w] == 0)
            {
                continue;
            }

            IsAlive = true;
            for (var i = w * sizeof(ulong); i < (w + 1) * sizeof(ulong); i++)
            {
                var magnitude = s_magnitudes[_counters[i]];
                if ((magnitude & ~_seen[i]) != 0)
                {
                    Edges += _seen[i] == 0 ? 1 : 0;
                    _seen[i] |= magnitude;
                    news = true;
                }
            }
        }

        return news;
    }

    static byte Magnitude(int count) => count switch
    {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        < 8 => 8,
        < 16 => 16,
        < 32 => 32,
        < 128 => 64,
        _ => 128,
    };
}
