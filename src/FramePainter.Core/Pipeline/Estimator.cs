using System.Diagnostics;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;
using FramePainter.Weights;

namespace FramePainter.Pipeline;

/// <summary>Estimates edits with one model on one device.</summary>
internal sealed class Estimator(Checkpoint checkpoint, Networks networks, IBackend backend, int threads)
{
    /// <summary>How far off times are: of ops that were timed (other work on the machine, other neighbours in the caches), and of the rest.</summary>
    const double TimedError = 0.15;
    const double GuessedError = 0.4;

    /// <summary>What an edit's denoising plans depend on.</summary>
    public DenoiseKey KeyOf(SizePlan size, EditOptions options, bool points) => DryEdit.KeyOf(checkpoint, networks, size, options, points).Key;

    /// <summary>What an edit would take; null where the device cannot tell.</summary>
    /// <param name="size">The sizes.</param>
    /// <param name="options">How it would be made; its capture must be one that there is.</param>
    /// <param name="points">Whether the signal would have drag points.</param>
    /// <param name="limit">Bytes of the device's memory that it may take; null for what the device may. Nothing is held to it on the processor.</param>
    /// <param name="keeps">Whether its denoiser is kept for the next edit.</param>
    /// <exception cref="PlanException">It does not fit the limit.</exception>
    public DryEdit? Measure(SizePlan size, EditOptions options, bool points, long? limit = null, bool keeps = false) =>
        backend.CreateCounting(limit) is { } counting ? DryEdit.Make(checkpoint, networks, counting, size, options, points, keeps) : null;

    /// <summary>How long an edit would take.</summary>
    /// <param name="edit">The edit.</param>
    /// <param name="size">Its sizes.</param>
    /// <param name="options">How it would be made.</param>
    /// <param name="calibration">Time to spend on timing.</param>
    /// <param name="cancel">Looked at between ops.</param>
    public (TimeSpan Least, TimeSpan Most) Time(DryEdit edit, SizePlan size, EditOptions options, TimeSpan calibration, CancellationToken cancel)
    {
        var (seconds, timed) = new Calibration(backend, checkpoint, calibration).Run(edit.Runs, Smaller(edit, size, options).Runs, cancel);
        var host = HostSeconds(edit, size, options);
        var error = (timed * TimedError) + ((seconds - timed) * GuessedError);
        return (TimeSpan.FromSeconds(seconds + host - error), TimeSpan.FromSeconds(seconds + host + error));
    }

    /// <summary>The same edit at a size whose every op can be timed in a moment.</summary>
    DryEdit Smaller(DryEdit edit, SizePlan size, EditOptions options)
    {
        for (var cells = Math.Max(size.Width, size.Height) / networks.Grid; cells > 1 && Calibration.LongestGuess(edit.Runs.Keys) > Calibration.LongestProbe; cells = cells * 3 / 4)
        {
            size = size.Scaled(cells, networks.Grid);
            edit = Measure(size, options with { Capture = null }, points: false)!;
        }

        return edit;
    }

    /// <summary>Time of what is no kernel: preparing pictures, noise, making executables and clearing their memory.</summary>
    double HostSeconds(DryEdit edit, SizePlan size, EditOptions options)
    {
        const int largest = 1 << 20;
        var clock = Stopwatch.StartNew();
        Measure(size, options, points: false);
        var executables = clock.Elapsed.TotalSeconds;

        clock.Restart();
        using (new NativeBuffer(largest * 16))
        {
        }

        var clearing = clock.Elapsed.TotalSeconds / (largest * 16) * (edit.Peak.Arena + edit.Peak.Workspace);

        var noise = new float[Math.Min(largest, size.Width * size.Height * 3)];
        clock.Restart();
        new TorchRandom(1).Randn(noise);
        var drawing = clock.Elapsed.TotalSeconds * size.Width * size.Height * 3 / noise.Length;

        var side = Math.Min(1024, Math.Min(size.SourceWidth, size.SourceHeight));
        var picture = PixelImage.Adopt(new byte[side * side * 3], side, side, PixelFormat.Rgb24);
        var input = checkpoint.Clip.ImageSize;
        clock.Restart();
        ClipPreprocess.Run(picture, input, [0.5f, 0.5f, 0.5f], [0.3f, 0.3f, 0.3f], new float[input * input * 3], threads);
        var describing = clock.Elapsed.TotalSeconds * size.SourceWidth * size.SourceHeight / ((double)side * side);
        return executables + clearing + drawing + describing;
    }
}
