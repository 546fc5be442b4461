using System.Numerics.Tensors;
using FramePainter.Backends;
using FramePainter.Weights;

namespace FramePainter.Pipeline;

/// <summary>The denoising of one edit: the control encoder's and the U-Net's executables with their buffers.</summary>
internal sealed class Denoiser : IDisposable
{
    readonly DenoiseKey _key;
    readonly ControlTables _tables;
    readonly ControlTable _table;
    readonly EulerScheduler _scheduler;
    readonly UNetGraphs _unet;
    readonly UNetGraphs? _conditional;
    readonly BoundGraphs _black;
    readonly BoundGraphs _signal;
    BoundGraphs _current;
    EditOptions _options = EditOptions.Default;
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
            resources.Push(_unet = new UNetGraphs(networks, backend, weights, _key with { DropsHalf = false }));
            if (_key.DropsHalf)
            {
                resources.Push(_conditional = new UNetGraphs(networks, backend, weights, _key with { DropsHalf = false, Halves = 1 }, _unet.Whole[Networks.Latents]));
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

        (_current, _bothUntil) = (_unet.Whole, key.Steps);
        foreach (var graphs in UNets)
        {
            graphs.Bind(Networks.ControlTable, _table.Buffer, 0);
        }
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

    /// <summary>Floating-point operations of all steps of the edit that was prepared.</summary>
    public double Flops => Enumerable.Range(0, _key.Steps).Sum(step => (double)GraphsOf(step).Step.Plan.Graph.Flops);

    bool KeepsAllRows => _key.ControlRows == _key.Steps;

    IEnumerable<BoundGraphs> UNets => _conditional is null ? _unet.All : _unet.All.Concat(_conditional.All);

    /// <summary>Computes all that is constant over the steps; control features of all steps, where they fit.</summary>
    public void Prepare(float[] context, float[] imageLatents, PreparedSignal signal, EditOptions options, CancellationToken cancel)
    {
        _options = options;
        _bothUntil = _conditional is null ? _key.Steps : _scheduler.StepsWithBothHalves(options);
        Prepare(_unet, context, imageLatents, signal, options, cancel);
        if (_conditional is not null)
        {
            Prepare(_conditional, context, imageLatents, signal, options, cancel);
        }

        PrepareControls(signal.Control, cancel);
    }

    void Prepare(UNetGraphs unet, float[] context, float[] imageLatents, PreparedSignal signal, EditOptions options, CancellationToken cancel)
    {
        // The unconditional half's context is zero, and comes first.
        var rows = new float[unet.Halves * context.Length];
        context.CopyTo(rows, rows.Length - context.Length);
        foreach (var graphs in unet.All)
        {
            // The part around the deep features reads no control, and in a small network perhaps no context or points.
            graphs.WriteIfRead(Networks.Context, rows);
            graphs.Write(Networks.ImageLatents, imageLatents);
            graphs.Write(Networks.Timesteps, _scheduler.Timesteps);
            graphs.Write(Networks.AddedIds, EditPipeline.AddedIds);
            graphs.WriteIfRead(Networks.FrameIndex, [0, 1]);
            graphs.Write(Networks.Scalars, _scheduler.StepTable(options.Guidance, options.Decay));
            graphs.WriteIfRead(Networks.ControlScales, [options.ControlScale, options.ControlScale]);
            if (signal.Points is { } points)
            {
                graphs.WriteIfRead(Networks.Points, points);
            }

            graphs.Prologue.Run(cancel);
        }
    }

    /// <summary>Control features of black frame and signal; those that the table holds already stay.</summary>
    void PrepareControls(PixelImage control, CancellationToken cancel)
    {
        if (!_table.HasBlack || !KeepsAllRows)
        {
            PrepareControl(_black, new byte[control.Width * control.Height * 3], cancel);
        }

        if (KeepsAllRows && _table.Signal is { } known && known.Pixels.SequenceEqual(control.Pixels))
        {
            return;
        }

        _table.Signal = null;
        PrepareControl(_signal, control.ToRgb().Pixels, cancel);
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
        _unet.Whole.Write(Networks.Latents, latents);
        for (var step = 0; step < _key.Steps; step++)
        {
            RunStep(step, cancel);
            done(step + 1);
        }

        ReadLatents(latents);
    }

    /// <summary>The latents after the last step.</summary>
    public void ReadLatents(Span<float> latents) => _unet.Whole.Read(Networks.Latents, latents);

    /// <summary>One step, from the latents in the device's memory to the next ones there. Allocates nothing.</summary>
    public void RunStep(int step, CancellationToken cancel)
    {
        if (!KeepsAllRows)
        {
            RunControl(_black, step, row: 0, frame: 0, cancel);
            RunControl(_signal, step, row: 0, frame: 1, cancel);
        }

        _current = GraphsOf(step);
        _current.Write(Networks.Step, [step]);
        _current.WriteIfRead(Networks.ControlRow, [KeepsAllRows ? step : 0]);
        _current.Step.Run(cancel);
    }

    public void Dispose()
    {
        _conditional?.Dispose();
        _unet.Dispose();
        _black.Dispose();
        _signal.Dispose();
        _tables.Return(_table);
    }

    /// <summary>What runs a step: with both halves or one, with deep features of its own or those of an earlier step.</summary>
    BoundGraphs GraphsOf(int step)
    {
        var (unet, first) = _conditional is not null && step >= _bothUntil ? (_conditional, _bothUntil) : (_unet, 0);
        var refreshes = (step - first) % _options.RefreshDeepFeaturesEvery == 0 || step == _options.Capture?.Step;
        return refreshes ? unet.Whole : unet.AroundDeep ?? unet.Whole;
    }

    void PrepareControl(BoundGraphs graphs, ReadOnlySpan<byte> pixels, CancellationToken cancel)
    {
        graphs.Write(Networks.ControlFrame, pixels, PixelValues.Unit);
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
