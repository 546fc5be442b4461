using System.Numerics.Tensors;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Weights;

namespace FramePainter.Pipeline;

/// <summary>The denoising of one edit: the control encoder's and the U-Net's executables with their buffers.</summary>
internal sealed class Denoiser : IDisposable
{
    readonly DenoiseKey _key;
    readonly ControlTables _tables;
    readonly ControlTable _table;
    readonly EulerScheduler _scheduler;
    readonly BoundGraphs _unet;
    readonly BoundGraphs? _conditional;
    readonly BoundGraphs _black;
    readonly BoundGraphs _signal;
    BoundGraphs _current;
    int _bothUntil;

    public Denoiser(Networks networks, ControlTables tables, IBackend backend, IWeightStore weights, DenoiseKey key, EulerScheduler scheduler)
    {
        _scheduler = scheduler;
        _tables = tables;
        _key = key;
        var frameFloats = networks.ControlFloats(key.Width, key.Height);
        var resources = new Stack<IDisposable>();
        try
        {
            _table = tables.Rent(_key, frameFloats);
            resources.Push(_table);
            resources.Push(_unet = new BoundGraphs(backend, weights, networks.Denoiser(_key with { DropsHalf = false }), external: [Networks.ControlTable]));
            if (_key.DropsHalf)
            {
                resources.Push(_conditional = new BoundGraphs(backend, weights, networks.Denoiser(_key with { DropsHalf = false, Halves = 1 }), external: [Networks.ControlTable]));
            }

            resources.Push(_black = new BoundGraphs(backend, weights, networks.ControlEncoderOf(_key), external: [Networks.Control]));
            resources.Push(_signal = new BoundGraphs(backend, weights, networks.ControlEncoderOf(_key), external: [Networks.Control]));
        }
        catch
        {
            while (resources.TryPop(out var resource))
            {
                resource.Dispose();
            }

            throw;
        }

        (_current, _bothUntil) = (_unet, key.Steps);
        _unet.Bind(Networks.ControlTable, _table.Buffer, 0);
        _conditional?.Bind(Networks.ControlTable, _table.Buffer, 0);
    }

    /// <summary>What it was made for.</summary>
    public DenoiseKey Key => _key;

    /// <summary>What the last step's captured block paid to each source token, averaged over heads, [edited tokens, source tokens]: the last image's, which is the edit.</summary>
    public float[] ReadMatches()
    {
        var shape = _current.Step.Plan.Graph.Output(Networks.Matches).Shape;
        var (heads, tokens, keys) = (shape[1], shape[2], shape[3]);
        var mean = new float[tokens * keys];
        var head = new float[mean.Length];
        for (var i = 0; i < heads; i++)
        {
            var plane = ((long)(shape.Images - 1) * heads) + i;
            _current.Read(Networks.Matches, head, plane * mean.Length * sizeof(float));
            TensorPrimitives.MultiplyAdd(head, 1f / heads, mean, mean);
        }

        return mean;
    }

    /// <summary>Floating-point operations of all steps of an edit.</summary>
    /// <param name="options">How it is made.</param>
    public double Flops(EditOptions options)
    {
        var both = _scheduler.StepsWithBothHalves(options);
        return (_unet.Step.Plan.Graph.Flops * both) + ((_conditional ?? _unet).Step.Plan.Graph.Flops * (_key.Steps - both));
    }

    bool KeepsAllRows => _key.ControlRows == _key.Steps;

    /// <summary>Computes all that is constant over the steps; control features of all steps, where they fit.</summary>
    public void Prepare(float[] context, float[] imageLatents, PreparedSignal signal, EditOptions options, CancellationToken cancel)
    {
        _bothUntil = _conditional is null ? _key.Steps : _scheduler.StepsWithBothHalves(options);
        _current = _unet;
        Prepare(_unet, _key.Halves, context, imageLatents, signal, options, cancel);
        if (_conditional is not null)
        {
            Prepare(_conditional, 1, context, imageLatents, signal, options, cancel);
        }

        PrepareControls(signal.Control, cancel);
    }

    void Prepare(BoundGraphs unet, int halves, float[] context, float[] imageLatents, PreparedSignal signal, EditOptions options, CancellationToken cancel)
    {
        // The unconditional half's context is zero.
        var rows = new float[context.Length * halves];
        context.CopyTo(rows, rows.Length - context.Length);
        unet.Write(Networks.Context, rows);
        unet.Write(Networks.ImageLatents, imageLatents);
        unet.Write(Networks.Timesteps, _scheduler.Timesteps);
        unet.Write(Networks.AddedIds, EditPipeline.AddedIds);
        unet.Write(Networks.FrameIndex, [0, 1]);
        unet.Write(Networks.Scalars, _scheduler.StepTable(options.Guidance, options.Decay));
        unet.Write(Networks.ControlScales, [options.ControlScale, options.ControlScale]);
        if (signal.Points is { } points)
        {
            unet.Write(Networks.Points, points);
        }

        unet.Prologue.Run(cancel);
    }

