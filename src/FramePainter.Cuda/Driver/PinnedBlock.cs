namespace FramePainter.Cuda.Driver;

/// <summary>Makes the bytes of a block.</summary>
internal delegate Span<byte> Packing();

/// <summary>Bytes in memory of the host that the device copies from by itself.</summary>
internal sealed unsafe class PinnedBlock : IDisposable
{
    readonly CudaContext _context;
    nint _address;
    bool _given;

    /// <summary>Takes pinned memory and fills it.</summary>
    /// <param name="context">The device.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="pack">Makes its contents; not asked where memory is only counted.</param>
    /// <exception cref="PlanException">The host has not enough of it.</exception>
    public PinnedBlock(CudaContext context, int bytes, Packing pack)
    {
        (_context, Bytes) = (context, bytes);
        context.MakeCurrent();
        var code = context.TakePinned(out _address, bytes);
        if (code == DriverCall.OutOfMemory)
        {
            throw new PlanException($"The host gives no {bytes >> 10} KiB of pinned memory for weights of {context.Info}. Under a memory budget all weights are kept there: free memory of the host, allow the process to lock more (ulimit -l), or set {nameof(CudaOptions)}.{nameof(CudaOptions.MemoryBudget)} to null.");
        }

        DriverCall.Check(code, nameof(NativeDriver.cuMemAllocHost_v2) + "(");
        if (context.Counts)
        {
            return;
        }

        try
        {
            pack().CopyTo(new Span<byte>((void*)_address, bytes));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Its size.</summary>
    public int Bytes { get; }

    /// <summary>Queues a copy to the device.</summary>
    public void Upload(ulong destination, nint stream) =>
        DriverCall.Check(NativeDriver.cuMemcpyHtoDAsync_v2(destination, (void*)_address, (nuint)Bytes, stream));

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_given)
        {
            _given = true;
            _context.TryMakeCurrent();
            _context.GiveBackPinned(_address, Bytes);
        }
    }
}
