using System.Runtime.InteropServices;
using FramePainter.Tensors;
using FramePainter.Weights.Safetensors;
using FsCheck;
using FsCheck.Xunit;

namespace FramePainter.Core.Tests.Weights.Safetensors;

public sealed class SafetensorsPropertyTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Property(MaxTest = 100)]
    public void What_is_written_is_read(NonNull<string>[] names, float[][] values, byte type)
    {
        var stored = (DType)(type % 3);
        var tensors = names
            .Select(n => n.Get)
            .Where(n => n != "__metadata__" && IsText(n))
            .Distinct(StringComparer.Ordinal)
            .Zip(values ?? [])
            .ToDictionary(p => p.First, p => (new Shape(1, p.Second?.Length ?? 0), p.Second ?? []), StringComparer.Ordinal);

        SafetensorsWriter.Write(_folder["a"], tensors, stored);
        using var file = SafetensorsFile.Open(_folder["a"]);
        Assert.Equal(tensors.Keys, file.Tensors.Keys);
        foreach (var (name, (shape, expected)) in tensors)
        {
            using var handle = file.OpenTensor(name);
            Assert.Equal((stored, shape), (handle.View.Type, handle.View.Shape));
            Assert.Equal(Bits(expected.Select(v => Rounded(v, stored)).ToArray()), Bits(handle.View.ToArray()));
        }
    }

    [Property(MaxTest = 1000)]
    public void A_damaged_header_never_does_worse_than_a_typed_error((int Position, byte Value)[] damage)
    {
        SafetensorsWriter.Write(
            _folder["a"],
            new Dictionary<string, (Shape, float[])> { ["x"] = (new Shape(2, 3), new float[6]), ["y"] = (new Shape(), [1f]), ["z"] = (new Shape(0), []) },
            metadata: new Dictionary<string, string> { ["format"] = "pt" });
        var bytes = File.ReadAllBytes(_folder["a"]);
        var header = bytes.Length - (7 * sizeof(float));
        foreach (var (position, value) in damage ?? [])
        {
            bytes[(int)((uint)position % (uint)header)] = value;
        }

        var path = _folder.Write("damaged", bytes);
        try
        {
            using var file = SafetensorsFile.Open(path);
            foreach (var name in file.Tensors.Keys)
            {
                file.OpenTensor(name).Dispose();
            }
        }
        catch (CheckpointException e)
        {
            Assert.Equal(path, e.File);
        }
    }

    static bool IsText(string text)
    {
        try
        {
            new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true).GetByteCount(text);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    static float Rounded(float value, DType type) => type switch
    {
        DType.F16 => (float)(Half)value,
        DType.BF16 => BitConverter.UInt32BitsToSingle((uint)HalfConversion.NarrowBF16(value) << 16),
        _ => value,
    };

    // NaN equals no NaN, but its bits do; which bits a NaN has after rounding is the conversion's business.
    static int[] Bits(float[] values) =>
        [.. MemoryMarshal.Cast<float, int>(values.Select(v => float.IsNaN(v) ? float.NaN : v).ToArray()).ToArray()];
}
