using FramePainter.Backends;
using FramePainter.Backends.Cpu;

namespace FramePainter;

/// <summary>Where an edit runs.</summary>
public sealed record Device
{
    readonly Func<int, CpuNumbers, IBackend> _create;

    Device(string name, Func<int, CpuNumbers, IBackend> create) => (Name, _create) = (name, create);

    /// <summary>The best device that this package knows by itself: the processor.</summary>
    public static Device Auto { get; } = new("auto", (threads, numbers) => new CpuBackend(threads, numbers: numbers));

    /// <summary>The processor.</summary>
    public static Device Cpu { get; } = new("cpu", (threads, numbers) => new CpuBackend(threads, numbers: numbers));

    /// <summary>The device's name.</summary>
    public string Name { get; }

    /// <summary>A device of another package. Each painter makes a backend of its own when it is loaded, and disposes it with itself.</summary>
    /// <param name="name">A name for people.</param>
    /// <param name="createBackend">Makes a backend; may raise a <see cref="DeviceException"/>.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Device Custom(string name, Func<IBackend> createBackend)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(createBackend);
        return new Device(name, (_, numbers) => numbers == CpuNumbers.Default
            ? createBackend()
            : throw new OptionException(
                nameof(PainterOptions.Precision),
                $"Precision {numbers.Precision} with weights {numbers.Weights} is for the processor; '{name}' has options of its own."));
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Makes a backend.</summary>
    /// <param name="threads">Threads, where it is the processor.</param>
    /// <param name="numbers">Its numbers, where it is the processor.</param>
    /// <exception cref="OptionException">The numbers are contradictory, or not for this device.</exception>
    internal IBackend CreateBackend(int threads, CpuNumbers numbers) => _create(threads, numbers);
}
