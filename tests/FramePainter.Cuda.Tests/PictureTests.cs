using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Conformance;
using FramePainter.Pipeline;

namespace FramePainter.Cuda.Tests;

/// <summary>Pictures that cross the bus as bytes are those of the processor, bit for bit.</summary>
public sealed class PictureTests : IDisposable
{
    public PictureTests() => Emulator.Restore();

    public void Dispose() => Emulator.Restore();

    /// <summary>Positions: few, no multiple of the wide kernels', one of them, and more than the pinned memory holds; with noise and without; the plain twins.</summary>
    public static TheoryData<int, bool, bool> Sizes()
    {
        var data = new TheoryData<int, bool, bool>();
        foreach (var positions in new[] { 1, 4, 1021, 64 * 48, 300_001, 300_032 })
        {
            foreach (var noise in new[] { false, true })
            {
                data.Add(positions, noise, false);
            }
        }

        data.Add(64 * 48, true, true);
        return data;
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void What_is_written_has_the_processor_s_bits(int positions, bool noisy, bool naive)
    {
        var random = new Random(positions);
        var pixels = new byte[positions * 3];
        random.NextBytes(pixels);
        var noise = noisy ? RandomData.Normals(random, pixels.Length) : [];
        using var backend = new CudaBackend(0, CudaTuning.Default with { Naive = naive });
        foreach (var values in new[] { PixelValues.Signed, PixelValues.Unit })
        {
            using IDeviceBuffer want = new CpuBuffer(pixels.Length * sizeof(float)), got = backend.Allocate(pixels.Length * sizeof(float));
            want.WritePicture(pixels, values, noise, 0.02f);
            got.WritePicture(pixels, values, noise, 0.02f);
            Bits.AssertEqual(Read(want, pixels.Length), Read(got, pixels.Length), $"{positions} positions");
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void What_is_read_has_the_processor_s_bytes(int positions, bool broken, bool naive)
    {
        var random = new Random(positions);
        var count = positions * 3;
        var floats = new float[2 * count];
        for (var i = 0; i < floats.Length; i++)
        {
            // About what a decoder gives; every number and every half between two of them; and bits of any kind.
            floats[i] = (i % 4) switch
            {
                0 => (random.NextSingle() * 3) - 1.5f,
                1 => (random.Next(511) / 255f) - 1,
                2 => ((random.Next(511) + 0.5f) / 255f) - 1,
                _ => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)),
            };
            floats[i] = float.IsNaN(floats[i]) ? (i % 2 == 0 ? float.PositiveInfinity : float.NegativeInfinity) : floats[i];
        }

        var (first, number) = (random.Next(count), (positions - 1) * 3);
        if (broken)
        {
            (floats[count + first], floats[count + number]) = (float.NaN, float.NaN);
        }

        // The second of two, which need not begin at a multiple of sixteen bytes.
        using var backend = new CudaBackend(0, CudaTuning.Default with { Naive = naive });
        using IDeviceBuffer want = new CpuBuffer(floats.Length * sizeof(float)), got = backend.Allocate(floats.Length * sizeof(float));
        want.Write(floats);
        got.Write(floats);
        var (expected, bytes) = (new byte[count], new byte[count]);
        var wrong = want.ReadPicture(expected, (long)count * sizeof(float));
        Assert.Equal(wrong, got.ReadPicture(bytes, (long)count * sizeof(float)));
        Assert.Equal(broken ? Math.Min(first, number) : -1, wrong);
        Assert.True(wrong >= 0 || expected.AsSpan().SequenceEqual(bytes));
    }

    [Trait("Needs", "emulator")]
    [Theory]
    [InlineData(Pace.Late, false)]
    [InlineData(Pace.Early, true)]
    public void They_are_in_every_order_of_streams_and_threads(Pace pace, bool reverse)
    {
        Emulator.Streams(pace);
        Emulator.Order(true, reverse);
        What_is_written_has_the_processor_s_bits(64 * 48, true, false);
        What_is_read_has_the_processor_s_bytes(64 * 48, false, false);
    }

    [Fact]
    public void Sizes_that_do_not_belong_together_are_refused()
    {
        using var backend = CudaBackend.Open();
        using var buffer = backend.Allocate(12 * sizeof(float));
        Assert.Throws<ArgumentException>(() => buffer.WritePicture(new byte[12], PixelValues.Unit, new float[11], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.WritePicture(new byte[15], PixelValues.Unit));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.ReadPicture(new byte[12], 4));
    }

    static float[] Read(IDeviceBuffer buffer, int count)
    {
        var values = new float[count];
        buffer.Read(values);
        return values;
    }
}
