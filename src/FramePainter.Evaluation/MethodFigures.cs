namespace FramePainter.Evaluation;

/// <summary>A picture that a method made, beside what it should be.</summary>
/// <param name="Pair">The pair's name.</param>
/// <param name="Result">What the method made.</param>
/// <param name="Target">What it should be, of the same size.</param>
public sealed record JudgedPair(string Pair, PixelImage Result, PixelImage Target);

/// <summary>How near a result is to its target.</summary>
/// <param name="Pair">The pair's name.</param>
/// <param name="Psnr">Decibels; positive infinity for equal pictures.</param>
/// <param name="SsimUniform7">−1 to 1, by <see cref="ImageMetrics.SsimUniform7"/>.</param>
/// <param name="SsimGaussian">−1 to 1, by <see cref="ImageMetrics.SsimGaussian"/>.</param>
/// <param name="LpipsAlex">LPIPS with AlexNet, where its weights were given.</param>
/// <param name="LpipsVgg16">LPIPS with VGG-16, where its weights were given.</param>
public sealed record PairFigures(string Pair, double Psnr, double SsimUniform7, double SsimGaussian, double? LpipsAlex, double? LpipsVgg16);

/// <summary>How near a method's results are to their targets.</summary>
/// <param name="Method">The method's name.</param>
/// <param name="Pairs">Figures of each pair, in their order.</param>
/// <param name="ClipFid">The distance of all results from all targets, where weights were given.</param>
public sealed record MethodFigures(string Method, IReadOnlyList<PairFigures> Pairs, double? ClipFid);