    /// <summary>Control features of black frame and signal; those that the table holds already stay.</summary>
    void PrepareControls(PixelImage control, CancellationToken cancel)
    {
        var pixels = new float[_key.Width * _key.Height * 3];
        if (!_table.HasBlack || !KeepsAllRows)
        {
            PrepareControl(_black, pixels, cancel);
        }

        if (KeepsAllRows && _table.Signal is { } known && known.Pixels.SequenceEqual(control.Pixels))
        {
            return;
        }

        _table.Signal = null;
        PicturePreparation.ToUnit(control, pixels);
        PrepareControl(_signal, pixels, cancel);
        if (!KeepsAllRows)
        {
            return;
        }

        for (var step = 0; step < _key.Steps; step++)
        {
            if (!_table.HasBlack)
            {
                RunControl(_black, step, row: step, frame: 0, cancel);
            }

            RunControl(_signal, step, row: step, frame: 1, cancel);
        }

        (_table.HasBlack, _table.Signal) = (true, control);
    }

    /// <summary>All steps; the latents are replaced by the final ones.</summary>
    public void Run(Span<float> latents, Action<int> done, CancellationToken cancel)
    {
        _unet.Write(Networks.Latents, latents);
        for (var step = 0; step < _key.Steps; step++)
        {
            if (step == _bothUntil && _conditional is not null)
            {
                _unet.Read(Networks.Latents, latents);
                _conditional.Write(Networks.Latents, latents);
                _current = _conditional;
            }

            RunStep(step, cancel);
            done(step + 1);
        }

        _current.Read(Networks.Latents, latents);
    }

    /// <summary>The latents after the last step.</summary>
    public void ReadLatents(Span<float> latents) => _current.Read(Networks.Latents, latents);

    /// <summary>One step, from the latents in the device's memory to the next ones there. Allocates nothing.</summary>
    public void RunStep(int step, CancellationToken cancel)
    {
        if (!KeepsAllRows)
        {
            RunControl(_black, step, row: 0, frame: 0, cancel);
            RunControl(_signal, step, row: 0, frame: 1, cancel);
        }

        _current.Write(Networks.Step, [step]);
        _current.Write(Networks.ControlRow, [KeepsAllRows ? step : 0]);
        _current.Step.Run(cancel);
    }

    public void Dispose()
    {
        _unet.Dispose();
        _conditional?.Dispose();
        _black.Dispose();
        _signal.Dispose();
        _tables.Return(_table);
    }

    void PrepareControl(BoundGraphs graphs, float[] pixels, CancellationToken cancel)
    {
        graphs.Write(Networks.ControlFrame, pixels);
        graphs.Write(Networks.Timesteps, _scheduler.Timesteps);
        graphs.Prologue.Run(cancel);
    }

    void RunControl(BoundGraphs graphs, int step, int row, int frame, CancellationToken cancel)
    {
        graphs.Write(Networks.Step, [step]);
        graphs.Bind(Networks.Control, _table.Buffer, _table.Offset(row, frame));
        graphs.Step.Run(cancel);
    }
}

/// <summary>Prologue and step of one graph, compiled, with a buffer for every value at their borders. Outputs of a step that carry a state share the buffer of the input they replace.</summary>
internal sealed class BoundGraphs : IDisposable
{
    readonly Dictionary<string, IDeviceBuffer> _buffers = new(StringComparer.Ordinal);
    readonly List<IDisposable> _owned = [];

    /// <summary>Compiles both and binds all their borders but the external ones.</summary>
    /// <param name="backend">Where they run.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="plans">The plans.</param>
    /// <param name="external">Names of values that the caller binds.</param>
    public BoundGraphs(IBackend backend, IWeightStore weights, SplitPlan plans, ReadOnlySpan<string> external)
    {
        try
        {
            Prologue = Own(backend.Compile(plans.Prologue, weights));
            Step = Own(backend.Compile(plans.Step, weights));
            foreach (var executable in new[] { Prologue, Step })
            {
                var graph = executable.Plan.Graph;
                foreach (var value in graph.Inputs.Concat(graph.Outputs))
                {
                    if (external.Contains(value.Name))
                    {
                        continue;
                    }

                    var name = value.Name == Networks.NextLatents ? Networks.Latents : value.Name;
                    if (!_buffers.TryGetValue(name, out var buffer))
                    {
                        _buffers.Add(name, buffer = Own(backend.Allocate(value.Bytes)));
                    }

                    executable.Bind(value, buffer);
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public IExecutable Prologue { get; }

    public IExecutable Step { get; }

    public void Write(string name, ReadOnlySpan<float> values) => _buffers[name].Write(values);

    public void Read(string name, Span<float> values, long byteOffset = 0) => _buffers[name].Read(values, byteOffset);

    public void Bind(string name, IDeviceBuffer buffer, long byteOffset)
    {
        foreach (var executable in (ReadOnlySpan<IExecutable>)[Prologue, Step])
        {
            var graph = executable.Plan.Graph;
            foreach (var value in graph.Inputs.AsSpan())
            {
                if (value.Name == name)
                {
                    executable.Bind(value, buffer, byteOffset);
                }
            }

            foreach (var value in graph.Outputs.AsSpan())
            {
                if (value.Name == name)
                {
                    executable.Bind(value, buffer, byteOffset);
                }
            }
        }
    }

    public void Dispose()
    {
        foreach (var owned in Enumerable.Reverse(_owned))
        {
            owned.Dispose();
        }

        _owned.Clear();
    }

    T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
