namespace FramePainter.Goldens;

/// <summary>Who runs which kind.</summary>
internal static class GoldenKinds
{
    /// <summary>Kinds of the model code that nobody runs yet: they fail in the console runner and are left out of the tests.</summary>
    public static readonly IReadOnlyList<string> NotYetBound =
    [
        "clip", "vae_encode", "vae_decode", "control_encoder", "control_align", "resnet_block", "downsample", "upsample",
        "matching_block", "transformer", "unet", "pipeline",
    ];

    static readonly Dictionary<string, IGoldenKind> s_kinds =
        new IGoldenKind[] { new RandomKind(), new SchedulerKind(), new ResizeKind(), new ClipPreprocessKind(), new MetricKind(), new FrechetKind() }
            .ToDictionary(k => k.Kind, StringComparer.Ordinal);

    /// <summary>Runs a case and judges it; an error is a failed verdict that says which.</summary>
    /// <param name="golden">The case.</param>
    public static GoldenVerdict Run(GoldenCase golden)
    {
        try
        {
            return golden.Format != 1 ? new GoldenVerdict(false, $"format {golden.Format} is unknown")
                : s_kinds.TryGetValue(golden.Kind, out var kind) ? GoldenVerdict.Compare(golden.Tolerance, golden.Outputs, kind.Run(golden))
                : NotYetBound.Contains(golden.Kind) ? new GoldenVerdict(false, $"kind '{golden.Kind}' is not bound to the model code yet")
                : new GoldenVerdict(false, $"kind '{golden.Kind}' is unknown");
        }
        catch (Exception e)
        {
            // Whatever a case runs into is that case's failure, and the others still run.
            return new GoldenVerdict(false, $"{e.GetType().Name}: {e.Message}");
        }
    }
}
