namespace FramePainter.Evaluation;

/// <summary>Measures methods on a set of pairs. Without weights it computes what needs none.</summary>
public sealed class Evaluator
{
    /// <summary>LPIPS with AlexNet, or null to leave it out.</summary>
    public Lpips? LpipsAlex { get; init; }

    /// <summary>LPIPS with VGG-16, or null to leave it out.</summary>
    public Lpips? LpipsVgg16 { get; init; }

    /// <summary>The tower of CLIP-FID, or null to leave it out. With it a set needs two pairs.</summary>
    public ClipVisionTower? Clip { get; init; }

    /// <summary>Measures one method. Pairs are taken one by one and let go, so that a set of any length can be made on the way.</summary>
    /// <param name="method">The method's name.</param>
    /// <param name="pairs">Its results with their targets; at least one, or two with <see cref="Clip"/>.</param>
    /// <param name="cancel">Looked at between pairs and within networks.</param>
    /// <returns>The figures of all pairs.</returns>
    /// <exception cref="ImageException">A result is not of its target's size, or both are too small for a measure.</exception>
    /// <exception cref="ArgumentException">There are too few pairs.</exception>
    /// <exception cref="CheckpointException">A network's weights give figures that are not finite.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public MethodFigures Measure(string method, IEnumerable<JudgedPair> pairs, CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(method);
        ArgumentNullException.ThrowIfNull(pairs);
        var figures = new List<PairFigures>();
        var results = new List<double>();
        var targets = new List<double>();
        foreach (var (name, result, target) in pairs)
        {
            cancel.ThrowIfCancellationRequested();
            figures.Add(new PairFigures(
                name,
                ImageMetrics.Psnr(result, target),
                ImageMetrics.SsimUniform7(result, target),
                ImageMetrics.SsimGaussian(result, target),
                LpipsAlex?.Distance(result, target, cancel),
                LpipsVgg16?.Distance(result, target, cancel)));
            if (Clip is not null)
            {
                results.AddRange(Clip.Features(result, cancel).Select(f => (double)f));
                targets.AddRange(Clip.Features(target, cancel).Select(f => (double)f));
            }
        }

        if (figures.Count < (Clip is null ? 1 : 2))
        {
            throw new ArgumentException($"{figures.Count} pairs are too few: one is needed, and two for CLIP-FID.", nameof(pairs));
        }

        double? distance = Clip is null ? null : FrechetDistance.Compute([.. results], [.. targets], ClipVisionTower.FeatureCount);
        return new MethodFigures(method, figures, distance);
    }
}
