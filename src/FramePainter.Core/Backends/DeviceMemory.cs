namespace FramePainter.Backends;

/// <summary>Memory of a device at one moment, or a change of it, in bytes.</summary>
/// <param name="Weights">Packed weights; on the processor, while they are packed, with what they are packed from.</param>
/// <param name="Arena">Values inside the plans that are compiled.</param>
/// <param name="Workspace">Scratch of their kernels, copies of weights under way, values at their borders and the table of control features.</param>
/// <param name="Spare">Given back, and kept by the backend for the next request.</param>
public readonly record struct DeviceMemory(long Weights, long Arena, long Workspace, long Spare = 0)
{
    /// <summary>What is in use.</summary>
    public long InUse => Weights + Arena + Workspace;

    /// <summary>All of it.</summary>
    public long Total => InUse + Spare;

    /// <summary>The sum, part by part.</summary>
    /// <param name="left">One.</param>
    /// <param name="right">The other.</param>
    public static DeviceMemory operator +(DeviceMemory left, DeviceMemory right) =>
        new(left.Weights + right.Weights, left.Arena + right.Arena, left.Workspace + right.Workspace, left.Spare + right.Spare);

    /// <summary>The difference, part by part.</summary>
    /// <param name="left">From which.</param>
    /// <param name="right">What is taken away.</param>
    public static DeviceMemory operator -(DeviceMemory left, DeviceMemory right) =>
        new(left.Weights - right.Weights, left.Arena - right.Arena, left.Workspace - right.Workspace, left.Spare - right.Spare);
}

/// <summary>Adds memory up as it is taken and given back, and keeps the highest moments. Thread-safe.</summary>
public sealed class MemoryTally
{
    readonly Lock _gate = new();
    DeviceMemory _held;
    DeviceMemory _peak;
    DeviceMemory _mostInUse;

    /// <summary>What is held now.</summary>
    public DeviceMemory Held
    {
        get
        {
            lock (_gate)
            {
                return _held;
            }
        }
    }

    /// <summary>The moment at which most was held.</summary>
    public DeviceMemory Peak
    {
        get
        {
            lock (_gate)
            {
                return _peak;
            }
        }
    }

    /// <summary>The moment at which most was in use.</summary>
    public DeviceMemory MostInUse
    {
        get
        {
            lock (_gate)
            {
                return _mostInUse;
            }
        }
    }

    /// <summary>Adds what is taken; negative parts are given back.</summary>
    /// <param name="change">The change.</param>
    public void Add(DeviceMemory change)
    {
        lock (_gate)
        {
            _held += change;
            Note(_held);
        }
    }

    /// <summary>Notes what is held for a moment beside the rest.</summary>
    /// <param name="beside">What is given back at once.</param>
    public void Touch(DeviceMemory beside)
    {
        lock (_gate)
        {
            Note(_held + beside);
        }
    }

    /// <summary>Forgets the highest moments before now.</summary>
    public void Restart()
    {
        lock (_gate)
        {
            (_peak, _mostInUse) = (_held, _held);
        }
    }

    void Note(DeviceMemory moment)
    {
        _peak = moment.Total > _peak.Total ? moment : _peak;
        _mostInUse = moment.InUse > _mostInUse.InUse ? moment : _mostInUse;
    }
}
