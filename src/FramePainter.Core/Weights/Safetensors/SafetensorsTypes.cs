using FramePainter.Tensors;

namespace FramePainter.Weights.Safetensors;

/// <summary>The names that the safetensors format gives to element types.</summary>
static class SafetensorsTypes
{
    static readonly (string Label, DType Type)[] s_types =
    [
        ("BOOL", DType.Bool), ("U8", DType.U8), ("I8", DType.I8), ("F8_E5M2", DType.F8E5M2), ("F8_E4M3", DType.F8E4M3),
        ("I16", DType.I16), ("U16", DType.U16), ("F16", DType.F16), ("BF16", DType.BF16),
        ("I32", DType.I32), ("U32", DType.U32), ("F32", DType.F32),
        ("F64", DType.F64), ("I64", DType.I64), ("U64", DType.U64),
    ];

    /// <summary>All names, for messages.</summary>
    public static string Known { get; } = string.Join(", ", s_types.Select(t => t.Label));

    /// <summary>The type of a name, null when it is unknown.</summary>
    /// <param name="label">The name in the file; case matters.</param>
    public static DType? Parse(string label)
    {
        foreach (var (known, type) in s_types)
        {
            if (known == label)
                return type;
        }

        return null;
    }

    /// <summary>The name of a type.</summary>
    /// <param name="type">The type.</param>
    public static string Label(DType type) => Array.Find(s_types, t => t.Type == type).Label;
}
