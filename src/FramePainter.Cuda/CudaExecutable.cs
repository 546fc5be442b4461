using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Cuda.Kernels;
using FramePainter.Graphs;

namespace FramePainter.Cuda;

/// <summary>
/// A plan as a list of launches on a stream of its own. Run twice over the same addresses, the list is recorded as a CUDA graph and
/// replayed from then on; a binding that moves a value throws the recording away.
/// </summary>
internal sealed class CudaExecutable : IExecutable
{
    const int CaptureThreadLocal = 1;

    readonly CudaContext _context;
    readonly LaunchList _launches;
    readonly ValuePlaces? _places;
    readonly nint _stream;
    nint _recording;
    bool _moved = true;
    bool _ranHere;
    bool _disposed;

    public CudaExecutable(Plan plan, CudaWeights weights, CudaContext context, CudaTuning tuning)
    {
        (Plan, _context) = (plan, context);
        _launches = new LaunchList(plan, weights, context, tuning);
        try
        {
            context.MakeCurrent();
            _launches.AddAll();
            _places = new ValuePlaces(plan, context.Pool, _launches.ScratchBytes);
            _stream = context.CreateStream();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public Plan Plan { get; }

    /// <inheritdoc/>
    public long Bytes => Places.Bytes;

    ValuePlaces Places => _places!;

    /// <inheritdoc/>
    public void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0)
    {
        if (byteOffset % 16 != 0 || byteOffset < 0 || byteOffset + value.Bytes > buffer.Bytes)
        {
            throw new ArgumentOutOfRangeException(nameof(byteOffset), $"{value} takes {value.Bytes} bytes at an aligned offset; offset {byteOffset} of {buffer.Bytes} does not do.");
        }

        var address = ((CudaBuffer)buffer).Address + (ulong)byteOffset;
        if (Places[value].Data != address)
        {
            Places.Set(value, address);
            _moved = true;
        }
    }

    /// <inheritdoc/>
    public void Run(CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        cancel.ThrowIfCancellationRequested();
        _context.MakeCurrent();
        if (_moved)
        {
            Settle();
        }

        if (_recording == 0 && _ranHere)
        {
            Record();
        }

        try
        {
            if (_recording != 0)
            {
                DriverCall.Check(NativeDriver.cuGraphLaunch(_recording, _stream));
            }
            else
            {
                Queue(cancel);
            }
        }
        finally
        {
            // A cancelled run must not write into memory that is given back.
            DriverCall.Check(NativeDriver.cuStreamSynchronize(_stream));
        }

        _ranHere = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _context.MakeCurrent();
        Forget();
        if (_stream != 0)
        {
            _ = NativeDriver.cuStreamDestroy_v2(_stream);
        }

        foreach (var launch in _launches.Launches)
        {
            launch.Dispose();
        }

        _places?.Dispose();
    }

    /// <summary>Writes the arguments of all launches down, with values where they are bound now.</summary>
    void Settle()
    {
        foreach (var values in (ReadOnlySpan<System.Collections.Immutable.ImmutableArray<Value>>)[Plan.Graph.Inputs, Plan.Graph.Outputs])
        {
            foreach (var value in values)
            {
                if (!Places.IsSet(value))
                {
                    throw new InvalidOperationException($"{value} of '{Plan.Graph.Name}' is not bound.");
                }
            }
        }

        Forget();
        for (var i = 0; i < _launches.Launches.Count; i++)
        {
            _launches.Launches[i].Fill(Places);
        }

        (_moved, _ranHere) = (false, false);
    }

    void Queue(CancellationToken cancel)
    {
        for (var i = 0; i < _launches.Launches.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            _launches.Launches[i].Queue(_stream);
        }
    }

    void Record()
    {
        DriverCall.Check(NativeDriver.cuStreamBeginCapture_v2(_stream, CaptureThreadLocal));
        nint graph = 0;
        try
        {
            Queue(CancellationToken.None);
        }
        finally
        {
            DriverCall.Check(NativeDriver.cuStreamEndCapture(_stream, out graph));
        }

        try
        {
            DriverCall.Check(NativeDriver.cuGraphInstantiateWithFlags(out _recording, graph, 0));
        }
        finally
        {
            _ = NativeDriver.cuGraphDestroy(graph);
        }
    }

    void Forget()
    {
        if (_recording != 0)
        {
            _ = NativeDriver.cuGraphExecDestroy(_recording);
            _recording = 0;
        }
    }
}
