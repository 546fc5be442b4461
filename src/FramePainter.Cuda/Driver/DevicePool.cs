namespace FramePainter.Cuda.Driver;

/// <summary>
/// The device's memory: freed blocks are kept for the next request that they fit, since asking the driver makes the whole device wait.
/// When the device or the budget runs out, kept blocks are given back and the request is tried once more; then what else can be spared is.
/// </summary>
internal sealed class DevicePool(CudaContext context, long? budget) : IDisposable
{
    const long Grain = 512;

    readonly Lock _gate = new();
    readonly List<(ulong Address, long Bytes)> _free = [];
    readonly List<Action> _spares = [];
    long _held;
    long _peak;
    long _inUse;

    /// <summary>Bytes taken from the driver, those kept for later included.</summary>
    public long HeldBytes => Volatile.Read(ref _held);

    /// <summary>The most that was ever held.</summary>
    public long PeakBytes => Volatile.Read(ref _peak);

    /// <summary>A block of at least so many bytes, aligned to 256; its contents are left over.</summary>
    /// <exception cref="PlanException">The device has not enough memory, or the budget is spent.</exception>
    public DeviceBlock Rent(long bytes)
    {
        if (TryRent(bytes) is { } block)
        {
            return block;
        }

        // Not under the lock: sparing gives blocks back here.
        Action[] spares;
        lock (_gate)
        {
            spares = [.. _spares];
        }

        foreach (var spare in spares)
        {
            spare();
        }

        return TryRent(bytes) ?? throw Refusal(Round(bytes));
    }

    /// <summary>The same, but nothing where there is not enough.</summary>
    public DeviceBlock? TryRent(long bytes)
    {
        var rounded = Round(bytes);
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
                _inUse += size;
                return new DeviceBlock(this, address, size);
            }

            if (_held + rounded > budget)
            {
                Trim();
                if (_held + rounded > budget)
                {
                    return null;
                }
            }

            var code = NativeDriver.cuMemAlloc_v2(out var fresh, (nuint)rounded);
            if (code == DriverCall.OutOfMemory)
            {
                Trim();
                code = NativeDriver.cuMemAlloc_v2(out fresh, (nuint)rounded);
            }

            if (code == DriverCall.OutOfMemory)
            {
                return null;
            }

            DriverCall.Check(code, nameof(NativeDriver.cuMemAlloc_v2) + "(");
            _held += rounded;
            _inUse += rounded;
            _peak = Math.Max(_peak, _held);
            return new DeviceBlock(this, fresh, rounded);
        }
    }

    /// <summary>Names something that gives blocks back when memory runs out.</summary>
    public void AddSpare(Action spare)
    {
        lock (_gate)
        {
            _spares.Add(spare);
        }
    }

    /// <summary>Forgets it.</summary>
    public void RemoveSpare(Action spare)
    {
        lock (_gate)
        {
            _spares.Remove(spare);
        }
    }

    internal void Return(ulong address, long bytes)
    {
        lock (_gate)
        {
            _free.Add((address, bytes));
            _inUse -= bytes;
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

    static long Round(long bytes) => Math.Max(Grain, (bytes + Grain - 1) / Grain * Grain);

    void Trim()
    {
        foreach (var (address, bytes) in _free)
        {
            _ = NativeDriver.cuMemFree_v2(address);
            _held -= bytes;
        }

        _free.Clear();
    }

    PlanException Refusal(long wanted)
    {
        lock (_gate)
        {
            if (_held + wanted > budget)
            {
                return new PlanException($"{context.Info}: the memory budget is {Figure(budget.Value)}, {Figure(_inUse)} of it are in use, and {Figure(wanted)} more are wanted. Raise {nameof(CudaOptions)}.{nameof(CudaOptions.MemoryBudget)} to {Figure(_inUse + wanted)} or more, lower {nameof(CudaOptions.WeightMemory)}, or edit at a smaller size.");
            }

            DriverCall.Check(NativeDriver.cuMemGetInfo_v2(out var left, out var total));
            return new PlanException($"{context.Info}, has {Figure((long)left)} of {Figure((long)total)} free, and {Figure(wanted)} more are wanted. Edit at a smaller size, set {nameof(CudaOptions)}.{nameof(CudaOptions.MemoryBudget)} so that weights stay on the host, or free memory on the device (nvidia-smi names who holds it).");
        }
    }

    static string Figure(long bytes) => bytes >= 10 << 20 ? $"{bytes >> 20} MiB" : $"{(bytes + 1023) >> 10} KiB";
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
