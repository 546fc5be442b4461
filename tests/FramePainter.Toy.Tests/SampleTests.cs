using System.Buffers.Binary;

namespace FramePainter.Toy.Tests;

public sealed class SampleTests
{
    [Fact]
    public void There_are_24_pairs_with_the_seeds_of_the_original_edits()
    {
        Assert.Equal(24, ToyModel.Samples.Count);
        Assert.Equal(("000", 3413L), (ToyModel.Samples[0].Name, ToyModel.Samples[0].Seed));
        Assert.Equal(("023", 3436L), (ToyModel.Samples[^1].Name, ToyModel.Samples[^1].Seed));
    }

    [Fact]
    public void Every_picture_is_a_64_by_64_PNG_and_differs_from_its_siblings()
    {
        ReadOnlySpan<byte> signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];
        foreach (var sample in ToyModel.Samples)
        {
            var pictures = new[] { sample.Source, sample.Sketch, sample.Target, sample.Original };
            foreach (var picture in pictures)
            {
                var bytes = picture.Span;
                Assert.True(bytes.StartsWith(signature), sample.Name);
                Assert.Equal(64, BinaryPrimitives.ReadInt32BigEndian(bytes[16..]));
                Assert.Equal(64, BinaryPrimitives.ReadInt32BigEndian(bytes[20..]));
            }

            Assert.Equal(4, pictures.Select(p => Convert.ToHexString(p.Span)).Distinct(StringComparer.Ordinal).Count());
        }
    }
}
