using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using FramePainter.Ilgpu.Steps;
using ILGPU;
using ILGPU.Runtime;

namespace FramePainter.Ilgpu;

/// <summary>A plan with a step per op, an arena, scratch as large as the neediest step wants, and a stream of its own.</summary>
internal sealed class IlgpuExecutable : IExecutable
{
    /// <summary>Work that is queued before the queue is waited for: what a cancelled run still finishes.</summary>
    const double FlopsBetweenWaits = 2e10;

    /// <summary>Bytes of which places of float32 are multiples beside halves.</summary>
    const int Alignment = 256;

    readonly IlgpuBackend _backend;
    readonly Step[] _steps;
    readonly StepRun _run;
    readonly AcceleratorStream? _stream;
    readonly DeviceBlock<float>? _arena;
    readonly DeviceBlock<float>? _scratch;
    bool _disposed;

    public IlgpuExecutable(IlgpuBackend backend, Plan plan, IlgpuWeights weights)
    {
        _backend = backend;
        Plan = plan;
        var values = plan.Graph.Inputs.Concat(plan.Graph.Ops.SelectMany(op => op.Outputs)).ToList();
        foreach (var value in values)
        {
            // Kernels count elements in 31 bits.
            if (value.Shape.Count > int.MaxValue)
            {
                throw new PlanException($"{value} of '{plan.Graph.Name}' has {value.Shape.Count} elements; {int.MaxValue} are the most on this backend. Choose a smaller size.");
            }
        }

        _steps = [.. plan.Graph.Ops.Select(op => StepFactory.Create(op, weights))];
        var layout = backend.Options.Activations == ActivationStorage.Half ? new HalfLayout(plan, Alignment, Probabilities(plan)) : null;
        try
        {
            _arena = backend.Allocate<float>((layout?.Bytes ?? plan.ArenaBytes) / sizeof(float), held => new DeviceMemory(0, held, 0));
            _scratch = backend.Allocate<float>(_steps.Length == 0 ? 0 : _steps.Max(s => s.ScratchFloats), held => new DeviceMemory(0, 0, held));
            _stream = backend.CreateStream();
        }
        catch
        {
            Dispose();
            throw;
        }

        _run = new StepRun(_stream!, _scratch.View, values.Max(v => v.Id) + 1);
        foreach (var (value, offset, isHalf) in layout?.Places ?? [.. plan.Offsets.Select(place => (place.Key, place.Value, false))])
        {
            var floats = isHalf ? (value.Shape.Count + 1) / 2 : value.Shape.Count;
            _run.Set(value, new Elements { Memory = _arena.Part(offset / sizeof(float), floats), IsHalf = isHalf ? 1 : 0 });
        }
    }

    /// <inheritdoc/>
    public Plan Plan { get; }

    /// <inheritdoc/>
    public long Bytes => _arena!.Bytes + _scratch!.Bytes;

    /// <inheritdoc/>
    public void Bind(Value value, IDeviceBuffer buffer, long byteOffset = 0)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (buffer is not IlgpuBuffer own || own.Owner != _backend)
        {
            throw new ArgumentException("The buffer is of another backend.", nameof(buffer));
        }

        if (byteOffset % 16 != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(byteOffset), $"{value} is bound at byte {byteOffset}; offsets are multiples of 16.");
        }

        _run.Set(value, own.Part(byteOffset, value.Shape.Count));
    }

    /// <inheritdoc/>
    public void Run(CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        foreach (var value in Plan.Graph.Inputs.AsSpan())
        {
            RequireBound(value);
        }

        foreach (var value in Plan.Graph.Outputs.AsSpan())
        {
            RequireBound(value);
        }

        var at = 0;
        try
        {
            _backend.Bind();
            try
            {
                var queued = 0.0;
                for (; at < _steps.Length; at++)
                {
                    cancel.ThrowIfCancellationRequested();
                    _steps[at].Run(_run);
                    queued += Plan.Graph.Ops[at].Flops;
                    if (queued > FlopsBetweenWaits)
                    {
                        _run.Stream.Synchronize();
                        queued = 0;
                    }
                }
            }
            finally
            {
                _run.Stream.Synchronize();
            }
        }
        catch (Exception error) when (IlgpuFailure.Is(error))
        {
            // What was queued before may be at fault, too: devices tell later.
            throw _backend.Failure($"'{Plan.Graph.Ops[Math.Min(at, _steps.Length - 1)].Name}' of '{Plan.Graph.Name}', or an op before,", error);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        IlgpuFailure.Release(_stream);
        _arena?.Dispose();
        _scratch?.Dispose();
    }

    /// <summary>Scores are left where probabilities come to lie, and may be larger than halves go.</summary>
    static Func<Value, bool> Probabilities(Plan plan) => plan.Graph.Ops.OfType<AttentionProbabilitiesOp>().Select(op => op.Output).ToHashSet().Contains;

    void RequireBound(Value value)
    {
        if (!_run.IsBound(value))
        {
            throw new InvalidOperationException($"{value} of '{Plan.Graph.Name}' is not bound.");
        }
    }
}
