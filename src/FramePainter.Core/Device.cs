using System.Text;
using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using Microsoft.Extensions.Logging;

namespace FramePainter;

/// <summary>Where an edit runs.</summary>
public sealed record Device
{
    readonly Func<int, ILogger, IBackend> _create;

    Device(string name, Func<int, ILogger, IBackend> create) => (Name, _create) = (name, create);

    /// <summary>The processor.</summary>
    public static Device Cpu { get; } = new("cpu", (threads, _) => new CpuBackend(threads));

    /// <summary>
    /// The best device of this machine: those of FramePainter.Cuda, then those of FramePainter.Ilgpu, where the application refers to these
    /// packages, else the processor. <see cref="PainterOptions.Logger"/> is told why each was passed over.
    /// </summary>
    public static Device Auto { get; } = new("auto", (threads, log) => FirstOf([.. DevicePackages.Find(), Cpu]).CreateBackend(threads, log));

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
        return new Device(name, (_, _) => createBackend());
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
            ? new Device($"first of {string.Join(", ", all.Select(d => d.Name))}", (threads, log) => CreateFirst(all, threads, log))
            : throw new ArgumentException("The list of devices is empty.", nameof(devices));
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>Makes a backend.</summary>
    /// <param name="threads">Threads, where it is the processor.</param>
    /// <param name="log">Told what was chosen and what was passed over.</param>
    internal IBackend CreateBackend(int threads, ILogger log) => _create(threads, log);

    static IBackend CreateFirst(Device[] devices, int threads, ILogger log)
    {
        var reasons = new StringBuilder();
        foreach (var device in devices)
        {
            try
            {
                var backend = device.CreateBackend(threads, log);
                if (reasons.Length > 0)
                {
                    DeviceLog.FellBack(log, backend.Description, devices[0].Name);
                }
                else
                {
                    DeviceLog.Chosen(log, backend.Description);
                }

                return backend;
            }
            catch (DeviceException error)
            {
                DeviceLog.PassedOver(log, device.Name, error.Message);
                reasons.Append(System.Globalization.CultureInfo.InvariantCulture, $" {device.Name}: {error.Message}");
            }
        }

        throw new DeviceException($"No device can be used.{reasons}");
    }
}
