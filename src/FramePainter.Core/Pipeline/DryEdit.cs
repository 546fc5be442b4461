using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Weights;

namespace FramePainter.Pipeline;

/// <summary>What an edit would take: found by making it over a backend that counts, from the loading of the weights on.</summary>
/// <param name="IsHost">Whether the device's memory is the process's own.</param>
/// <param name="Peak">The moment at which most device memory is held.</param>
/// <param name="Need">The moment at which most of it is in use.</param>
/// <param name="Staging">Bytes of the host's memory that serve the device.</param>
/// <param name="Weights">Bytes of the packed weights.</param>
/// <param name="Pictures">Bytes of pictures, noise, latents and the plans themselves in managed memory.</param>
/// <param name="Runs">How often each plan runs.</param>
internal sealed record DryEdit(bool IsHost, DeviceMemory Peak, DeviceMemory Need, long Staging, long Weights, long Pictures, IReadOnlyDictionary<Plan, int> Runs)
{
    /// <summary>Floating-point operations of all runs.</summary>
    public double Flops => Runs.Sum(r => r.Key.Graph.Flops * r.Value);

    /// <summary>What it takes of the memory that is budgeted: the process's on the processor, else the device's.</summary>
    public long NeededBytes => Need.InUse + (IsHost ? Pictures : 0);

    /// <summary>Makes a dry edit.</summary>
    /// <param name="checkpoint">The model; no weight of it is read.</param>
    /// <param name="networks">Its plans.</param>
    /// <param name="counting">Counts what plans take on the device; given back.</param>
    /// <param name="size">The sizes.</param>
    /// <param name="options">How it would be made; its capture must be one that there is.</param>
    /// <param name="points">Whether the signal would have drag points.</param>
    /// <param name="keeps">Whether the denoiser outlives the edit, as in a session: it is there while the decoder works, and while the next edit's picture is encoded.</param>
    /// <exception cref="PlanException">What is counted is held to a limit, and the edit does not fit.</exception>
    public static DryEdit Make(Checkpoint checkpoint, Networks networks, ICountingBackend counting, SizePlan size, EditOptions options, bool points, bool keeps = false)
    {
        using var dry = new RunCounter(counting);
        using var store = dry.CreateStore(checkpoint);
        foreach (var plan in networks.AllAtSmallest())
        {
            dry.Compile(plan(), store).Dispose();
        }

        Run(networks.Clip());
        Run(networks.Encoder(size.Width, size.Height));
        var (key, scheduler) = KeyOf(checkpoint, networks, size, options, points);
        using (var tables = new ControlTables(dry))
        {
            using (var denoiser = new Denoiser(networks, tables, dry, store, key, scheduler))
            {
                // Nothing looks at the picture, and the size may be one that memory is too small for.
                var black = PixelImage.Adopt(new byte[3], 1, 1, PixelFormat.Rgb24);
                denoiser.Prepare(new float[checkpoint.UNet.CrossAttentionWidths[0]], [], new PreparedSignal(black, points ? [] : null, []), options, CancellationToken.None);
                if (options.Preview && options.Progress is not null)
                {
                    // The first preview is fitted by pictures of the smallest size.
                    Hold(networks.Decoder(networks.Grid, networks.Grid), runs: false);
                }

                denoiser.Run([], static _ => { }, CancellationToken.None);
                if (keeps)
                {
                    Hold(networks.Decoder(size.Width, size.Height), runs: false);
                    Hold(networks.Encoder(size.Width, size.Height), runs: false);
                }
            }

            Run(networks.Decoder(size.Width, size.Height));
        }

        return new DryEdit(
            counting.IsHost, counting.Peak, counting.MostInUse, counting.HostBytes, store.Bytes, ManagedBytes(size, checkpoint.Clip.ImageSize, dry.Runs.Keys.Sum(p => p.Graph.Ops.Length)) + MapBytes(networks, size, options), dry.Runs);

        void Run(Plan plan) => Hold(plan, runs: true);

        // One input, one output, as PlanRun does it.
        void Hold(Plan plan, bool runs)
        {
            using var executable = dry.Compile(plan, store);
            using var source = dry.Allocate(plan.Graph.Inputs[0].Bytes);
            using var destination = dry.Allocate(plan.Graph.Outputs[0].Bytes);
            if (runs)
            {
                executable.Run(CancellationToken.None);
            }
        }
    }

    /// <summary>What an edit's denoising plans depend on, and its noise schedule.</summary>
    public static (DenoiseKey Key, EulerScheduler Scheduler) KeyOf(Checkpoint checkpoint, Networks networks, SizePlan size, EditOptions options, bool points)
    {
        var scheduler = new EulerScheduler(new SchedulerSettings(checkpoint.Scheduler.SigmaMin, checkpoint.Scheduler.SigmaMax), options.Steps);
        return (networks.KeyOf(size, options, scheduler, points, options.Capture is { } capture ? networks.BlockOf(capture, size) : null), scheduler);
    }

    /// <summary>Managed memory of a captured map: the mean over heads, which the result keeps, and the head that is read (<see cref="Denoiser.ReadMatches"/>).</summary>
    static long MapBytes(Networks networks, SizePlan size, EditOptions options)
    {
        if (options.Capture is not { } capture)
        {
            return 0;
        }

        var side = networks.BlockOf(capture, size).PixelsPerToken;
        var tokens = (long)(size.Width / side) * (size.Height / side);
        return 2 * tokens * tokens * sizeof(float);
    }

    /// <summary>
    /// Managed memory of an edit but for a captured map: a working pixel's floats are its noise's (12 bytes); its bytes those of picture, both control frames and both decoded
    /// frames (15). A pixel of the caller's size is resized twice (18 with what lies between both passes). CLIP's picture takes floats of three channels
    /// at its own size and, narrowed only, at the source's height.
    /// An op of a plan and its kernel are some 3 KB of objects. The collector may leave all of it until the edit is over.
    /// </summary>
    static long ManagedBytes(SizePlan size, int clipSide, int ops) =>
        (27L * size.Width * size.Height) + (18L * size.SourceWidth * size.SourceHeight) + (12L * clipSide * (clipSide + size.SourceHeight)) + (3072L * ops);
}
