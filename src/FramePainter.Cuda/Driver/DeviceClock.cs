namespace FramePainter.Cuda.Driver;

/// <summary>Two events that time what is queued between them, by the device's own clock.</summary>
internal sealed class DeviceClock : IDisposable
{
    readonly nint _begin, _end;

    public DeviceClock()
    {
        DriverCall.Check(NativeDriver.cuEventCreate(out _begin, 0));
        DriverCall.Check(NativeDriver.cuEventCreate(out _end, 0));
    }

    /// <summary>Milliseconds that the device takes for what an action queues.</summary>
    public double Measure(nint stream, Action queue)
    {
        DriverCall.Check(NativeDriver.cuEventRecord(_begin, stream));
        queue();
        DriverCall.Check(NativeDriver.cuEventRecord(_end, stream));
        DriverCall.Check(NativeDriver.cuStreamSynchronize(stream));
        DriverCall.Check(NativeDriver.cuEventElapsedTime(out var milliseconds, _begin, _end));
        return milliseconds;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = NativeDriver.cuEventDestroy_v2(_begin);
        _ = NativeDriver.cuEventDestroy_v2(_end);
    }
}
