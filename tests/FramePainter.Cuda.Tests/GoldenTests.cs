using System.Runtime.InteropServices;
using FramePainter.Conformance;
using FramePainter.Core.Tests.Engine;
using FramePainter.Core.Tests.Support;
using FramePainter.Graphs;
using FramePainter.Model;
using FramePainter.Pipeline;
using FramePainter.Weights;

namespace FramePainter.Cuda.Tests;

/// <summary>The reference results of the original, within what halves allow (docs/numerics.md, "A whole network in halves").</summary>
public sealed class GoldenTests
{
    /// <summary>Peak signal to noise ratio of a whole edit's frames in bfloat16, in place of <see cref="HalfBounds.Edit"/>: what latents at twice the network's bound there give (docs/numerics.md).</summary>
    const double BFloat16EditBound = 34;

    [Theory]
    [InlineData(true, false, false, Precision.Float32)]
    [InlineData(false, true, false, Precision.Float32, Traits = ["Needs", "emulator"])]
    [InlineData(true, false, true, Precision.Float32, Traits = ["Needs", "emulator"])]
    [InlineData(true, false, false, Precision.BFloat16)]
    [InlineData(true, false, true, Precision.BFloat16, Traits = ["Needs", "emulator"])]
    public void The_U_Net_is_the_originals(bool deferred, bool reverse, bool hopper, Precision precision)
    {
        Assert.SkipWhen(hopper && IsBrief(precision), "Set FRAMEPAINTER_FULL=1 to run bfloat16 on the emulated Hopper too.");
        Emulator.Order(deferred, reverse);
        using var checkpoint = Checkpoint.Open(Repository.TinyModel);
        using var backend = Open(deferred, hopper, precision);
        var products = Hopper.Products();
        foreach (var golden in GoldenCase.OfKind("unet").Take(IsBrief(precision) ? 1 : int.MaxValue))
        {
            var network = GoldenUNet.Of(golden, checkpoint);
            var error = RelativeL2(network.Want, network.Run(backend, checkpoint)[network.Noise]);
            TestContext.Current.SendDiagnosticMessage($"U-Net, {precision}: relative L2 {error:E2}");
            Assert.True(error <= NetworkBound(precision), $"{golden.Args}: relative L2 {error:E2}");
            Assert.True(error > 0, "halves cannot be exact: was the network run at all?");
            Assert.Equal(hopper, Hopper.Products() > products);
        }
    }

    [Theory]
    [InlineData(false, Precision.Float32)]
    [InlineData(true, Precision.Float32, Traits = ["Needs", "emulator"])]
    [InlineData(false, Precision.BFloat16)]
    [InlineData(true, Precision.BFloat16, Traits = ["Needs", "emulator"])]
    public void An_edit_of_four_steps_is_the_originals(bool hopper, Precision precision)
    {
        Assert.SkipWhen((hopper && !Profiles.IsFull) || IsBrief(precision), "Set FRAMEPAINTER_FULL=1 to edit on the emulated Hopper, and in bfloat16, too.");
        Emulator.Order(deferred: true, reverse: false);
        var golden = GoldenCase.OfKind("pipeline").Single(g => g.Args.GetProperty("steps").GetInt32() == 4);
        using var checkpoint = Checkpoint.Open(Repository.TinyModel);
        using var backend = Open(deferred: true, hopper, precision);
        using var weights = backend.CreateStore(checkpoint);
        using var pipeline = new EditPipeline(checkpoint, backend, weights, AttentionKind.Matching);
        var args = golden.Args;
        var options = new EditOptions
        {
            Steps = 4, Seed = args.GetProperty("seed").GetInt64(), Size = (args.GetProperty("width").GetInt32(), args.GetProperty("height").GetInt32()),
            ControlScale = args.GetProperty("control_scale").GetSingle(), Guidance = args.GetProperty("guidance").GetSingle(),
            Decay = GuidanceDecay.InverseSquare, Draws = DrawPrecision.Float32,
        };
        var replays = Emulator.IsUsed ? Emulator.GraphLaunches() : 0;
        using var picture = new PictureCache(golden.InputImage("source"));
        var result = pipeline.Edit(picture, Signal.Sketch(golden.InputImage("sketch")), options, TestContext.Current.CancellationToken);
        Assert.True(!Emulator.IsUsed || Emulator.GraphLaunches() >= replays + 3, "steps behind the first are replayed from a graph");

        var (_, latents) = golden.OutputFloats("latents");
        var error = RelativeL2(latents, [.. result.Latents]);
        var (shape, bytes) = golden.Output("frames");
        var perFrame = bytes.Length / shape[0];
        var noise = Enumerable.Range(0, shape[0]).Min(f => Psnr(bytes.AsSpan(f * perFrame, perFrame), Pixels(result.Frames[f])));
        TestContext.Current.SendDiagnosticMessage($"edit, {precision}: PSNR {noise:F1} dB, latents' relative L2 {error:E2}");
        Assert.True(noise >= (precision == Precision.BFloat16 ? BFloat16EditBound : HalfBounds.Edit), $"PSNR {noise:F1} dB, latents' relative L2 {error:E2}");
        Assert.True(error <= 2 * NetworkBound(precision), $"latents' relative L2 {error:E2}");
    }

    /// <summary>On the emulated Hopper every product that can be is one of warpgroups, however few its tiles; products run late.</summary>
    static CudaBackend Open(bool deferred, bool hopper, Precision precision)
    {
        Hopper.Order(deferred ? 1 : 0, 1);
        return hopper ? Hopper.Open(new CudaTuning(0, false), precision) : new CudaBackend(0, CudaTuning.Default, precision: precision);
    }

    /// <summary>Whether the default run leaves most of bfloat16 to the full one; a device runs all of it.</summary>
    internal static bool IsBrief(Precision precision) => precision == Precision.BFloat16 && Emulator.IsUsed && !Profiles.IsFull;

    /// <summary>Relative L2 of one call of the U-Net: it grows as the unit roundoff of the halves does.</summary>
    internal static double NetworkBound(Precision precision) => HalfBounds.Network * Profiles.Halves(precision) / BackendProfile.Float16;

    internal static double RelativeL2(float[] want, float[] got)
    {
        Assert.Equal(want.Length, got.Length);
        var (error, size) = (0.0, 0.0);
        for (var i = 0; i < want.Length; i++)
        {
            error += Math.Pow((double)got[i] - want[i], 2);
            size += (double)want[i] * want[i];
        }

        return Math.Sqrt(error / size);
    }

    internal static byte[] Pixels(PixelImage image)
    {
        var pixels = new byte[image.Width * image.Height * 3];
        image.CopyTo(pixels, PixelFormat.Rgb24);
        return pixels;
    }

    internal static double Psnr(ReadOnlySpan<byte> want, ReadOnlySpan<byte> got)
    {
        Assert.Equal(want.Length, got.Length);
        double sum = 0;
        for (var i = 0; i < want.Length; i++)
        {
            sum += (want[i] - got[i]) * (want[i] - got[i]);
        }

        return 10 * Math.Log10(255.0 * 255.0 * want.Length / sum);
    }
}
