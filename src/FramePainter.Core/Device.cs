namespace FramePainter;

/// <summary>Where an edit runs.</summary>
public sealed record Device
{
    Device(string name) => Name = name;

    /// <summary>The best device at hand. Today that is the processor.</summary>
    public static Device Auto { get; } = new("auto");

    /// <summary>The processor.</summary>
    public static Device Cpu { get; } = new("cpu");

    /// <summary>The device's name.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
