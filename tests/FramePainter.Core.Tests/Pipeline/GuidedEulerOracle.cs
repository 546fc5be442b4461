namespace FramePainter.Core.Tests.Pipeline;

/// <summary>One guided Euler step in double, as the paper's sampler defines it: the plain twin of what devices compute.</summary>
static class GuidedEulerOracle
{
    /// <summary>Moves the latents from one noise level to the next.</summary>
    /// <param name="latents">x at noise level <paramref name="sigma"/>.</param>
    /// <param name="unconditional">v of the unconditional half.</param>
    /// <param name="conditional">v of the conditional half.</param>
    /// <param name="weight">The guidance weight.</param>
    /// <param name="sigma">The noise level.</param>
    /// <param name="next">The next noise level.</param>
    public static double[] Step(double[] latents, double[] unconditional, double[] conditional, double weight, double sigma, double next)
    {
        var scale = (sigma * sigma) + 1;
        return [.. latents.Select((x, i) =>
        {
            var v = unconditional[i] + (weight * (conditional[i] - unconditional[i]));
            var clean = (v * (-sigma / Math.Sqrt(scale))) + (x / scale);
            return x + ((x - clean) / sigma * (next - sigma));
        })];
    }
}
