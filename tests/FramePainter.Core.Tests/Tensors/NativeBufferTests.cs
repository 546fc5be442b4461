using System.Diagnostics;
using FramePainter.Tensors;

namespace FramePainter.Core.Tests.Tensors;

/// <summary>Small buffers are the allocator's, large ones the system's: nobody sees which.</summary>
[Collection(nameof(NativeBufferTests))]
[CollectionDefinition(nameof(NativeBufferTests), DisableParallelization = true)]
public sealed unsafe class NativeBufferTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((2 << 20) - 1)]
    [InlineData(2 << 20)]
    [InlineData((5 << 20) + 3)]
    public void Buffers_are_zeroed_aligned_and_whole(long bytes)
    {
        for (var turn = 0; turn < 3; turn++)
        {
            using var buffer = new NativeBuffer(bytes);
            Assert.Equal(0, (nint)buffer.Pointer % NativeBuffer.Alignment);
            var all = new Span<byte>(buffer.Pointer, (int)bytes);
            Assert.False(all.ContainsAnyExcept((byte)0));

            // What the next turn's buffer must not show.
            all.Fill(0xA5);
        }
    }

    [Fact]
    public void Large_buffers_go_back_to_the_system()
    {
        const long bytes = 256L << 20;
        var (live, size) = (NativeBuffer.LiveBytes, VirtualBytes());
        for (var turn = 0; turn < 100; turn++)
        {
            using var buffer = new NativeBuffer(bytes);
            *(byte*)buffer.Pointer = 1;
            ((byte*)buffer.Pointer)[bytes - 1] = 1;
        }

        Assert.Equal(live, NativeBuffer.LiveBytes);
        Assert.InRange(VirtualBytes() - size, long.MinValue, 10 * bytes);

        static long VirtualBytes()
        {
            using var self = Process.GetCurrentProcess();
            return self.VirtualMemorySize64;
        }
    }
}
