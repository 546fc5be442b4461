using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Core.Tests.Weights.Safetensors;

public sealed class SafetensorsWriterTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pieces_of_any_size_make_the_tensor()
    {
        var values = Enumerable.Range(0, 200_003).Select(i => i / 7f).ToArray();
        foreach (var type in new[] { DType.F32, DType.F16, DType.BF16 })
        {
            using (var writer = SafetensorsWriter.Create(_folder["a"], [new("empty", type, new(0)), new("x", type, new(values.Length)), new("y", type, new())]))
            {
                writer.Append("x", values.AsSpan(0, 1));
                writer.Append("x", values.AsSpan(1, 140_000));
                writer.Append("x", values.AsSpan(140_001));
                writer.Append("y", [0.5f]);
                writer.Complete();
            }

            using var file = SafetensorsFile.Open(_folder["a"]);
            using var handle = file.OpenTensor("x");
            var tolerance = type == DType.F32 ? 0 : type == DType.F16 ? 1 / 2048f : 1 / 256f;
            Assert.All(handle.View.ToArray().Zip(values), p => Assert.InRange(p.First, p.Second * (1 - tolerance), p.Second * (1 + tolerance)));
            Assert.Equal(0, file.Tensors["x"].Offset % 8);
        }
    }

    [Fact]
    public void Nothing_is_seen_before_completion_nor_after_giving_up()
    {
        var writer = SafetensorsWriter.Create(_folder["a"], [new("x", DType.F32, new(2))]);
        writer.Append("x", [1f]);
        Assert.False(File.Exists(_folder["a"]));
        Assert.Throws<InvalidOperationException>(writer.Complete);
        writer.Dispose();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void A_file_of_that_name_is_replaced_only_by_a_whole_one()
    {
        _folder.Write("a", "before");
        using (var writer = SafetensorsWriter.Create(_folder["a"], [new("x", DType.F32, new(2))]))
        {
            writer.Append("x", [1f]);
        }

        Assert.Equal("before", File.ReadAllText(_folder["a"]));
        SafetensorsWriter.Write(_folder["a"], new Dictionary<string, (Shape, float[])> { ["x"] = (new(2), [1f, 2f]) });
        using var file = SafetensorsFile.Open(_folder["a"]);
        Assert.Single(file.Tensors);
    }

    [Fact]
    public void Order_and_amount_are_held_to_the_declaration()
    {
        using var writer = SafetensorsWriter.Create(_folder["a"], [new("x", DType.F32, new(1)), new("y", DType.I64, new(1))]);
        Assert.Throws<InvalidOperationException>(() => writer.Append("y", new byte[8]));
        Assert.Throws<InvalidOperationException>(() => writer.Append("x", [1f, 2f]));
        writer.Append("x", [1f]);
        Assert.Throws<InvalidOperationException>(() => writer.Append("x", [1f]));
        Assert.Throws<InvalidOperationException>(() => writer.Append("y", [1f]));
        writer.Append("y", new byte[8]);
        writer.Complete();
        Assert.Throws<ObjectDisposedException>(() => writer.Append("y", new byte[8]));
    }

    [Fact]
    public void Faulty_requests_are_refused()
    {
        Assert.Equal("x", Assert.Throws<CheckpointException>(() => SafetensorsWriter.Create(_folder["a"], [new("x", DType.F32, new(1)), new("x", DType.F32, new(1))])).Tensor);
        Assert.Throws<CheckpointException>(() => SafetensorsWriter.Create(_folder["a"], [new("__metadata__", DType.F32, new(1))]));
        Assert.Throws<CheckpointException>(() => SafetensorsWriter.Create(_folder["no/such/a"], []));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(_folder["a"], new Dictionary<string, (Shape, float[])> { ["x"] = (new(2), [1f]) }));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(_folder["a"], new Dictionary<string, (Shape, float[])>(), DType.I8));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void A_disk_too_small_is_a_typed_error_that_leaves_nothing()
    {
        var error = Assert.Throws<CheckpointException>(() => SafetensorsWriter.Create(_folder["a"], [new("x", DType.F32, new(1L << 50))]));
        Assert.Equal(_folder["a"], error.File);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Root));
    }
}
