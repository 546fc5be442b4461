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

    /// <summary>Whether the device is the processor: its memory is this process's.</summary>
    public required bool OnProcessor { get; init; }

    /// <summary>Bytes of packed weights, when most is held. The device's memory, like the next three.</summary>
    public required long WeightBytes { get; init; }

    /// <summary>Bytes of the values inside the networks, when most is held.</summary>
    public required long ArenaBytes { get; init; }

    /// <summary>Bytes of the kernels' scratch, of the values between networks, of the table of control features and of copies of weights under way, when most is held.</summary>
    public required long WorkspaceBytes { get; init; }

    /// <summary>Bytes that were given back and that the device's pool keeps for the next request, when most is held. 0 on the processor.</summary>
    public required long SpareBytes { get; init; }

    /// <summary>Bytes of the host's memory that serve the device: pinned memory for copies and, under a budget of the device, for weights; what one matrix is packed from and in. 0 on the processor.</summary>
    public required long StagingBytes { get; init; }

    /// <summary>Bytes of pictures, noise, latents and the plans themselves in managed memory, as if the collector left all until the edit is over.</summary>
    public required long PictureBytes { get; init; }

    /// <summary>Bytes that this process held when the estimate was made, beside the library's: the runtime and the program itself, with the device's driver.</summary>
    public required long ProgramBytes { get; init; }

    /// <summary>The most that is held of the device's memory at once, beside what the driver takes for itself.</summary>
    public long DeviceBytes => WeightBytes + ArenaBytes + WorkspaceBytes + SpareBytes;

    /// <summary>The most that this process holds at once: staging, pictures and the program; on the processor the device's memory as well.</summary>
    public long HostBytes => StagingBytes + PictureBytes + ProgramBytes + (OnProcessor ? DeviceBytes : 0);

    /// <summary>What <see cref="PainterOptions.MemoryBudget"/> is about: on the processor <see cref="HostBytes"/>, on any other device <see cref="DeviceBytes"/>.</summary>
    public long PeakBytes => OnProcessor ? HostBytes : DeviceBytes;

    /// <summary>Floating-point operations of all products, 2 for a multiply-add.</summary>
    public required double Flops { get; init; }

    /// <summary>The least and the most that an edit should take, loading and the first edit's compilation of kernels not counted; null where no calibration was asked for.</summary>
    public (TimeSpan Least, TimeSpan Most)? Time { get; init; }
}
