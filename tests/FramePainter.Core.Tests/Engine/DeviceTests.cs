using FramePainter.Backends.Cpu;
using FramePainter.Core.Tests.Support;
using Microsoft.Extensions.Logging;

namespace FramePainter.Core.Tests.Engine;

/// <summary>Which device a painter takes, and what its log is told.</summary>
public sealed class DeviceTests
{
    [Fact]
    public void The_first_that_can_be_used_is_taken_and_the_log_says_why_not_the_others()
    {
        var log = new ListLogger();
        var device = Device.FirstOf(Failing("one", "card on fire"), Failing("two", "driver asleep"), Device.Cpu, Failing("never asked", "asked"));
        Assert.Equal("first of one, two, cpu, never asked", device.Name);
        using var painter = Painter.Load(new PainterOptions { Model = Repository.TinyModel, Device = device, Logger = log, Threads = 1 });
        Assert.StartsWith("CPU", painter.Device, StringComparison.Ordinal);
        Assert.Equal(3, log.Entries.Count);
        Assert.All(log.Entries, e => Assert.Equal(LogLevel.Warning, e.Level));
        Assert.Equal("Device one is passed over: card on fire", log.Entries[0].Text);
        Assert.Equal("Device two is passed over: driver asleep", log.Entries[1].Text);
        Assert.Equal($"Edits run on {painter.Device}, not on one.", log.Entries[2].Text);
    }

    [Fact]
    public void Without_another_package_the_best_device_is_the_processor()
    {
        var log = new ListLogger();
        using var backend = Device.Auto.CreateBackend(Request(log));
        Assert.StartsWith("CPU", backend.Description, StringComparison.Ordinal);
        Assert.Equal([(LogLevel.Information, $"Edits run on {backend.Description}.")], log.Entries);
    }

    [Fact]
    public void The_log_is_told_once_which_device_it_is_however_it_was_named()
    {
        foreach (var device in new[] { Device.Cpu, Device.Custom("own", () => new CpuBackend(1)), Device.FirstOf(Device.Cpu), Device.FirstOf(Device.FirstOf(Device.Cpu), Device.Cpu), Device.FirstOf(Device.Auto) })
        {
            var log = new ListLogger();
            using var painter = Painter.Load(new PainterOptions { Model = Repository.TinyModel, Device = device, Logger = log, Threads = 1 });
            Assert.Equal([(LogLevel.Information, $"Edits run on {painter.Device}.")], log.Entries);
        }
    }

    [Fact]
    public void Where_none_is_left_the_error_has_every_reason()
    {
        var error = Assert.Throws<DeviceException>(() => Device.FirstOf(Failing("one", "card on fire."), Failing("two", "driver asleep.")).CreateBackend(Request(new ListLogger())));
        Assert.Equal("No device can be used. one: card on fire. two: driver asleep.", error.Message);
        Assert.Throws<ArgumentException>(() => Device.FirstOf());
        Assert.Throws<ArgumentNullException>(() => Device.FirstOf(Device.Cpu, null!));
    }

    [Fact]
    public void Only_a_device_that_cannot_be_used_is_passed_over()
    {
        var broken = Device.Custom("broken", () => throw new InvalidOperationException("a fault of the backend's"));
        var error = Assert.Throws<InvalidOperationException>(() => Device.FirstOf(broken, Device.Cpu).CreateBackend(Request(new ListLogger())));
        Assert.Equal("a fault of the backend's", error.Message);
    }

    [Fact]
    public void A_device_of_several_precisions_is_told_which()
    {
        var asked = new List<Precision>();
        var device = Device.Custom("several", precision =>
        {
            asked.Add(precision);
            return new CpuBackend(1);
        });
        foreach (var precision in Enum.GetValues<Precision>())
        {
            device.CreateBackend(Request(new ListLogger()) with { Numbers = new CpuNumbers(precision) }).Dispose();
        }

        Assert.Equal(Enum.GetValues<Precision>(), asked);
        var error = Assert.Throws<OptionException>(() => device.CreateBackend(Request(new ListLogger()) with { Numbers = new CpuNumbers(Precision.BFloat16, WeightFormat.Int8) }));
        Assert.Equal(nameof(PainterOptions.Precision), error.Option);
        Assert.Contains("'several' has options of its own", error.Message, StringComparison.Ordinal);
    }

    static Device Failing(string name, string why) => Device.Custom(name, () => throw new DeviceException(why));

    static BackendRequest Request(ILogger log) => new(1, CpuNumbers.Default, WinogradUse.WhereFaster, log);
}
