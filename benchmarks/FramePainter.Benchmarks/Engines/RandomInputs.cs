using FramePainter.Graphs;

namespace FramePainter.Benchmarks.Engines;

/// <summary>The same random numbers for both engines.</summary>
internal static class RandomInputs
{
    public static float[] For(Value input)
    {
        var random = new Random(input.Name.Length + (int)(input.Shape.Count % 9973));
        var values = new float[input.Shape.Count];
        foreach (ref var value in values.AsSpan())
        {
            value = (2 * random.NextSingle()) - 1;
        }

        return values;
    }
}
