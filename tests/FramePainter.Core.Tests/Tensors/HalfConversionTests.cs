using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Tensors;

/// <summary>Spans of bfloat16 go the way of single ones, whatever their length.</summary>
public sealed class HalfConversionTests
{
    [Fact]
    public void Every_bfloat16_widens_to_the_float_of_its_bits_and_narrows_back()
    {
        var halves = Enumerable.Range(0, 1 << 16).Select(i => (ushort)i).ToArray();
        var floats = new float[halves.Length];
        HalfConversion.WidenBF16(halves, floats);
        Assert.Equal(halves.Select(h => (uint)h << 16), floats.Select(BitConverter.SingleToUInt32Bits));

        // A NaN comes back quiet.
        var back = new ushort[halves.Length];
        HalfConversion.NarrowBF16(floats, back);
        Assert.Equal(halves.Select((h, i) => float.IsNaN(floats[i]) ? (ushort)(h | 0x40) : h), back);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(33)]
    [InlineData(10007)]
    public void Spans_are_rounded_as_single_floats_are(int count)
    {
        var random = new Random(count);
        var floats = Enumerable.Range(0, count).Select(i => BitConverter.UInt32BitsToSingle(i % 3 == 0 ? (uint)(random.Next(1 << 16) << 16) | 0x8000 : (uint)random.NextInt64(1L << 32))).ToArray();
        var halves = new ushort[count + 1];
        halves[count] = 0x1234;
        HalfConversion.NarrowBF16(floats, halves);
        Assert.Equal(floats.Select(HalfConversion.NarrowBF16), halves[..count]);
        Assert.Equal(0x1234, halves[count]);

        var wide = new float[count + 1];
        wide[count] = 5;
        HalfConversion.WidenBF16(halves.AsSpan(0, count), wide);
        Assert.Equal(halves[..count].Select(h => (uint)h << 16), wide[..count].Select(BitConverter.SingleToUInt32Bits));
        Assert.Equal(5, wide[count]);
    }
}
