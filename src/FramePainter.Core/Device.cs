using System.Text;
using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using Microsoft.Extensions.Logging;

namespace FramePainter;

/// <summary>Where an edit runs.</summary>
public sealed record Device
{
    readonly Func<BackendRequest, IBackend> _create;

    /// <summary>Whether it chooses among others, and tells the log itself which it took.</summary>
    readonly bool _chooses;

    Device(string name, Func<BackendRequest, IBackend> create, bool chooses = false) => (Name, _create, _chooses) = (name, create, chooses);

    /// <summary>The processor.</summary>
    public static Device Cpu { get; } = new("cpu", request => new CpuBackend(request.Threads, numbers: request.Numbers, winograd: request.Winograd));

    /// <summary>
    /// The best device of this machine: those of FramePainter.Cuda, then those of FramePainter.Ilgpu, where the application refers to these
    /// packages, else the processor. <see cref="PainterOptions.Logger"/> is told why each was passed over.
    /// </summary>
    public static Device Auto { get; } = new("auto", request => FirstOf([.. DevicePackages.Find(), Cpu]).CreateBackend(request), chooses: true);

    /// <summary>The device's name.</summary>
    public string Name { get; }

    /// <summary>A device of another package. Each painter makes a backend of its own when it is loaded, and disposes it with itself.</summary>
    /// <param name="name">A name for people.</param>
    /// <param name="createBackend">Makes a backend; may raise a <see cref="DeviceException"/>.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Device Custom(string name, Func<IBackend> createBackend)
    {
        ArgumentNullException.ThrowIfNull(createBackend);
        return OfPackage(name, numbers => numbers == CpuNumbers.Default, _ => createBackend());
    }

    /// <summary>A device of another package that computes in more than one precision. Each painter makes a backend of its own when it is loaded, and disposes it with itself.</summary>
    /// <param name="name">A name for people.</param>
    /// <param name="createBackend">Makes a backend of the painter's <see cref="PainterOptions.Precision"/>; may raise a <see cref="DeviceException"/>.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Device Custom(string name, Func<Precision, IBackend> createBackend)
    {
        ArgumentNullException.ThrowIfNull(createBackend);
        return OfPackage(name, numbers => numbers with { Precision = Precision.Float32 } == CpuNumbers.Default, createBackend);
    }

    /// <summary>
    /// The first of several devices that can be used, looked for whenever a painter is loaded. A device is passed over where it raises a
    /// <see cref="DeviceException"/>; <see cref="PainterOptions.Logger"/> is told why. Where none is left, a painter is not loaded, and the
    /// error says why each was passed over.
    /// </summary>
    /// <param name="devices">The devices, the one liked best first.</param>
    /// <exception cref="ArgumentException">There is no device in the list.</exception>
    public static Device FirstOf(params IReadOnlyList<Device> devices)
    {
        ArgumentNullException.ThrowIfNull(devices);
        Device[] all = [.. devices];
        foreach (var device in all)
        {
            ArgumentNullException.ThrowIfNull(device, nameof(devices));
        }

        return all.Length > 0
            ? new Device($"first of {string.Join(", ", all.Select(d => d.Name))}", request => CreateFirst(all, request), chooses: true)
            : throw new ArgumentException("The list of devices is empty.", nameof(devices));
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Makes a backend, and tells the log which.</summary>
    /// <param name="request">What it shall be like.</param>
    /// <exception cref="OptionException">The numbers are contradictory, or not for this device.</exception>
    internal IBackend CreateBackend(BackendRequest request)
    {
        var backend = _create(request);
        if (!_chooses)
        {
            DeviceLog.Chosen(request.Log, backend.Description);
        }

        return backend;
    }

    static Device OfPackage(string name, Func<CpuNumbers, bool> takes, Func<Precision, IBackend> create)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new Device(name, request => takes(request.Numbers)
            ? create(request.Numbers.Precision)
            : throw new OptionException(
                nameof(PainterOptions.Precision),
                $"Precision {request.Numbers.Precision} with weights {request.Numbers.Weights} is for the processor; '{name}' has options of its own."));
    }

    static IBackend CreateFirst(Device[] devices, BackendRequest request)
    {
        var reasons = new StringBuilder();
        foreach (var device in devices)
        {
            try
            {
                var backend = device._create(request);
                if (device._chooses)
                {
                    return backend;
                }

                if (reasons.Length > 0)
                {
                    DeviceLog.FellBack(request.Log, backend.Description, devices[0].Name);
                }
                else
                {
                    DeviceLog.Chosen(request.Log, backend.Description);
                }

                return backend;
            }
            catch (FramePainterException error) when (error is DeviceException || (error is OptionException && device != devices[^1]))
            {
                DeviceLog.PassedOver(request.Log, device.Name, error.Message);
                reasons.Append(System.Globalization.CultureInfo.InvariantCulture, $" {device.Name}: {error.Message}");
            }
        }

        throw new DeviceException($"No device can be used.{reasons}");
    }
}

/// <summary>What a painter wants of a backend.</summary>
/// <param name="Threads">Threads, where it is the processor.</param>
/// <param name="Numbers">In which numbers it computes, where it is the processor.</param>
/// <param name="Winograd">Which convolutions run by Winograd's algorithm, where it is the processor.</param>
/// <param name="Log">Told what was chosen and what was passed over.</param>
internal sealed record BackendRequest(int Threads, CpuNumbers Numbers, WinogradUse Winograd, ILogger Log);
