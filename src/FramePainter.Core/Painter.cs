using System.Security.Cryptography;
using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Pipeline;
using FramePainter.Weights;
using Microsoft.Extensions.Logging.Abstractions;

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

    Painter(Checkpoint checkpoint, IBackend backend, AttentionKind attention)
    {
        _checkpoint = checkpoint;
        _backend = backend;
        _weights = backend.CreateStore(checkpoint);
        _pipeline = new EditPipeline(checkpoint, backend, _weights, attention);
        Attention = attention;
    }

    /// <summary>How the edited frame sees the source.</summary>
    public AttentionKind Attention { get; }

    /// <summary>The device, for people; says in which numbers products really are computed when <see cref="PainterOptions.Precision"/> is not float32.</summary>
    public string Device => _backend.Description;

    /// <summary>Both sides of the working size are multiples of so many pixels: 64 for SVD.</summary>
    public int Grid => _pipeline.Grid;

    /// <summary>Where the edited frame looks at the source, for <see cref="MatchCapture"/>; empty with <see cref="AttentionKind.Temporal"/>.</summary>
    public IReadOnlyList<AttentionBlock> AttentionBlocks => _pipeline.Networks.AttentionBlocks;

    /// <summary>Bytes that the packed weights take.</summary>
    public long WeightBytes => _weights.Bytes;

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
        var threads = options.Threads ?? Environment.ProcessorCount;
        if (threads is < 1 or > 1024)
        {
            throw new OptionException(nameof(PainterOptions.Threads), $"Threads is {threads}; it must be from 1 to 1024, or null for one per core.");
        }

        if (!Enum.IsDefined(options.Attention))
        {
            throw new OptionException(nameof(PainterOptions.Attention), $"Attention is {options.Attention}; it must be one of the kinds that are named.");
        }

        cancel.ThrowIfCancellationRequested();
        var checkpoint = Checkpoint.Open(new CheckpointLocation(options.Model, options.Checkpoint, options.Attention, options.PreferFp16));
        IBackend? backend = null;
        Painter painter;
        try
        {
            backend = options.Device.CreateBackend(new BackendRequest(
                threads, new CpuNumbers(options.Precision, options.Weights), options.Winograd ? WinogradUse.WhereFaster : WinogradUse.Never, options.Logger ?? NullLogger.Instance));
            painter = new Painter(checkpoint, backend, options.Attention);
        }
        catch
        {
            backend?.Dispose();
            checkpoint.Dispose();
            throw;
        }

        try
        {
            painter._pipeline.PackWeights(progress, cancel);
            if (options.HashModel)
            {
                painter._pipeline.ModelHashes = Hash(checkpoint.Files, cancel);
            }

            return painter;
        }
        catch
        {
            painter.Dispose();
            throw;
        }
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
        using var picture = new PictureCache(image, once: true);
        return Run(picture, signal, options, cancel);
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
        var warnings = ReplayCheck.Run(image, metadata, Attention, Device, _pipeline.ModelHashes);
        using var picture = new PictureCache(image, once: true);
        var result = Run(picture, metadata.ToSignal(image), metadata.Options with { Progress = progress }, cancel);
        return result.With([.. result.Warnings, .. warnings]);
    }

    /// <summary>Opens a picture for several edits: what belongs to the picture alone is computed once.</summary>
    /// <param name="image">The picture, of any size up to <see cref="PixelImage.MaxSide"/>; alpha is dropped.</param>
    /// <returns>The session; dispose it to give back its memory. The painter gives it back at the latest.</returns>
    /// <exception cref="ObjectDisposedException">The painter is disposed.</exception>
    public EditSession Open(PixelImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
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

    /// <summary>An edit of a picture of which some may be known.</summary>
    internal EditResult Run(PictureCache picture, Signal signal, EditOptions? options, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(signal);
        options ??= EditOptions.Default;
        options.Validate();
        cancel.ThrowIfCancellationRequested();
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

    /// <summary>Forgets a session that is disposed.</summary>
    internal void Forget(EditSession session)
    {
        lock (_gate)
        {
            _sessions.Remove(session);
        }
    }

    static Dictionary<string, string> Hash(IReadOnlyList<CheckpointFile> files, CancellationToken cancel)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            cancel.ThrowIfCancellationRequested();
            using var stream = File.OpenRead(file.Path);
            hashes.Add($"{file.Part}/{Path.GetFileName(file.Path)}", Convert.ToHexStringLower(SHA256.HashData(stream)));
        }

        return hashes;
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
