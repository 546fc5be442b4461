using FramePainter.Conformance;
using FramePainter.Core.Tests.Support;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Cuda.Tests;

/// <summary>bfloat16 in place of float16: how values and weights are rounded, and which painters get it.</summary>
public sealed class BFloat16Tests : IDisposable
{
    public BFloat16Tests() => Emulator.Restore();

    /// <summary>Every bfloat16, and floats around the middle between each and the next: ties go to the even one; a carry reaches the exponent. By eights, and some one by one.</summary>
    [Theory]
    [InlineData(8, 1)]
    [InlineData(6, 17)]
    public void Values_inside_a_plan_are_rounded_to_nearest_even(int width, int every)
    {
        uint[] lower = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF];
        var uppers = Enumerable.Range(0, 1 << 16).Where(upper => upper % every == 0);
        var elements = uppers.SelectMany(upper => lower.Select(low => BitConverter.UInt32BitsToSingle(((uint)upper << 16) | low))).ToArray();
        var built = new OpCase("copy", typeof(ActivateOp), c => c.Graph.Output(c.Graph.Activate(c.Input(elements, 1, elements.Length / width, width), Activation.None), "y")).Make();
        using var backend = new InnerBackend(CudaBackend.Open(precision: Precision.BFloat16));
        using var run = new GuardedRun(backend, built);
        var got = run.Run()[built.Graph.Outputs[0]];
        for (var i = 0; i < got.Length; i++)
        {
            var want = BitConverter.UInt32BitsToSingle((uint)HalfConversion.NarrowBF16(elements[i]) << 16);
            Assert.True(
                float.IsNaN(want) ? float.IsNaN(got[i]) : BitConverter.SingleToUInt32Bits(want) == BitConverter.SingleToUInt32Bits(got[i]),
                $"{BitConverter.SingleToUInt32Bits(elements[i]):X8} became {BitConverter.SingleToUInt32Bits(got[i]):X8}, in rows of {width}");
        }
    }

    /// <summary>Weights of any stored type are rounded once, and sums of taps where they are complete.</summary>
    [Theory]
    [InlineData(DType.F32)]
    [InlineData(DType.F16)]
    [InlineData(DType.BF16)]
    public void Weights_are_rounded_once(DType stored)
    {
        const int Inputs = 5, Outputs = 3, Taps = 9;
        using var weights = new MemoryWeights();
        weights.AddRandom("unet.w.weight", stored, new Shape(Outputs, Inputs, 3, 3), new Random(4), 1);
        float[] values;
        using (var handle = weights.Open("unet.w.weight"))
        {
            values = handle.View.ToArray();
        }

        var matrix = WeightMatrix.Of("unet.w.weight", Outputs, Inputs, Taps);
        foreach (var form in new[] { MatrixForm.Plain, MatrixForm.CornerEvenOdd })
        {
            var taps = form == MatrixForm.Plain ? Taps : 4;
            var packed = PackedMatrix.Pack(weights, matrix, form, Halves.BFloat16);
            for (var o = 0; o < Outputs; o++)
            {
                for (var i = 0; i < Inputs; i++)
                {
                    var sums = new float[taps];
                    for (var tap = 0; tap < Taps; tap++)
                    {
                        sums[form == MatrixForm.Plain ? tap : MatrixForms.TapOf(form, tap)] += values[(((o * Inputs) + i) * Taps) + tap];
                    }

                    for (var tap = 0; tap < taps; tap++)
                    {
                        Assert.Equal(HalfConversion.NarrowBF16(sums[tap]), packed[(o * PackedMatrix.RowLength(Inputs * taps)) + (tap * Inputs) + i]);
                    }
                }
            }
        }
    }

    [Fact]
    [Trait("Needs", "emulator")]
    public void A_painter_gets_the_precision_it_asks_for()
    {
        var log = new ListLogger();
        using (var painter = PainterTests.Load(Device.Auto, log, Precision.BFloat16))
        {
            Assert.Equal("CUDA, FramePainter kernel emulator, bfloat16", painter.Device);
            Assert.Equal(["Edits run on CUDA, FramePainter kernel emulator, bfloat16."], log.Entries.Select(e => e.Text));
        }

        using (var painter = PainterTests.Load(CudaDevice.At(0)))
        {
            Assert.Equal("CUDA, FramePainter kernel emulator, float16", painter.Device);
        }

        Assert.Contains("Precision", Assert.Throws<OptionException>(() => PainterTests.Load(CudaDevice.Any, null, (Precision)9)).Message, StringComparison.Ordinal);
    }

    /// <summary>Weights in another format are the processor's.</summary>
    [Fact]
    [Trait("Needs", "emulator")]
    public void Weights_of_eight_bits_are_not_for_the_GPU()
    {
        var options = new PainterOptions { Model = Core.Tests.Engine.Repository.TinyModel, Precision = Precision.BFloat16, Weights = WeightFormat.Int8, Threads = 2 };
        Assert.Contains("'cuda:0' has options of its own", Assert.Throws<OptionException>(() => Painter.Load(options with { Device = CudaDevice.At(0) })).Message, StringComparison.Ordinal);
        using var painter = Painter.Load(options with { Device = Device.Auto });
        Assert.StartsWith("CPU", painter.Device, StringComparison.Ordinal);
    }

    /// <summary>Streamed matrices are the same bits as resident ones, whatever they hold.</summary>
    [Fact]
    public void Weights_on_the_host_give_the_same_bits()
    {
        var built = OpCases.All["transformer"].Make();
        Dictionary<Value, float[]> want;
        using (var backend = CudaBackend.Open(precision: Precision.BFloat16))
        {
            using var run = new GuardedRun(backend, built);
            want = run.Run();
        }

        using var streaming = CudaBackend.Open(0, new CudaOptions { MemoryBudget = 64 << 20, WeightMemory = 0 }, Precision.BFloat16);
        using var streamed = new GuardedRun(streaming, built);
        Assert.True(((CudaExecutable)streamed.Executable).StreamedBytes > 0);
        foreach (var (value, got) in streamed.Run())
        {
            Bits.AssertEqual(want[value], got, $"{value}");
        }
    }

    public void Dispose() => Emulator.Restore();
}
