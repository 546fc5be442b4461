using FramePainter.Cuda.Driver;

namespace FramePainter.Cuda.Streaming;

/// <summary>
/// Packed matrices in pinned memory of the host, some of them on the device too: as many as fit a share of the budget. Those that a compiled
/// plan holds stay; others make room, the one held longest ago first. Thread-safe.
/// </summary>
internal sealed class HostWeights : IDisposable
{
    readonly CudaContext _context;
    readonly Lock _gate = new();
    readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    long _resident;
    long _clock;

    public HostWeights(CudaContext context, long share)
    {
        (_context, Share) = (context, share);
        context.Pool.AddSpare(Spare);
    }

    /// <summary>Bytes of the device's memory that matrices may fill.</summary>
    public long Share { get; }

    /// <summary>Bytes of matrices on the device.</summary>
    public long ResidentBytes
    {
        get
        {
            lock (_gate)
            {
                return _resident;
            }
        }
    }

    /// <summary>Packs a matrix, once.</summary>
    public void Add(string key, Func<ushort[]> pack)
    {
        lock (_gate)
        {
            if (!_entries.ContainsKey(key))
            {
                _entries.Add(key, new Entry(new PinnedBlock(_context, System.Runtime.InteropServices.MemoryMarshal.AsBytes(pack().AsSpan()))));
            }
        }
    }

    /// <summary>A packed matrix.</summary>
    public PinnedBlock this[string key]
    {
        get
        {
            lock (_gate)
            {
                return _entries[key].Host;
            }
        }
    }

    /// <summary>Keeps a matrix on the device until it is let go; returns its address, or 0 where there is no room for it.</summary>
    public ulong Hold(string key)
    {
        lock (_gate)
        {
            var entry = _entries[key];
            if (entry.Device is null && !TryBring(entry))
            {
                return 0;
            }

            entry.Holders++;
            entry.LastHeld = _clock++;
            return entry.Device!.Address;
        }
    }

    /// <summary>Lets a matrix go.</summary>
    public void Release(string key)
    {
        lock (_gate)
        {
            _entries[key].Holders--;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.Pool.RemoveSpare(Spare);
        lock (_gate)
        {
            foreach (var entry in _entries.Values)
            {
                entry.Device?.Dispose();
                entry.Host.Dispose();
            }

            _entries.Clear();
            _resident = 0;
        }
    }

    bool TryBring(Entry entry)
    {
        while (_resident + entry.Host.Bytes > Share)
        {
            if (entry.Host.Bytes > Share || _entries.Values.Where(e => e.Device is not null && e.Holders == 0).MinBy(e => e.LastHeld) is not { } idle)
            {
                return false;
            }

            Evict(idle);
        }

        if (_context.Pool.TryRent(entry.Host.Bytes) is not { } block)
        {
            return false;
        }

        try
        {
            _context.Upload(block.Address, entry.Host);
        }
        catch
        {
            block.Dispose();
            throw;
        }

        entry.Device = block;
        _resident += block.Bytes;
        return true;
    }

    void Spare()
    {
        lock (_gate)
        {
            foreach (var idle in _entries.Values.Where(e => e.Device is not null && e.Holders == 0))
            {
                Evict(idle);
            }
        }
    }

    void Evict(Entry entry)
    {
        _resident -= entry.Device!.Bytes;
        entry.Device.Dispose();
        entry.Device = null;
    }

    sealed class Entry(PinnedBlock host)
    {
        public PinnedBlock Host => host;

        public DeviceBlock? Device { get; set; }

        public int Holders { get; set; }

        public long LastHeld { get; set; }
    }
}
