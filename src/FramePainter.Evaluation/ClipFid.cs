namespace FramePainter.Evaluation;

/// <summary>CLIP-FID (Kynkäänniemi et al., 2023, "The role of ImageNet classes in Fréchet inception distance"): the Fréchet distance of CLIP features, prepared as the <c>clean-fid</c> package does.</summary>
public static class ClipFid
{
    /// <summary>The distance of two sets of pictures.</summary>
    /// <param name="tower">Makes the features.</param>
    /// <param name="a">Two pictures or more, of any sizes.</param>
    /// <param name="b">Two pictures or more, of any sizes.</param>
    /// <param name="cancel">Looked at many times for every picture.</param>
    /// <returns>0 for equal sets. Sets of fewer than a few thousand pictures give distances that are too large: compare them only with each other.</returns>
    /// <exception cref="ArgumentException">A set has fewer than two pictures.</exception>
    /// <exception cref="CheckpointException">The weights give features that are not finite.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static double Compute(ClipVisionTower tower, IEnumerable<PixelImage> a, IEnumerable<PixelImage> b, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(tower);
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return FrechetDistance.Compute(Features(a), Features(b), ClipVisionTower.FeatureCount);

        double[] Features(IEnumerable<PixelImage> pictures) => [.. pictures.SelectMany(p => tower.Features(p, cancel)).Select(f => (double)f)];
    }
}
