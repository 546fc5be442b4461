using FramePainter.Backends;
using FramePainter.Goldens;

namespace FramePainter.Ilgpu.Tests;

/// <summary>The original's results, within the goldens' own tolerances: weights are stored as they are, so nothing is allowed beyond what the processor is allowed.</summary>
public sealed class GoldenTests
{
    [Theory]
    [InlineData("tiny-matching-a")]
    [InlineData("tiny-resnet-a")]
    [InlineData("tiny-transformer-a")]
    public void Blocks_on_the_stand_in(string name)
    {
        using var backend = new IlgpuBackend(IlgpuDevice.Cpu);
        Check(backend, name);
    }

    [Theory]
    [InlineData("tiny-clip")]
    [InlineData("tiny-control")]
    [InlineData("tiny-control-align")]
    [InlineData("tiny-downsample")]
    [InlineData("tiny-upsample")]
    [InlineData("tiny-matching-a")]
    [InlineData("tiny-matching-b")]
    [InlineData("tiny-matching-c")]
    [InlineData("tiny-resnet-a")]
    [InlineData("tiny-resnet-b")]
    [InlineData("tiny-resnet-c")]
    [InlineData("tiny-transformer-a")]
    [InlineData("tiny-transformer-b")]
    [InlineData("tiny-transformer-c")]
    [InlineData("tiny-unet-matching-16x16")]
    [InlineData("tiny-unet-matching-8x24")]
    [InlineData("tiny-unet-cross_frame-16x16")]
    [InlineData("tiny-unet-temporal-16x16")]
    [InlineData("tiny-vae-encode")]
    [InlineData("tiny-vae-decode")]
    [InlineData("tiny-pipeline-1")]
    [InlineData("tiny-pipeline-4")]
    [InlineData("tiny-pipeline-7")]
    public void Networks_and_edits_on_PoCL(string name)
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        Check(Pocl.Shared, name);
    }

    [Fact]
    public void A_painter_runs_on_a_device_of_this_package_and_disposes_it()
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        IlgpuBackend? made = null;
        var device = Device.Custom("ilgpu pocl", () => made = Pocl.Create());
        var golden = GoldenCase.Open(GoldenCase.DefaultRoot(), "tiny-pipeline-1");
        using (var painter = Painter.Load(new PainterOptions { Model = golden.ModelFolder, Device = device }))
        {
            Assert.Contains("OpenCL", painter.Device, StringComparison.Ordinal);
            Assert.True(painter.WeightBytes > 0);
        }

        Assert.Throws<ObjectDisposedException>(() => made!.Allocate(4));
    }

    static void Check(IBackend backend, string name)
    {
        var verdict = new GoldenRunner(backend).Run(GoldenCase.DefaultRoot(), name);
        Assert.True(verdict.Passed, verdict.ToString());
    }
}
