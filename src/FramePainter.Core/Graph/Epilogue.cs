using System.Collections.Immutable;

namespace FramePainter.Graphs;

/// <summary>Elementwise functions.</summary>
public enum Activation
{
    /// <summary>x.</summary>
    None,

    /// <summary>x·sigmoid(x).</summary>
    Silu,

    /// <summary>x·Φ(x), with the exact normal distribution function (erf).</summary>
    Gelu,

    /// <summary>x·sigmoid(1.702·x): CLIP's "quick_gelu".</summary>
    QuickGelu,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>First half of the channels times GELU of the second half; halves the channels.</summary>
    Geglu,
}

/// <summary>A value that an epilogue adds to the product.</summary>
/// <param name="Value">The value, of the output's shape.</param>
/// <param name="Scale">Its factor.</param>
public readonly record struct Residual(Value Value, MixScale Scale);

/// <summary>
/// What a matrix product does to its sum before it stores it:
/// <c>out = Scale·(activation(sum + bias) + rows) + Σ residual.Scale·residual</c>.
/// Model code never writes this; a pass gathers it from the pointwise ops behind the product.
/// </summary>
public sealed record Epilogue
{
    /// <summary>Nothing at all.</summary>
    public static readonly Epilogue None = new();

    /// <summary>Applied to sum plus bias. <see cref="Activation.Geglu"/> makes the output half as wide as the matrix.</summary>
    public Activation Activation { get; init; }

    /// <summary>A row added behind the activation (time embedding, cross-attention, frame position), or null.</summary>
    public RowTable? Rows { get; init; }

    /// <summary>Factor of the activated sum with its row.</summary>
    public MixScale Scale { get; init; } = MixScale.One;

    /// <summary>At most two values added at the end.</summary>
    public ImmutableArray<Residual> Residuals { get; init; } = [];

    internal IEnumerable<Value> Values => Residuals.Select(r => r.Value).Concat(Rows is { } rows ? [rows.Table] : []);
}
