using FramePainter.Weights.Safetensors;

namespace FramePainter.Core.Tests.Weights.Safetensors;

public sealed class WeightFilesTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shards_are_one_set_of_tensors()
    {
        _folder.WriteFloats("1.safetensors", ("a", new(1)), ("b", new(2)), ("stray", new(1)));
        _folder.WriteFloats("2.safetensors", ("c", new(3)), ("a", new(9)));
        using var weights = WeightFiles.Open(_folder.Write("x.index.json", """{"metadata":{"total_size":24},"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"}}"""));
        Assert.Equal(["a", "b", "c"], weights.Names.Order());
        Assert.Equal(new(1), weights.Find("a")!.Value.Entry.Shape);
        Assert.Equal([("1.safetensors", "stray"), ("2.safetensors", "a")], weights.Unlisted.Select(u => (Path.GetFileName(u.File.Path), u.Name)));
        using var handle = weights.OpenTensor("c");
        Assert.Equal(3, handle.View.ToArray().Length);
        Assert.Equal("stray", Assert.Throws<CheckpointException>(() => weights.OpenTensor("stray")).Tensor);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../1.safetensors"}}""", "without a path")]
    [InlineData("""{"weight_map":{"a":"sub/1.safetensors"}}""", "without a path")]
    [InlineData("""{"weight_map":{"a":"sub\\1.safetensors"}}""", "without a path")]
    [InlineData("""{"weight_map":{"a":".."}}""", "without a path")]
    [InlineData("""{"weight_map":{"a":""}}""", "without a path")]
    [InlineData("""{"weight_map":{"a":1}}""", "must be a file name")]
    [InlineData("""{"weight_map":{"a":"1.safetensors","a":"1.safetensors"}}""", "not valid JSON")]
    [InlineData("""{"weight_map":[]}""", "no object 'weight_map'")]
    [InlineData("""{}""", "no object 'weight_map'")]
    [InlineData("""[]""", "no object 'weight_map'")]
    [InlineData("""{"weight_map":{},"metadata":{"total_size":"x"}}""", "total_size")]
    [InlineData("""{"weight_map":{},"metadata":{"total_size":-1}}""", "total_size")]
    [InlineData("""{"weight_map":{},"metadata":{"total_size":1e999}}""", "total_size")]
    [InlineData("""{"weight_map":{},"metadata":1}""", "'metadata' must be an object")]
    [InlineData("""{"weight_map":{"a":"."}}""", "without a path")]
    [InlineData("""{"weight_map":{"a":"1.safetensors","q":"1.safetensors"}}""", "'q' in '1.safetensors', which does not hold it")]
    [InlineData("""{"weight_map":{"a":"1.safetensors","b":"3.safetensors","c":"4.safetensors"}}""", "2 of 3 shards that are not beside it: 3.safetensors, 4.safetensors")]
    [InlineData("""{"weight_map":{"a":"1.safetensors","q":"1.safetensors","r":"1.safetensors"}}""", "'q' and 1 more in '1.safetensors', which does not hold it")]
    [InlineData("not json", "not valid JSON")]
    public void A_faulty_index_is_named(string index, string message)
    {
        _folder.WriteFloats("1.safetensors", ("a", new(1)));
        var path = _folder.Write("x.index.json", index);
        var error = Assert.Throws<CheckpointException>(() => WeightFiles.Open(path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_file_is_a_set_of_tensors_too()
    {
        using var weights = WeightFiles.Open(_folder.WriteFloats("1.safetensors", ("a", new(1)), ("b", new(2))));
        Assert.Equal(["a", "b"], weights.Names.Order());
        Assert.Empty(weights.Unlisted);
        Assert.Single(weights.Files);
        Assert.Null(weights.Find("c"));
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"1.safetensors"}}""")]
    [InlineData("""{"weight_map":{"a":"1.safetensors"},"metadata":null}""")]
    [InlineData("""{"weight_map":{"a":"1.safetensors"},"metadata":{}}""")]
    [InlineData("""{"weight_map":{"a":"1.safetensors"},"metadata":{"total_size":4}}""")]
    public void An_index_need_not_tell_its_size(string index)
    {
        _folder.WriteFloats("1.safetensors", ("a", new(1)));
        using var files = WeightFiles.Open(_folder.Write("x.index.json", index));
        Assert.Equal(["a"], files.Names);
    }

    [Fact]
    public void Where_shards_are_missing_a_half_precision_file_beside_them_is_named()
    {
        _folder.WriteFloats("x.fp16.safetensors", ("a", new(1)));
        var error = Assert.Throws<CheckpointException>(() => WeightFiles.Open(_folder.Write("x.index.json", """{"weight_map":{"a":"1.safetensors"}}""")));
        Assert.Contains("--fp16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_that_cannot_be_read_is_named()
    {
        Refused(_folder.Root, "cannot be read");
        Refused(_folder.Write("bytes.index.json", [0xFF, 0xFE]), "not valid UTF-8");
        using (var large = File.Create(_folder["large.index.json"]))
        {
            large.SetLength(SafetensorsHeader.MaxBytes + 1);
        }

        Refused(_folder["large.index.json"], "larger than");

        static void Refused(string path, string message) =>
            Assert.Contains(message, Assert.Throws<CheckpointException>(() => ShardIndex.Read(path)).Message, StringComparison.Ordinal);
    }
}
