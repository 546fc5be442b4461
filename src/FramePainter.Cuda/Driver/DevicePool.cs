namespace FramePainter.Cuda.Driver;

/// <summary>
/// The device's memory: freed blocks are kept for the next request that they fit, since asking the driver makes the whole device wait.
/// When the device runs out, kept blocks are given back and the request is tried once more.
/// </summary>
internal sealed class DevicePool(CudaContext context) : IDisposable
{
    const long Grain = 512;

    readonly Lock _gate = new();
    readonly List<(ulong Address, long Bytes)> _free = [];

    /// <summary>A block of at least so many bytes, aligned to 256; its contents are left over.</summary>
    /// <exception cref="PlanException">The device has not enough memory.</exception>
    public DeviceBlock Rent(long bytes)
    {
        var rounded = Math.Max(Grain, (bytes + Grain - 1) / Grain * Grain);
        lock (_gate)
        {
            context.MakeCurrent();
            var best = -1;
            for (var i = 0; i < _free.Count; i++)
            {
                // A block more than an eighth too large is kept for something larger.
                if (_free[i].Bytes >= rounded && _free[i].Bytes - rounded <= rounded / 8 && (best < 0 || _free[i].Bytes < _free[best].Bytes))
                {
                    best = i;
                }
            }

            if (best >= 0)
            {
                var (address, size) = _free[best];
                _free.RemoveAt(best);
                return new DeviceBlock(this, address, size);
            }

            var code = NativeDriver.cuMemAlloc_v2(out var fresh, (nuint)rounded);
            if (code == DriverCall.OutOfMemory)
            {
                Trim();
                code = NativeDriver.cuMemAlloc_v2(out fresh, (nuint)rounded);
            }

            if (code == DriverCall.OutOfMemory)
            {
                DriverCall.Check(NativeDriver.cuMemGetInfo_v2(out var left, out var total));
                throw new PlanException($"{context.Name} has {left >> 20} of {total >> 20} MiB free, and {rounded >> 20} MiB more are wanted. Edit a smaller picture or free memory on the device.");
            }

            DriverCall.Check(code, nameof(NativeDriver.cuMemAlloc_v2) + "(");
            return new DeviceBlock(this, fresh, rounded);
        }
    }

    internal void Return(ulong address, long bytes)
    {
        lock (_gate)
        {
            _free.Add((address, bytes));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            Trim();
        }
    }

    void Trim()
    {
        foreach (var (address, _) in _free)
        {
            _ = NativeDriver.cuMemFree_v2(address);
        }

        _free.Clear();
    }
}

/// <summary>A block of device memory; disposing gives it back to its pool.</summary>
internal sealed class DeviceBlock(DevicePool pool, ulong address, long bytes) : IDisposable
{
    bool _returned;

    /// <summary>Its first byte.</summary>
    public ulong Address => address;

    /// <summary>Its size.</summary>
    public long Bytes => bytes;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_returned)
        {
            _returned = true;
            pool.Return(address, bytes);
        }
    }
}
