using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace FramePainter.Core.Tests.Support;

/// <summary>One reference case: a folder with <c>case.json</c> and the tensors that go in and come out. Found by kind, never by name.</summary>
public sealed class GoldenCase
{
    readonly string _folder;
    readonly JsonElement _json;

    GoldenCase(string folder, JsonElement json) => (_folder, _json) = (folder, json);

    public JsonElement Args => _json.GetProperty("args");

    public string Kind => _json.GetProperty("kind").GetString()!;

    /// <summary>All cases of a kind. The repository's own folder has some of every kind, so that none there is a failure; another folder may leave kinds out.</summary>
    public static IReadOnlyList<GoldenCase> OfKind(string kind)
    {
        var cases = Directory.GetDirectories(Root())
            .Order(StringComparer.Ordinal)
            .Where(folder => File.Exists(Path.Combine(folder, "case.json")))
            .Select(folder => new GoldenCase(folder, JsonElement.Parse(File.ReadAllText(Path.Combine(folder, "case.json")))))
            .Where(golden => golden.Kind == kind)
            .ToList();
        Assert.True(cases.Count > 0 || Override is not null, $"There is no case of kind '{kind}' under {Root()}.");
        return cases;
    }

    static string? Override => Environment.GetEnvironmentVariable("FRAMEPAINTER_GOLDENS") is { Length: > 0 } folder ? folder : null;

    public (int[] Shape, byte[] Bytes) Input(string name) => Read("inputs.safetensors", name);

    public (int[] Shape, byte[] Bytes) Output(string name) => Read("outputs.safetensors", name);

    public (int[] Shape, float[] Values) OutputFloats(string name)
    {
        var (shape, bytes) = Output(name);
        return (shape, MemoryMarshal.Cast<byte, float>(bytes).ToArray());
    }

    public PixelImage InputImage(string name)
    {
        var (shape, bytes) = Input(name);
        return PixelImage.FromPixels(bytes, shape[1], shape[0], shape[2] == 1 ? PixelFormat.Gray8 : PixelFormat.Rgb24);
    }

    /// <summary>Holds values to the tolerance that the case states.</summary>
    public void AssertClose(ReadOnlySpan<float> want, ReadOnlySpan<float> got, string what)
    {
        Assert.Equal(want.Length, got.Length);
        double difference = 0, norm = 0, largest = 0;
        for (var i = 0; i < want.Length; i++)
        {
            var d = (double)got[i] - want[i];
            difference += d * d;
            norm += (double)want[i] * want[i];
            largest = double.IsNaN(d) ? double.NaN : Math.Max(largest, Math.Abs(d));
        }

        var relative = Math.Sqrt(difference / Math.Max(norm, double.Epsilon));
        var tolerance = _json.GetProperty("tolerance");
        var limit = tolerance.GetProperty("relative_l2").GetDouble();
        Assert.True(relative <= limit, $"{Path.GetFileName(_folder)} {what}: relative L2 {relative:g3}, allowed {limit:g3}");
        if (tolerance.TryGetProperty("max_abs", out var maxAbs))
        {
            Assert.True(largest <= maxAbs.GetDouble(), $"{Path.GetFileName(_folder)} {what}: largest difference {largest:g3}, allowed {maxAbs}");
        }
    }

    static string Root()
    {
        if (Override is { } given)
        {
            return given;
        }

        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FramePainter.Core.sln")))
        {
            folder = folder.Parent;
        }

        return Path.Combine(Assert.IsType<DirectoryInfo>(folder).FullName, "tests", "goldens");
    }

    (int[] Shape, byte[] Bytes) Read(string file, string name)
    {
        var bytes = File.ReadAllBytes(Path.Combine(_folder, file));
        var header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        var entry = JsonElement.Parse(bytes.AsSpan(8, header)).GetProperty(name);
        var shape = entry.GetProperty("shape").EnumerateArray().Select(e => e.GetInt32()).ToArray();
        var offsets = entry.GetProperty("data_offsets").EnumerateArray().Select(e => e.GetInt32() + 8 + header).ToArray();
        return (shape, bytes[offsets[0]..offsets[1]]);
    }
}
