namespace FramePainter.Cuda.Driver;

/// <summary>A device whose memory is counted and not taken: the pool, the stores of weights and the executables find their places over it as they do over the device.</summary>
/// <param name="device">The device, for its kernels; outlives this.</param>
/// <param name="budget">Bytes that it may give out; null for any number.</param>
internal sealed class CountingContext(CudaContext device, long? budget) : CudaContext(device, budget)
{
    /// <summary>Addresses are as well aligned as the driver's, and none is 0.</summary>
    const ulong FirstAddress = 1 << 20;

    ulong _next = FirstAddress;
    long _pinned = StagingBytes;

    /// <inheritdoc/>
    public override bool Counts => true;

    /// <summary>The most pinned memory of the host that was held at once.</summary>
    public long PinnedPeak { get; private set; } = StagingBytes;

    /// <inheritdoc/>
    public override nint CreateStream() => 0;

    /// <inheritdoc/>
    public override nint CreateEvent() => 0;

    /// <inheritdoc/>
    public override void Upload(ulong destination, PinnedBlock source)
    {
    }

    /// <inheritdoc/>
    public override void Upload(ulong destination, ReadOnlySpan<byte> source)
    {
    }

    /// <inheritdoc/>
    public override void Download(Span<byte> destination, ulong source) => destination.Clear();

    /// <inheritdoc/>
    public override void WritePicture(ulong destination, ReadOnlySpan<byte> pixels, ReadOnlySpan<float> values, ReadOnlySpan<float> noise, float strength, bool naive)
    {
    }

    /// <inheritdoc/>
    public override bool ReadPicture(Span<byte> pixels, ulong source, bool naive)
    {
        pixels.Clear();
        return true;
    }

    /// <inheritdoc/>
    public override void Clear(ulong address, long bytes)
    {
    }

    /// <inheritdoc/>
    public override int Take(out ulong address, long bytes)
    {
        address = _next;
        _next += (ulong)bytes;
        return 0;
    }

    /// <inheritdoc/>
    public override void GiveBack(ulong address)
    {
    }

    /// <inheritdoc/>
    public override int TakePinned(out nint address, long bytes)
    {
        address = 0;
        _pinned += bytes;
        PinnedPeak = Math.Max(PinnedPeak, _pinned);
        return 0;
    }

    /// <inheritdoc/>
    public override void GiveBackPinned(nint address, long bytes) => _pinned -= bytes;
}
