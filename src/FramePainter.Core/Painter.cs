using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Pipeline;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter;

/// <summary>
/// An opened model that edits pictures. Safe to use from several threads at once; edits share the weights and the cores.
/// </summary>
public sealed class Painter : IDisposable
{
    readonly Checkpoint _checkpoint;
    readonly IBackend _backend;
    readonly IWeightStore _weights;
    readonly EditPipeline _pipeline;
    readonly object _gate = new();
    readonly HashSet<EditSession> _sessions = [];

    // The threads that edit, each as often as it does: a progress callback may edit again.
    readonly List<Thread> _editing = [];
    bool _disposed;

    /// <summary>The original app's working size: what is estimated where nobody names another.</summary>
    static readonly (int Width, int Height) s_usualSize = (1024, 576);

    Painter(Checkpoint checkpoint, IBackend backend, PainterOptions options)
    {
        _checkpoint = checkpoint;
        _backend = backend;
        _weights = backend.CreateStore(checkpoint);
        _pipeline = new EditPipeline(checkpoint, backend, _weights, options.Attention) { Limits = options.Limits, Threads = options.ThreadCount };
        (Attention, Limits) = (options.Attention, options.Limits);
        if (options.MemoryBudget is { } bytes && !OnProcessor && !backend.LimitMemory(bytes))
        {
            throw new OptionException(nameof(PainterOptions.MemoryBudget), $"MemoryBudget is {bytes} bytes, and '{backend.Description}' cannot be held to any; it must be null for this device.");
        }

        if ((OnProcessor ? options.MemoryBudget : backend.MemoryLimit) is { } budget)
        {
            _pipeline.Budget = new MemoryBudget(budget, new Estimator(checkpoint, _pipeline.Networks, backend, _pipeline.Threads), _pipeline.Networks, OnProcessor ? ProgramBytes() : null);
        }
    }

    bool OnProcessor => _backend is CpuBackend;

    /// <summary>How the edited frame sees the source.</summary>
    public AttentionKind Attention { get; }

    /// <summary>The device, for people; says in which numbers products really are computed when <see cref="PainterOptions.Precision"/> is not float32, and on NVIDIA GPUs always.</summary>
    public string Device => _backend.Description;

    /// <summary>Both sides of the working size are multiples of so many pixels: 64 for SVD.</summary>
    public int Grid => _pipeline.Grid;

    /// <summary>Where the edited frame looks at the source, for <see cref="MatchCapture"/>; empty with <see cref="AttentionKind.Temporal"/>.</summary>
    public IReadOnlyList<AttentionBlock> AttentionBlocks => _pipeline.Networks.AttentionBlocks;

    /// <summary>Bytes that the packed weights take.</summary>
    public long WeightBytes => _weights.Bytes;

    /// <summary>Limits of pictures, signals and sessions.</summary>
    internal EditLimits Limits { get; }

    /// <summary>The pipeline, for measuring its parts.</summary>
    internal EditPipeline Pipeline => _pipeline;

    /// <summary>Opens a model and packs its weights.</summary>
    /// <param name="options">Where it lies and how it runs.</param>
    /// <param name="progress">Told the share of the networks made ready, 0 to 1.</param>
    /// <param name="cancel">Looked at between networks.</param>
    /// <exception cref="CheckpointException">The model is missing, damaged, incomplete or another.</exception>
    /// <exception cref="OptionException">An option is out of range.</exception>
    /// <exception cref="PlanException">There is not enough memory.</exception>
    /// <exception cref="DeviceException">The device cannot be used.</exception>
    public static Painter Load(PainterOptions options, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        cancel.ThrowIfCancellationRequested();
        var checkpoint = Checkpoint.Open(options.Location);
        IBackend? backend = null;
        Painter painter;
        try
        {
            backend = options.CreateBackend();
            painter = new Painter(checkpoint, backend, options);
        }
        catch
        {
            backend?.Dispose();
            checkpoint.Dispose();
            throw;
        }

        try
        {
            painter._pipeline.Budget?.RequireSmallest();
            painter._pipeline.Identity = options.HashModel ? new ModelIdentity(checkpoint.Files, HashCache.OfUser()) : null;
            painter._pipeline.PackWeights(progress, cancel);
            return painter;
        }
        catch
        {
            painter.Dispose();
            throw;
        }
    }

