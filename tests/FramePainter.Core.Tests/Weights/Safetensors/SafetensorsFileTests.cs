using FramePainter.Core.Tests.Engine;
using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Core.Tests.Weights.Safetensors;

// Resident memory is the whole process's: no other test may take some meanwhile.
[Collection(nameof(Alone))]
public sealed class SafetensorsFileTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_come_in_the_order_of_their_bytes_with_metadata_and_padding()
    {
        var path = _folder.WriteSafetensors("a", """{"b":{"shape":[2,1],"data_offsets":[3,7],"dtype":"F16"},"__metadata__":{"format":"pt","é":""},"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}     """, 7);
        using var file = SafetensorsFile.Open(path);
        Assert.Equal(["a", "b"], file.Tensors.Keys);
        Assert.Equal((DType.F16, new Shape(2, 1), 4L), (file.Tensors["b"].Type, file.Tensors["b"].Shape, file.Tensors["b"].Bytes));
        Assert.Equal(file.Bytes - 4, file.Tensors["b"].Offset);
        Assert.Equal(("pt", ""), (file.Metadata["format"], file.Metadata["é"]));
    }

    [Fact]
    public unsafe void Bytes_are_read_at_any_alignment()
    {
        var path = _folder.WriteSafetensors("a", """{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"I64","shape":[2],"data_offsets":[3,19]}}""", 19);
        using var file = SafetensorsFile.Open(path);
        using var handle = file.OpenTensor("b");
        Assert.Equal(Enumerable.Range(3, 16).Select(i => (byte)i), new Span<byte>((void*)handle.View.Address, 16).ToArray());
    }

    [Fact]
    public void Scalars_and_empty_tensors_work()
    {
        var path = _folder.WriteSafetensors("a", """{"e":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"f":{"dtype":"F32","shape":[2,0],"data_offsets":[4,4]}}""", 4);
        using var file = SafetensorsFile.Open(path);
        using var scalar = file.OpenTensor("s");
        using var empty = file.OpenTensor("f");
        Assert.Equal(BitConverter.ToSingle([0, 1, 2, 3]), Assert.Single(scalar.View.ToArray()));
        Assert.Empty(empty.View.ToArray());
        Assert.Equal(0, scalar.View.Shape.Rank);
    }

    [Fact]
    public void A_file_without_tensors_is_sound()
    {
        using var file = SafetensorsFile.Open(_folder.WriteSafetensors("a", "{}", 0));
        Assert.Empty(file.Tensors);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public unsafe void Tensors_beyond_two_gigabytes_are_read_and_single_ones_may_be_as_large()
    {
        var path = _folder.WriteHollow("a", [("large", new Shape(5, 1L << 28)), ("last", new Shape(2))]);
        using (var stream = File.OpenWrite(path))
        {
            stream.Seek(-2, SeekOrigin.End);
            stream.Write([0x00, 0x3C]);
        }

        using var file = SafetensorsFile.Open(path);
        using var last = file.OpenTensor("last");
        using var large = file.OpenTensor("large");
        Assert.Equal([0f, 1f], last.View.ToArray());
        Assert.Equal(5L << 29, large.View.Bytes);
        Assert.Equal(0, ((byte*)large.View.Address)[large.View.Bytes - 1]);
    }

    [Fact]
    public void Resident_memory_does_not_grow_with_what_was_read()
    {
        const int tensors = 24;
        const long elements = 4 << 20;
        var path = _folder.WriteHollow("a", Enumerable.Range(0, tensors).Select(i => ($"t{i}", new Shape(elements))));
        using var file = SafetensorsFile.Open(path);
        var values = new float[1 << 16];
        var before = Resident();
        foreach (var name in file.Tensors.Keys)
        {
            using var handle = file.OpenTensor(name);
            for (long first = 0; first < elements; first += values.Length)
            {
                handle.View.CopyTo(first, values);
            }
        }

        // 192 MB went through; a map of the whole file would keep them.
        Assert.InRange(Resident() - before, long.MinValue, 64 << 20);

        static long Resident()
        {
            using var process = System.Diagnostics.Process.GetCurrentProcess();
            return process.WorkingSet64;
        }
    }

    [Fact]
    public void A_handle_outlives_the_file_but_not_its_own_end()
    {
        var path = _folder.WriteSafetensors("a", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4);
        var file = SafetensorsFile.Open(path);
        var handle = file.OpenTensor("a");
        file.Dispose();
        Assert.Single(handle.View.ToArray());
        handle.Dispose();
        handle.Dispose();
        Assert.Throws<ObjectDisposedException>(() => handle.View);
        Assert.Throws<ObjectDisposedException>(() => file.OpenTensor("a"));
    }

    [Fact]
    public void An_unknown_tensor_and_a_file_shortened_while_open_are_named()
    {
        var path = _folder.WriteSafetensors("a", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4);
        using var file = SafetensorsFile.Open(path);
        Assert.Equal("nothing", Assert.Throws<CheckpointException>(() => file.OpenTensor("nothing")).Tensor);
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(stream.Length - 1);
        }

        var error = Assert.Throws<CheckpointException>(() => file.OpenTensor("a"));
        Assert.Equal((path, "a"), (error.File, error.Tensor));
        Assert.Contains("shortened", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_may_hold_any_text()
    {
        var name = "ключ \"\\\n\u0001😀";
        SafetensorsWriter.Write(_folder["a"], new Dictionary<string, (Shape, float[])> { [name] = (new Shape(1), [2f]) });
        using var file = SafetensorsFile.Open(_folder["a"]);
        Assert.Equal(name, Assert.Single(file.Tensors).Key);
    }
}
