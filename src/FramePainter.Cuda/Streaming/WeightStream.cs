using FramePainter.Backends;
using FramePainter.Cuda.Driver;
using FramePainter.Cuda.Kernels;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Streaming;

/// <summary>
/// The matrices of one plan. Those that the store has room for stay on the device; the others are copied there at every run, on a stream of
/// their own, into two halves of a window by turns: while the launches that read one half run, the other is filled. Every matrix has a fixed
/// place, so that launches and copies alike can be recorded.
/// </summary>
internal sealed class WeightStream : PlanWeights, IDisposable
{
    /// <summary>Enough bytes to keep the bus busy for a millisecond.</summary>
    const long LargestHalf = 32 << 20;

    const int Alignment = 256;
    const int ShareOfWindow = 8;

    readonly CudaContext _context;
    readonly HostWeights _host;
    readonly IReadOnlyList<MatrixUse> _uses;
    readonly ulong[] _addresses;
    readonly HashSet<string> _held = new(StringComparer.Ordinal);
    readonly List<Batch> _batches = [];
    readonly List<int> _opStarts = [];
    readonly List<nint> _events = [];
    readonly DeviceBlock? _window;
    readonly nint _copies;
    readonly nint _begun;
    int _next;

    /// <summary>Finds a place for every matrix.</summary>
    /// <param name="context">The device.</param>
    /// <param name="store">The other weights.</param>
    /// <param name="host">The matrices.</param>
    /// <param name="uses">What the plan's ops read, in order.</param>
    /// <exception cref="PlanException">The device has no room for the window.</exception>
    public WeightStream(CudaContext context, CudaWeights store, HostWeights host, IReadOnlyList<MatrixUse> uses)
        : base(store)
    {
        (_context, _host, _uses, _addresses) = (context, host, uses, new ulong[uses.Count]);
        try
        {
            var resident = new Dictionary<string, ulong>(StringComparer.Ordinal);
            foreach (var key in uses.Select(u => u.Key).Distinct(StringComparer.Ordinal))
            {
                if (host.Hold(key) is not 0 and var address)
                {
                    resident.Add(key, address);
                    _held.Add(key);
                }
            }

            var streamed = uses.Where(u => !resident.ContainsKey(u.Key)).GroupBy(u => u.Op, u => u.Key).Select(g => new OpNeeds(g.Key, [.. g.Distinct(StringComparer.Ordinal)])).ToArray();
            if (streamed.Length > 0)
            {
                var half = Math.Max(streamed.Max(Need), Math.Min(streamed.Sum(Need), Math.Min(LargestHalf, host.Share / ShareOfWindow)));
                _window = context.Pool.Rent(new DeviceMemory(0, 0, 2 * half));
                _copies = context.CreateStream();
                _begun = CreateEvent();
                Fill(streamed, half);
            }

            for (var i = 0; i < uses.Count; i++)
            {
                _addresses[i] = resident.TryGetValue(uses[i].Key, out var address) ? address : _batches.First(b => b.LastOp >= uses[i].Op).Places[uses[i].Key];
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the window.</summary>
    public long Bytes => _window?.Bytes ?? 0;

    /// <summary>Bytes copied at every run.</summary>
    public long StreamedBytes => _batches.Sum(b => b.Copies.Sum(c => (long)c.Source.Bytes));

    public override ulong Matrix(WeightMatrix matrix, MatrixForm form) => _uses[_next].Key == CudaWeights.MatrixKey(matrix, form)
        ? _addresses[_next++]
        : throw new InvalidOperationException($"Matrix {matrix.Key} was not the one asked for when places were found.");

    public override void BeginOp(int launches) => _opStarts.Add(launches);

    /// <summary>Notes which launches read each half; after the last op.</summary>
    /// <param name="launches">All launches.</param>
    public void EndPlan(int launches)
    {
        _opStarts.Add(launches);
        foreach (var batch in _batches)
        {
            (batch.FirstLaunch, batch.EndLaunch) = (_opStarts[batch.FirstOp], _opStarts[batch.LastOp + 1]);
        }
    }

    /// <summary>Queues all launches, and the copies that they wait for.</summary>
    public void Queue(IReadOnlyList<Launch> launches, nint stream, CancellationToken cancel)
    {
        if (_batches.Count > 0)
        {
            // While launches are recorded, this makes the copies part of the recording.
            Order(_begun, stream, _copies);
            Copy(0);
            Copy(1);
        }

        var at = 0;
        for (var i = 0; i < launches.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            if (at < _batches.Count && _batches[at].FirstLaunch == i)
            {
                DriverCall.Check(NativeDriver.cuStreamWaitEvent(stream, _batches[at].Copied, 0));
            }

            // Among copies' events none begins early: no card has been seen to record both together.
            launches[i].Queue(stream, mayBeginEarly: false);
            if (at < _batches.Count && _batches[at].EndLaunch == i + 1)
            {
                if (at + 2 < _batches.Count)
                {
                    // The half may be filled anew only when what it held is used.
                    Order(_batches[at].Used, stream, _copies);
                    Copy(at + 2);
                }

                at++;
            }
        }
    }

    /// <summary>Waits for copies that a broken run left under way.</summary>
    public void Finish()
    {
        if (_copies != 0)
        {
            DriverCall.Check(NativeDriver.cuStreamSynchronize(_copies));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.TryMakeCurrent();
        if (_copies != 0)
        {
            _ = NativeDriver.cuStreamDestroy_v2(_copies);
        }

        foreach (var handle in _events.Where(h => h != 0))
        {
            _ = NativeDriver.cuEventDestroy_v2(handle);
        }

        _events.Clear();
        _batches.Clear();
        _window?.Dispose();
        foreach (var key in _held)
        {
            _host.Release(key);
        }

        _held.Clear();
    }

    nint CreateEvent()
    {
        var created = _context.CreateEvent();
        _events.Add(created);
        return created;
    }

    static void Order(nint handle, nint first, nint second)
    {
        DriverCall.Check(NativeDriver.cuEventRecord(handle, first));
        DriverCall.Check(NativeDriver.cuStreamWaitEvent(second, handle, 0));
    }

    static long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    long Need(OpNeeds op) => op.Keys.Sum(k => Align(_host[k].Bytes));

    /// <summary>Ops in a row share a half as long as their matrices fit it.</summary>
    void Fill(OpNeeds[] ops, long half)
    {
        Batch? batch = null;
        long used = 0;
        foreach (var op in ops)
        {
            if (batch is null || used + op.Keys.Where(k => !batch.Places.ContainsKey(k)).Sum(k => Align(_host[k].Bytes)) > half)
            {
                batch = new Batch(op.Op, CreateEvent(), CreateEvent());
                _batches.Add(batch);
                used = 0;
            }

            batch.LastOp = op.Op;
            foreach (var key in op.Keys.Where(k => !batch.Places.ContainsKey(k)))
            {
                var place = _window!.Address + (ulong)(((_batches.Count - 1) % 2 * half) + used);
                batch.Places.Add(key, place);
                batch.Copies.Add((place, _host[key]));
                used += Align(_host[key].Bytes);
            }
        }
    }

    void Copy(int index)
    {
        if (index >= _batches.Count)
        {
            return;
        }

        var batch = _batches[index];
        for (var i = 0; i < batch.Copies.Count; i++)
        {
            batch.Copies[i].Source.Upload(batch.Copies[i].Destination, _copies);
        }

        DriverCall.Check(NativeDriver.cuEventRecord(batch.Copied, _copies));
    }

    readonly record struct OpNeeds(int Op, string[] Keys);

    /// <summary>Matrices that fill one half together.</summary>
    sealed class Batch(int firstOp, nint copied, nint used)
    {
        public int FirstOp => firstOp;

        public int LastOp { get; set; }

        public int FirstLaunch { get; set; }

        public int EndLaunch { get; set; }

        public nint Copied => copied;

        public nint Used => used;

        public Dictionary<string, ulong> Places { get; } = new(StringComparer.Ordinal);

        public List<(ulong Destination, PinnedBlock Source)> Copies { get; } = [];
    }
}