    /// <summary>
    /// What an edit would take on this machine: memory by part, operations, and the time by a short calibration. Headers and configs are read, no weights.
    /// The signal is taken for a sketch or a coarse edit: drag points cost next to nothing beside it.
    /// </summary>
    /// <param name="options">Where the model lies and how it would run.</param>
    /// <param name="edit">How the edit would be made; the original's defaults when left out.</param>
    /// <param name="picture">Size of the picture; when left out, the working size that <paramref name="edit"/> names, else 1024×576.</param>
    /// <param name="calibration">The most time to spend on timing the model's operations; 10 seconds when left out, of which small models take 3. With <see cref="TimeSpan.Zero"/> no time is estimated.</param>
    /// <param name="cancel">Looked at between operations.</param>
    /// <exception cref="CheckpointException">The model is missing, incomplete or another.</exception>
    /// <exception cref="OptionException">An option is out of range.</exception>
    /// <exception cref="ImageException">The size is out of range.</exception>
    /// <exception cref="DeviceException">The device cannot be used, or cannot tell what an edit takes.</exception>
    /// <exception cref="PlanException">The edit does not fit a budget among the device's own options.</exception>
    public static EditEstimate Estimate(
        PainterOptions options, EditOptions? edit = null, (int Width, int Height)? picture = null, TimeSpan? calibration = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        edit ??= EditOptions.Default;
        edit.Validate();
        using var checkpoint = Checkpoint.Open(options.Location);
        using var backend = options.CreateBackend();
        var networks = new Networks(checkpoint, options.Attention);
        var (width, height) = picture ?? edit.Size ?? s_usualSize;
        var size = SizePlan.Create(width, height, edit.Size, networks.Grid, edit.Fit);
        options.Limits.Check(size);
        var estimator = new Estimator(checkpoint, networks, backend, options.ThreadCount);
        var needs = estimator.Measure(size, edit, points: false) ?? throw new DeviceException($"'{backend.Description}' cannot tell what an edit takes before it is made.");
        var program = ProgramBytes();
        var spent = calibration ?? TimeSpan.FromSeconds(10);
        return new EditEstimate
        {
            Width = size.Width,
            Height = size.Height,
            Steps = edit.Steps,
            Device = backend.Description,
            WeightBytes = needs.Peak.Weights,
            ArenaBytes = needs.Peak.Arena,
            WorkspaceBytes = needs.Peak.Workspace,
            SpareBytes = needs.Peak.Spare,
            StagingBytes = needs.Staging,
            OnProcessor = needs.IsHost,
            PictureBytes = needs.Pictures,
            ProgramBytes = program,
            Flops = needs.Flops,
            Time = spent > TimeSpan.Zero ? estimator.Time(needs, size, edit, spent, cancel) : null,
        };
    }

    /// <summary>Edits a picture.</summary>
    /// <param name="image">The picture, of any size up to <see cref="PixelImage.MaxSide"/>; alpha is dropped.</param>
    /// <param name="signal">What is to change.</param>
    /// <param name="options">How; the original's defaults when left out.</param>
    /// <param name="cancel">Looked at between the tiles of every kernel.</param>
    /// <returns>The edited picture with all that belongs to it.</returns>
    /// <exception cref="OptionException">An option is out of range.</exception>
    /// <exception cref="ImageException">The picture cannot be used.</exception>
    /// <exception cref="SignalException">The signal does not fit the picture.</exception>
    /// <exception cref="PlanException">There is not enough memory.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled; the painter stays usable.</exception>
    /// <exception cref="ObjectDisposedException">The painter is disposed.</exception>
    public EditResult Edit(PixelImage image, Signal signal, EditOptions? options = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        return RunOnce(image, signal, options, cancel);
    }

