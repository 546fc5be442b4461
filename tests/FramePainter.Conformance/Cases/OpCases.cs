namespace FramePainter.Conformance;

/// <summary>All cases, by name.</summary>
internal static class OpCases
{
    static readonly Adversity[] s_adversities = [Adversity.NaN, Adversity.Huge, Adversity.Tiny, Adversity.Zero];

    /// <summary>Every case; the first three of each op also on spoiled data.</summary>
    public static IReadOnlyDictionary<string, OpCase> All { get; } = Gather();

    static Dictionary<string, OpCase> Gather()
    {
        OpCase[] plain =
        [
            .. LinearCases.All, .. ConvCases.All, .. TemporalConvCases.All, .. NormCases.All, .. AttentionCases.All,
            .. PointwiseCases.All, .. ControlCases.All, .. EmbeddingCases.All, .. CompositeCases.All,
        ];
        var spoiled = plain.GroupBy(c => c.Op).SelectMany(cases => cases.Take(3)).SelectMany(c => s_adversities.Select(c.With));
        return plain.Concat(spoiled).ToDictionary(c => c.Name, StringComparer.Ordinal);
    }
}
