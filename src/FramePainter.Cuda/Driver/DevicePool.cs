using FramePainter.Backends;

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
    readonly MemoryTally _tally = new();
    (long Bytes, string Option)? _limit = budget is { } own ? (own, $"{nameof(CudaOptions)}.{nameof(CudaOptions.MemoryBudget)}") : null;

    /// <summary>What is taken from the driver, blocks kept for later included, with its highest moments.</summary>
    public MemoryTally Tally => _tally;

    /// <summary>The most that may be held; null for all there is.</summary>
    public long? Limit
    {
        get
        {
            lock (_gate)
            {
                return _limit?.Bytes;
            }
        }
    }

    /// <summary>Holds it to so many bytes, where it is not held to fewer.</summary>
    public void LimitTo(long bytes)
    {
        lock (_gate)
        {
            if (_limit is not { } limit || bytes < limit.Bytes)
            {
                _limit = (bytes, $"{nameof(PainterOptions)}.{nameof(PainterOptions.MemoryBudget)}");
            }
        }
    }

    /// <summary>A block of at least so many bytes, aligned to 256; its contents are left over.</summary>
    /// <param name="use">What the bytes are for.</param>
    /// <exception cref="PlanException">The device has not enough memory, or the budget is spent.</exception>
    public DeviceBlock Rent(DeviceMemory use)
    {
        if (TryRent(use) is { } block)
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

        return TryRent(use) ?? throw Refusal(Rounded(use).InUse);
    }

    /// <summary>The same, but nothing where there is not enough.</summary>
    public DeviceBlock? TryRent(DeviceMemory use)
    {
        use = Rounded(use);
        var rounded = use.InUse;
        lock (_gate)
        {
            context.MakeCurrent();
            var best = -1;
            for (var i = 0; i < _free.Count; i++)
            {
                // A block more than an eighth too large is kept for something larger. Where there is a limit, none may be too large: what is in use is then
                // the sum of what was asked for, whatever was there before, and an edit that fits once fits again.
                if (_free[i].Bytes >= rounded && _free[i].Bytes - rounded <= (_limit is null ? rounded / 8 : 0) && (best < 0 || _free[i].Bytes < _free[best].Bytes))
                {
                    best = i;
                }
            }

            if (best >= 0)
            {
                var (address, size) = _free[best];
                _free.RemoveAt(best);
                _tally.Add(use with { Spare = -rounded });
                return new DeviceBlock(this, address, size, use);
            }

            if (Exceeds(rounded))
            {
                Trim();
                if (Exceeds(rounded))
                {
                    return null;
                }
            }

            var code = context.Take(out var fresh, rounded);
            if (code == DriverCall.OutOfMemory)
            {
                Trim();
                code = context.Take(out fresh, rounded);
            }

            if (code == DriverCall.OutOfMemory)
            {
                return null;
            }

            DriverCall.Check(code, nameof(NativeDriver.cuMemAlloc_v2) + "(");
            _tally.Add(use);
            return new DeviceBlock(this, fresh, rounded, use);
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

    internal void Return(ulong address, long bytes, DeviceMemory use)
    {
        lock (_gate)
        {
            _free.Add((address, bytes));
            _tally.Add(new DeviceMemory(0, 0, 0, use.InUse) - use);
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

    /// <summary>In whole grains; what that adds counts with the weights, or else with the workspace.</summary>
    static DeviceMemory Rounded(DeviceMemory use)
    {
        var more = Math.Max(Grain, (use.InUse + Grain - 1) / Grain * Grain) - use.InUse;
        return use.Weights > 0 ? use with { Weights = use.Weights + more } : use with { Workspace = use.Workspace + more };
    }

    bool Exceeds(long more) => _tally.Held.Total + more > _limit?.Bytes;

    void Trim()
    {
        foreach (var (address, bytes) in _free)
        {
            context.GiveBack(address);
            _tally.Add(new DeviceMemory(0, 0, 0, -bytes));
        }

        _free.Clear();
    }

    PlanException Refusal(long wanted)
    {
        lock (_gate)
        {
            if (_limit is { } limit && Exceeds(wanted))
            {
                var inUse = _tally.Held.InUse;
                return new PlanException($"{context.Info}: the memory budget is {Figure(limit.Bytes)}, {Figure(inUse)} of it are in use, and {Figure(wanted)} more are wanted. Raise {limit.Option} to {Figure(inUse + wanted)} or more, lower {nameof(CudaOptions.WeightMemory)}, or edit at a smaller size.");
            }

            DriverCall.Check(NativeDriver.cuMemGetInfo_v2(out var left, out var total));
            return new PlanException($"{context.Info}, has {Figure((long)left)} of {Figure((long)total)} free, and {Figure(wanted)} more are wanted. Edit at a smaller size, set {nameof(CudaOptions)}.{nameof(CudaOptions.MemoryBudget)} so that weights stay on the host, or free memory on the device (nvidia-smi names who holds it).");
        }
    }

    static string Figure(long bytes) => bytes >= 10 << 20 ? $"{bytes >> 20} MiB" : $"{(bytes + 1023) >> 10} KiB";
}

/// <summary>A block of device memory; disposing gives it back to its pool.</summary>
internal sealed class DeviceBlock(DevicePool pool, ulong address, long bytes, DeviceMemory use) : IDisposable
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
            pool.Return(address, bytes, use);
        }
    }
}
