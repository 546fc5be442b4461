using FramePainter.Tensors;

namespace FramePainter.Cuda;

/// <summary>What the sixteen bits are that products read and plans keep inside: the kernels are compiled once for each.</summary>
internal enum Halves
{
    /// <summary>Float16: eleven binary digits, up to 65,504.</summary>
    Float16,

    /// <summary>bfloat16: eight binary digits, float32's range.</summary>
    BFloat16,
}

/// <summary>What follows from the kind of halves.</summary>
internal static class HalvesExtensions
{
    /// <summary>The halves of a painter's precision. Tensor cores read no float32 as it is: where nothing else is asked for, float16.</summary>
    /// <exception cref="OptionException">There is no such precision.</exception>
    public static Halves Of(Precision precision) => precision switch
    {
        Precision.Float32 => Halves.Float16,
        Precision.BFloat16 => Halves.BFloat16,
        _ => throw new OptionException(nameof(Precision), $"Precision is {precision}; it must be one of the kinds that are named."),
    };

    /// <summary>For people.</summary>
    public static string ForPeople(this Halves halves) => halves == Halves.BFloat16 ? "bfloat16" : "float16";

    /// <summary>Rounds floats to nearest even.</summary>
    /// <param name="halves">To which halves.</param>
    /// <param name="values">Floats.</param>
    /// <param name="bits">Receives as many halves.</param>
    public static void Round(this Halves halves, ReadOnlySpan<float> values, Span<ushort> bits)
    {
        if (halves == Halves.BFloat16)
        {
            HalfConversion.NarrowBF16(values, bits);
        }
        else
        {
            HalfConversion.NarrowF16(values, bits);
        }
    }
}
