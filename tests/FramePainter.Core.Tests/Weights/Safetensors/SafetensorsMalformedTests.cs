using System.Text;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Core.Tests.Weights.Safetensors;

public sealed class SafetensorsMalformedTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("""[]""", 0, null, "begin with '{'")]
    [InlineData(""" {}""", 0, null, "begin with '{'")]
    [InlineData("", 0, null, "begin with '{'")]
    [InlineData("{", 0, null, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}""", 1, null, "not valid JSON")]
    [InlineData("""{}x""", 0, null, "only spaces may follow")]
    [InlineData("{}\n", 0, null, "only spaces may follow")]
    [InlineData("{}\0", 0, null, "only spaces may follow")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "a", "twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "a", "twice")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "a", "'dtype' is given twice")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}""", 1, "a", "'shape' is given twice")]
    [InlineData("""{"__metadata__":{"x":"1","x":"2"}}""", 0, null, "names 'x' twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "__metadata__", "twice")]
    [InlineData("""{"__metadata__":{"x":1}}""", 0, null, "'x' must be a string, found 1")]
    [InlineData("""{"__metadata__":{"x":null}}""", 0, null, "'x' must be a string, found null")]
    [InlineData("""{"__metadata__":[]}""", 0, null, "must be an object")]
    [InlineData("""{"a":null}""", 0, "a", "found null")]
    [InlineData("""{"a":true}""", 0, "a", "found true")]
    [InlineData("""{"a":[]}""", 0, "a", "found a list")]
    [InlineData("""{"a":{"dtype":{},"shape":[1],"data_offsets":[0,1]}}""", 1, "a", "dtype must be a string, found an object")]
    [InlineData("""{"a":{"dtype":"U8","shape":[false],"data_offsets":[0,1]}}""", 1, "a", "found false")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1""", 0, null, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,1]}}""", 1, "a", "'F31' is unknown")]
    [InlineData("""{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", 4, "a", "'f32' is unknown")]
    [InlineData("""{"a":{"dtype":7,"shape":[1],"data_offsets":[0,1]}}""", 1, "a", "dtype must be a string")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,1]}}""", 1, "a", "'dtype' is missing")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,1]}}""", 1, "a", "'shape' is missing")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1]}}""", 1, "a", "'data_offsets' is missing")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"extra":1}}""", 1, "a", "unknown field 'extra'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "a", "found -1")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}""", 1, "a", "found 1.0")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}""", 1, "a", "found 1e0")]
    [InlineData("""{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", 1, "a", "found the string '1'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[18446744073709551617],"data_offsets":[0,1]}}""", 1, "a", "found 18446744073709551617")]
    [InlineData("""{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", 1, "a", "list of integers")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1],"data_offsets":[0,1]}}""", 1, "a", "7 extents")]
    [InlineData("""{"a":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,1]}}""", 1, "a", "overflows")]
    [InlineData("""{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}""", 0, "a", "overflows")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "a", "needs 8 bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1, "a", "begin <= end")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", 1, "a", "[begin, end]")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}""", 1, "a", "[begin, end]")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "a", "hole")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""", 3, "b", "hole")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "b", "overlaps")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "b", "overlaps")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"e":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}}""", 2, "e", "overlaps")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}""", 1, "a", "beyond any file")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[9223372036854775807,9223372036854775807]}}""", 0, "a", "beyond any file")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 3, null, "truncated")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 5, null, "nothing may follow")]
    [InlineData("""{}""", 1, null, "nothing may follow")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, null, "no valid text")]
    public void Each_breach_of_the_format_is_named(string header, int dataBytes, string? tensor, string message)
    {
        var path = _folder.WriteSafetensors("broken.safetensors", header, dataBytes);
        var error = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Equal((path, tensor), (error.File, error.Tensor));
    }

    [Fact]
    public void A_header_that_is_no_utf8_is_named()
    {
        var header = Encoding.Latin1.GetBytes("""{"__metadata__":{"x":"\xFF"}}""".Replace("\\xFF", "ÿ", StringComparison.Ordinal));
        AssertRefused(_folder.WriteSafetensors("a", header, 0), "UTF-8");
    }

    [Fact]
    public void A_header_over_the_limit_is_named() =>
        AssertRefused(_folder.Write("a", [.. BitConverter.GetBytes(100_000_001L), (byte)'{', (byte)'}']), "limit of 100,000,000");

    [Fact]
    public void A_header_length_of_all_ones_is_named() =>
        AssertRefused(_folder.Write("a", [.. BitConverter.GetBytes(ulong.MaxValue), (byte)'{', (byte)'}']), "limit of 100,000,000");

    [Fact]
    public void A_file_that_ends_within_its_header_is_named() =>
        AssertRefused(_folder.Write("a", [.. BitConverter.GetBytes(50L), (byte)'{', (byte)'}']), "truncated");

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void A_file_shorter_than_its_header_length_is_named(int bytes) => AssertRefused(_folder.Write("a", new byte[bytes]), "8-byte header length");

    [Fact]
    public void An_empty_file_is_named() => AssertRefused(_folder.Write("a", []), "empty");

    [Fact]
    public void A_missing_file_and_a_folder_are_named()
    {
        AssertRefused(_folder["nowhere.safetensors"], "no file");
        AssertRefused(_folder.Root, "is a folder");
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer")]
    [InlineData("<!DOCTYPE html><html></html>", "web page")]
    [InlineData("\n<html lang=en>", "web page")]
    [InlineData("PK\u0003\u0004\0\0\u0008\u0008............", "zip archive")]
    [InlineData("\u0080\u0002}q\0.........", "pickle")]
    [InlineData("GGUF............", "GGUF")]
    [InlineData("\u001F\u008B\u0008.........", "gzip archive")]
    [InlineData("\u0089HDF\r\n\u001A\n....", "HDF5 file")]
    [InlineData("<?xml version='1.0'?>", "web page")]
    [InlineData("{\"weight_map\": {}}", "shard index")]
    public void What_is_not_safetensors_at_all_is_recognised(string content, string message) =>
        AssertRefused(_folder.Write("a.safetensors", Encoding.Latin1.GetBytes(content)), message);

    [Fact]
    public void Every_truncation_of_a_sound_file_is_refused()
    {
        var path = _folder.WriteFloats("a", ("x", new(3, 2)), ("y", new()));
        var bytes = File.ReadAllBytes(path);
        for (var length = 0; length < bytes.Length; length++)
        {
            var cut = _folder.Write("cut", bytes.AsSpan(0, length));
            Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(cut));
        }
    }

    static void AssertRefused(string path, string message)
    {
        var error = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(path, error.File);
    }
}
