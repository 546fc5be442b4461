using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Tensors;

public sealed class ShapeTests
{
    [Fact]
    public void Counts_overflow_instead_of_wrapping() =>
        Assert.Throws<OverflowException>(() => new Shape(long.MaxValue, 2).Count);

    [Fact]
    public void An_activation_knows_images_tokens_and_channels()
    {
        var shape = new Shape(4, 6, 7, 320);
        Assert.Equal((4, 42, 320), (shape.Images, shape.Tokens, shape.Channels));
        Assert.Equal("[4, 6, 7, 320]", shape.ToString());
        Assert.Equal(new Shape(4, 6, 7, 5), shape.WithChannels(5));
    }
}
