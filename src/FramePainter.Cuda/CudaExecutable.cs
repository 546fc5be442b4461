using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Cuda.Kernels;
using FramePainter.Cuda.Streaming;
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
    readonly WeightStream? _weights;
    readonly ValuePlaces? _places;
    readonly nint _stream;
    nint _recording;
    bool _moved = true;
    bool _ranHere;
    bool _disposed;

    public CudaExecutable(Plan plan, CudaWeights weights, CudaContext context, CudaTuning tuning)
    {
        (Plan, _context) = (plan, context);
        _weights = weights.Host is { } host ? new WeightStream(context, weights, host, Survey(plan, weights, host, context, tuning)) : null;
        _launches = new LaunchList(plan, _weights is null ? weights : _weights, context, tuning);
        try
        {
            context.MakeCurrent();
            _launches.AddAll();
            _weights?.EndPlan(_launches.Launches.Count);
            _places = new ValuePlaces(plan, context.Pool, _launches.ScratchBytes, _launches.PartialBytes, _launches.NormBytes);
            context.Clear(_places.Counters, ValuePlaces.CounterBytes);
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
    public long Bytes => Places.Bytes + (_weights?.Bytes ?? 0);

    /// <summary>What it queues, in order.</summary>
    internal IReadOnlyList<Launch> Launches => _launches.Launches;

    /// <summary>Bytes of weights copied to the device at every run.</summary>
    public long StreamedBytes => _weights?.StreamedBytes ?? 0;

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
            _recording = Record(() => Queue(CancellationToken.None));
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
            var code = NativeDriver.cuStreamSynchronize(_stream);
            _weights?.Finish();
            DriverCall.Check(code, nameof(NativeDriver.cuStreamSynchronize) + "(");
        }

        _ranHere = true;
    }

    /// <summary>
    /// Times every launch by itself: events around a few in a row, so that short kernels hide the driver's own time. What the plan computes is
    /// thrown away (ops that update in place ran several times). Weights that are streamed are not brought.
    /// </summary>
    /// <param name="repeats">Launches in a row.</param>
    /// <returns>Milliseconds of one launch, for each in order.</returns>
    internal IReadOnlyList<(Launch Launch, double Milliseconds)> Time(int repeats)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _context.MakeCurrent();
        if (_moved)
        {
            Settle();
        }

        using var clock = new DeviceClock();
        return [.. _launches.Launches.Select(launch => (launch, TimeRounds(clock, [launch], repeats)))];
    }

    /// <summary>Times some launches together, one behind the other, round after round: queued one by one, and replayed as a graph, which leaves the processor out.</summary>
    /// <param name="which">Which launches.</param>
    /// <param name="rounds">Rounds between two events.</param>
    /// <param name="repeats">Times that are measured.</param>
    /// <returns>Milliseconds of a round, each time.</returns>
    internal (IReadOnlyList<double> Queued, IReadOnlyList<double> Replayed) TimeTogether(Func<Launch, bool> which, int rounds, int repeats)
    {
        Run();
        var launches = _launches.Launches.Where(which).ToArray();
        using var clock = new DeviceClock();
        double[] queued = [.. Enumerable.Range(0, repeats).Select(_ => TimeRounds(clock, launches, rounds))];
        var recording = Record(() => QueueRounds(launches, rounds));
        try
        {
            return (queued, [.. Enumerable.Range(0, repeats).Select(_ => clock.Measure(_stream, () => DriverCall.Check(NativeDriver.cuGraphLaunch(recording, _stream))) / rounds)]);
        }
        finally
        {
            _ = NativeDriver.cuGraphExecDestroy(recording);
        }
    }

    /// <summary>Times whole runs on the device.</summary>
    /// <param name="repeats">Runs, after two that are not counted.</param>
    /// <returns>Milliseconds of each.</returns>
    internal IReadOnlyList<double> TimeRuns(int repeats)
    {
        Run();
        Run();
        using var clock = new DeviceClock();
        return [.. Enumerable.Range(0, repeats).Select(_ => clock.Measure(_stream, () => Run()))];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _context.TryMakeCurrent();
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
        _weights?.Dispose();
    }

    double TimeRounds(DeviceClock clock, Launch[] launches, int rounds) => clock.Measure(_stream, () => QueueRounds(launches, rounds)) / rounds;

    void QueueRounds(Launch[] launches, int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            foreach (var launch in launches)
            {
                launch.Queue(_stream);
            }
        }
    }

    /// <summary>Makes all launches once for nothing, to learn which matrices the plan reads and in what order.</summary>
    static IReadOnlyList<MatrixUse> Survey(Plan plan, CudaWeights weights, HostWeights host, CudaContext context, CudaTuning tuning)
    {
        var survey = new WeightSurvey(weights, host);
        var trial = new LaunchList(plan, survey, context, tuning);
        try
        {
            context.MakeCurrent();
            trial.AddAll();
        }
        finally
        {
            foreach (var launch in trial.Launches)
            {
                launch.Dispose();
            }
        }

        return survey.Uses;
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
        if (_weights is not null)
        {
            _weights.Queue(_launches.Launches, _stream, cancel);
            return;
        }

        for (var i = 0; i < _launches.Launches.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            _launches.Launches[i].Queue(_stream);
        }
    }

    /// <summary>What an action queues, as a graph.</summary>
    nint Record(Action queue)
    {
        DriverCall.Check(NativeDriver.cuStreamBeginCapture_v2(_stream, CaptureThreadLocal));
        nint graph = 0;
        try
        {
            try
            {
                queue();
            }
            finally
            {
                DriverCall.Check(NativeDriver.cuStreamEndCapture(_stream, out graph));
            }

            DriverCall.Check(NativeDriver.cuGraphInstantiateWithFlags(out var recording, graph, 0));
            return recording;
        }
        finally
        {
            if (graph != 0)
            {
                _ = NativeDriver.cuGraphDestroy(graph);
            }
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
