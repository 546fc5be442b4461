using FramePainter.Backends;

namespace FramePainter.Pipeline;

/// <summary>The U-Net for a number of guidance halves: as a whole, and the part around its deep features where those are reused. Both work on the same latents.</summary>
internal sealed class UNetGraphs : IDisposable
{
    /// <summary>Compiles what the key asks for.</summary>
    /// <param name="networks">The plans.</param>
    /// <param name="backend">Where they run.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="key">With <see cref="DeepFeatures.Out"/> both are made, else the whole alone.</param>
    /// <param name="latents">A buffer for the latents that outlives this, or null to have one made.</param>
    public UNetGraphs(Networks networks, IBackend backend, IWeightStore weights, DenoiseKey key, IDeviceBuffer? latents = null)
    {
        Halves = key.Halves;
        var external = new[] { Networks.ControlTable };
        Whole = latents is null
            ? new BoundGraphs(backend, weights, networks.Denoiser(key), external)
            : new BoundGraphs(backend, weights, networks.Denoiser(key), external, (Networks.Latents, latents));
        try
        {
            if (key.Deep == DeepFeatures.Out)
            {
                // No map is captured here: a captured step is computed whole.
                var plans = networks.Denoiser(key with { Deep = DeepFeatures.In, CapturedBlock = 0 });
                AroundDeep = new BoundGraphs(
                    backend, weights, plans, external, (Networks.Latents, Whole[Networks.Latents]), (Networks.Deep, Whole[Networks.Deep]));
            }
        }
        catch
        {
            Whole.Dispose();
            throw;
        }
    }

    /// <summary>Guidance halves that are computed together, 1 or 2.</summary>
    public int Halves { get; }

    /// <summary>The whole U-Net; gives its deep features out.</summary>
    public BoundGraphs Whole { get; }

    /// <summary>The U-Net around given deep features; null where none are reused.</summary>
    public BoundGraphs? AroundDeep { get; }

    /// <summary>Both.</summary>
    public IEnumerable<BoundGraphs> All => AroundDeep is null ? [Whole] : [Whole, AroundDeep];

    /// <inheritdoc/>
    public void Dispose()
    {
        AroundDeep?.Dispose();
        Whole.Dispose();
    }
}
