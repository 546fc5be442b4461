namespace FramePainter.Cuda.Driver;

/// <summary>Bytes in memory of the host that the device copies from by itself.</summary>
internal sealed unsafe class PinnedBlock : IDisposable
{
    readonly CudaContext _context;
    nint _address;

    /// <summary>Copies bytes to pinned memory.</summary>
    /// <exception cref="PlanException">The host has not enough of it.</exception>
    public PinnedBlock(CudaContext context, ReadOnlySpan<byte> bytes)
    {
        (_context, Bytes) = (context, bytes.Length);
        context.MakeCurrent();
        var code = NativeDriver.cuMemAllocHost_v2(out _address, (nuint)bytes.Length);
        if (code == DriverCall.OutOfMemory)
        {
            throw new PlanException($"The host gives no {bytes.Length >> 10} KiB of pinned memory for weights of {context.Info}. Under a memory budget all weights are kept there: free memory of the host, allow the process to lock more (ulimit -l), or set {nameof(CudaOptions)}.{nameof(CudaOptions.MemoryBudget)} to null.");
        }

        DriverCall.Check(code, nameof(NativeDriver.cuMemAllocHost_v2) + "(");
        bytes.CopyTo(new Span<byte>((void*)_address, bytes.Length));
    }

    /// <summary>Its size.</summary>
    public int Bytes { get; }

    /// <summary>Queues a copy to the device.</summary>
    public void Upload(ulong destination, nint stream) =>
        DriverCall.Check(NativeDriver.cuMemcpyHtoDAsync_v2(destination, (void*)_address, (nuint)Bytes, stream));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_address != 0)
        {
            _context.TryMakeCurrent();
            _ = NativeDriver.cuMemFreeHost(_address);
            _address = 0;
        }
    }
}
