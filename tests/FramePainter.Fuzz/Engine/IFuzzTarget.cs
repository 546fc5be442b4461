namespace FramePainter.Fuzz.Engine;

/// <summary>Something that reads bytes from strangers.</summary>
internal interface IFuzzTarget
{
    /// <summary>Its name on the command line; the folder of its corpus.</summary>
    string Name { get; }

    /// <summary>Inputs to begin with: ordinary ones.</summary>
    IEnumerable<byte[]> Seeds { get; }

    /// <summary>Types whose branches count as the target's own.</summary>
    IReadOnlyList<string> Scope { get; }

    /// <summary>Words that the format is made of.</summary>
    IReadOnlyList<string> Words { get; }

    /// <summary>
    /// Reads an input. Returning and raising a <see cref="FramePainterException"/> are both right; any other exception is a find,
    /// and so are answers that contradict each other.
    /// </summary>
    /// <param name="input">The input.</param>
    void Run(ReadOnlySpan<byte> input);
}
