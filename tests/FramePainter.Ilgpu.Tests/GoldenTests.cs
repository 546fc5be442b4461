using FramePainter.Backends;
using FramePainter.Conformance;
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

    /// <summary>Values inside plans as halves, weights too or as they are: within what halves allow (docs/numerics.md, "A whole network in halves").</summary>
    [Theory]
    [InlineData("tiny-unet-matching-16x16", WeightStorage.AsStored)]
    [InlineData("tiny-unet-matching-16x16", WeightStorage.Half)]
    [InlineData("tiny-unet-matching-8x24", WeightStorage.AsStored)]
    [InlineData("tiny-unet-cross_frame-16x16", WeightStorage.AsStored)]
    [InlineData("tiny-unet-temporal-16x16", WeightStorage.AsStored)]
    [InlineData("tiny-pipeline-4", WeightStorage.AsStored)]
    [InlineData("tiny-pipeline-7", WeightStorage.AsStored)]
    public void Networks_and_edits_with_values_as_halves(string name, WeightStorage weights)
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        using var own = weights == WeightStorage.Half ? Pocl.Create(new IlgpuOptions { Activations = ActivationStorage.Half, Weights = weights }) : null;
        var golden = GoldenCase.Open(GoldenCase.DefaultRoot(), name);
        var computed = new GoldenRunner(own ?? Pocl.SharedInner).Compute(golden);
        foreach (var (output, want) in golden.Outputs)
        {
            var (got, error, size) = (computed[output].Values, 0.0, 0.0);
            for (var i = 0; i < want.Values.Length; i++)
            {
                error += Math.Pow(got[i] - want.Values[i], 2);
                size += Math.Pow(output == "frames" ? 255 : want.Values[i], 2);
            }

            var bound = output == "frames" ? Math.Pow(10, -HalfBounds.Edit / 20) : golden.Kind == "unet" ? HalfBounds.Network : 2 * HalfBounds.Network;
            Assert.True(Math.Sqrt(error / size) <= bound, $"{output}: {Math.Sqrt(error / size):E2}, allowed {bound:E2}");
        }
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