    /// <summary>Makes an edit again from its metadata: the same pixels with the same weights, device and version.</summary>
    /// <param name="image">The picture that was edited.</param>
    /// <param name="metadata">The edit's metadata, with its signal.</param>
    /// <param name="progress">Told of the edit's progress.</param>
    /// <param name="cancel">Looked at between the tiles of every kernel.</param>
    /// <returns>The edit, with <see cref="EditWarningKind.ReplayUnverified"/> where something that matters differs or could not be compared.</returns>
    /// <exception cref="MetadataException">The metadata holds no signal, or the edit was of another picture, with another model or another kind of attention.</exception>
    /// <exception cref="SignalException">The signal does not fit the picture.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The painter is disposed.</exception>
    public EditResult Replay(PixelImage image, EditMetadata metadata, IProgress<EditProgress>? progress = null, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(metadata);
        Limits.Check(image);
        if (metadata.Record is { } record)
        {
            Limits.Check(record);
        }

        cancel.ThrowIfCancellationRequested();
        var warnings = ReplayCheck.Run(image, metadata, Attention, Device, _pipeline.ModelHashes(cancel));
        var result = RunOnce(image, metadata.MakeSignal(image, cancel), metadata.Options with { Progress = progress }, cancel);
        return result.With([.. result.Warnings, .. warnings]);
    }

    /// <summary>Opens a picture for several edits: what belongs to the picture alone is computed once.</summary>
    /// <param name="image">The picture, of any size up to <see cref="PixelImage.MaxSide"/>; alpha is dropped.</param>
    /// <returns>The session; dispose it to give back its memory. The painter gives it back at the latest.</returns>
    /// <exception cref="ImageException">The picture is over <see cref="EditLimits.PicturePixels"/>.</exception>
    /// <exception cref="ObjectDisposedException">The painter is disposed.</exception>
    public EditSession Open(PixelImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        Limits.Check(image);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var session = new EditSession(this, image);
            _sessions.Add(session);
            return session;
        }
    }

    /// <summary>Edits a picture on a thread of its own. See <see cref="Edit"/>.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="signal">What is to change.</param>
    /// <param name="options">How.</param>
    /// <param name="cancel">Looked at between the tiles of every kernel.</param>
    /// <returns>The edited picture with all that belongs to it.</returns>
    public Task<EditResult> EditAsync(PixelImage image, Signal signal, EditOptions? options = null, CancellationToken cancel = default) =>
        Task.Factory.StartNew(() => Edit(image, signal, options, cancel), cancel, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Gives back all memory, threads and files. Waits for edits that run; edits begun afterwards fail.</summary>
    /// <exception cref="InvalidOperationException">A progress callback of one of its edits calls: that edit could not end. The painter stays usable.</exception>
    public void Dispose()
    {
        EditSession[] sessions;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            if (_editing.Contains(Thread.CurrentThread))
            {
                throw new InvalidOperationException("A progress callback must not dispose its painter; cancel the edit and do so afterwards.");
            }

            _disposed = true;
            while (_editing.Count > 0)
            {
                Monitor.Wait(_gate);
            }

            sessions = [.. _sessions];
        }

        foreach (var session in sessions)
        {
            session.Dispose();
        }

        _pipeline.Dispose();
        _weights.Dispose();
        _backend.Dispose();
        _checkpoint.Dispose();
    }

    /// <summary>What this process holds beside this library's native memory.</summary>
    internal static long ProgramBytes() => Math.Max(0, Environment.WorkingSet - NativeBuffer.LiveBytes);

    /// <summary>An edit of a picture of which some may be known.</summary>
    internal EditResult Run(PictureCache picture, Signal signal, EditOptions? options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(signal);
        options ??= EditOptions.Default;
        options.Validate();
        cancel.ThrowIfCancellationRequested();
        Limits.Check(picture.Image);
        Limits.Check(signal);
        Enter();
        try
        {
            return _pipeline.Edit(picture, signal, options, cancel);
        }
        finally
        {
            Leave();
        }
    }

    EditResult RunOnce(PixelImage image, Signal signal, EditOptions? options, CancellationToken cancel)
    {
        var picture = new PictureCache(image, once: true);
        try
        {
            return Run(picture, signal, options, cancel);
        }
        finally
        {
            picture.Dispose();
            _pipeline.Budget?.Release(picture);
        }
    }

    /// <summary>Forgets a session that is disposed.</summary>
    internal void Forget(EditSession session, PictureCache picture)
    {
        _pipeline.Budget?.Release(picture);
        lock (_gate)
        {
            _sessions.Remove(session);
        }
    }

    void Enter()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _editing.Add(Thread.CurrentThread);
        }
    }

    void Leave()
    {
        lock (_gate)
        {
            _editing.Remove(Thread.CurrentThread);
            Monitor.PulseAll(_gate);
        }
    }
}
