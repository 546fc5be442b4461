namespace FramePainter.Goldens;

/// <summary>Runs the cases of one kind.</summary>
internal interface IGoldenKind
{
    /// <summary>The kind's name in <c>case.json</c>.</summary>
    string Kind { get; }

    /// <summary>Computes a case's outputs.</summary>
    /// <param name="golden">The case.</param>
    GoldenOutputs Run(GoldenCase golden);
}

/// <summary>Outputs by name.</summary>
internal sealed class GoldenOutputs : Dictionary<string, GoldenTensor>
{
    public GoldenOutputs()
        : base(StringComparer.Ordinal)
    {
    }
}
