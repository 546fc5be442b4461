namespace FramePainter;

/// <summary>What an edit would take on this machine, found without reading a weight: <see cref="Painter.Estimate"/>.</summary>
public sealed record EditEstimate
{
    /// <summary>Working width in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Working height in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>Denoising steps.</summary>
    public required int Steps { get; init; }

    /// <summary>The device, as <see cref="Painter.Device"/> says it.</summary>
    public required string Device { get; init; }

    /// <summary>Bytes of packed weights, when most is held. The device's memory, like the next two.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Bytes of the values inside the networks, when most is held.</summary>
    public required long ArenaBytes { get; init; }

    /// <summary>Bytes of the kernels' scratch, of the values between networks and of the table of control features, when most is held.</summary>
    public required long WorkspaceBytes { get; init; }

    /// <summary>Bytes of pictures, noise, latents and the plans themselves in managed memory, as if the collector left all until the edit is over.</summary>
    public required long PictureBytes { get; init; }

    /// <summary>Bytes that this process held when the estimate was made, beside the library's: the runtime and the program itself.</summary>
    public required long ProgramBytes { get; init; }

    /// <summary>The most that one edit holds at once: all of the above.</summary>
    public long PeakBytes => WeightBytes + ArenaBytes + WorkspaceBytes + PictureBytes + ProgramBytes;

    /// <summary>Floating-point operations of all products, 2 for a multiply-add.</summary>
    public required double Flops { get; init; }

    /// <summary>The least and the most that an edit should take, loading and the first edit's compilation of kernels not counted; null where no calibration was asked for.</summary>
    public (TimeSpan Least, TimeSpan Most)? Time { get; init; }
}
