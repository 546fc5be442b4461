namespace FramePainter.Pipeline;

/// <summary>
/// What an edit can take over from the edit before it on the same picture: the CLIP row, latents by size and seed (the noise added to the picture
/// is the seed's), and the denoiser with its memory. One edit at a time.
/// </summary>
/// <param name="image">The picture.</param>
/// <param name="once">There is but one edit: the denoiser goes before the decoder needs its memory.</param>
internal sealed class PictureCache(PixelImage image, bool once = false) : IDisposable
{
    /// <summary>Latents that are kept; those longest there make room. 0.6 MB each at 1024×576.</summary>
    const int MaxLatents = 64;

    readonly Dictionary<LatentsKey, float[]> _latents = [];
    readonly Queue<LatentsKey> _order = new();
    Denoiser? _denoiser;

    /// <summary>The picture.</summary>
    public PixelImage Image => image;

    /// <summary>Its CLIP row, once known.</summary>
    public float[]? Context { get; set; }

    /// <summary>Whether the denoiser outlives an edit.</summary>
    public bool KeepsDenoiser => !once;

    /// <summary>Whether there is a denoiser now.</summary>
    public bool HoldsDenoiser => _denoiser is not null;

    /// <summary>The latents of a size and seed, or null.</summary>
    public float[]? Find(LatentsKey key) => _latents.GetValueOrDefault(key);

    /// <summary>Keeps latents.</summary>
    public void Keep(LatentsKey key, float[] latents)
    {
        if (_order.Count == MaxLatents)
        {
            _latents.Remove(_order.Dequeue());
        }

        _latents.Add(key, latents);
        _order.Enqueue(key);
    }

    /// <summary>The denoiser of a key: the last one if it is its, else a new one in its place.</summary>
    public Denoiser Denoiser(DenoiseKey key, Func<Denoiser> make)
    {
        KeepOnly(key);
        return _denoiser ??= make();
    }

    /// <summary>Gives the denoiser back unless it is the one of a key: with what comes before the new one, both could be more memory than there is.</summary>
    public void KeepOnly(DenoiseKey key)
    {
        if (_denoiser?.Key != key)
        {
            Dispose();
        }
    }

    /// <summary>The denoiser has done its work for this edit.</summary>
    public void EndDenoising()
    {
        if (once)
        {
            Dispose();
        }
    }

    public void Dispose()
    {
        _denoiser?.Dispose();
        _denoiser = null;
    }
}

/// <summary>What a picture's latents depend on.</summary>
/// <param name="Width">Working width in pixels.</param>
/// <param name="Height">Working height in pixels.</param>
/// <param name="Fit">How the picture is brought there.</param>
/// <param name="Seed">Seed of the noise added to it.</param>
internal readonly record struct LatentsKey(int Width, int Height, Fit Fit, long Seed);
