using System.Diagnostics;
using FramePainter.Core.Tests.Engine;

namespace FramePainter.Cuda.Tests;

/// <summary>The script for a machine with a GPU, on one without.</summary>
[Trait("Needs", "emulator")]
public sealed class CheckOnGpuTests
{
    [Fact]
    public async Task Without_a_GPU_it_says_so_and_checks_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && !File.Exists("/dev/nvidia0"), "Needs Linux without an NVIDIA GPU.");
        var folder = Path.Combine(Path.GetTempPath(), $"gpu-report-{Guid.NewGuid():N}");
        using var script = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "kernels", "check-on-gpu.sh"), folder]) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
        var errors = script.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", await script.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        await script.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(3, script.ExitCode);
        Assert.StartsWith("No NVIDIA GPU", await errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }
}
