using System.Runtime.InteropServices;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>Assembled kernels one behind the other, each at the beginning of a cache line.</summary>
internal sealed class KernelCode
{
    const int Line = 64;
    readonly List<byte> _code = [];

    /// <summary>All of it.</summary>
    public ReadOnlySpan<byte> Bytes => CollectionsMarshal.AsSpan(_code);

    /// <summary>Adds a kernel; returns where it begins.</summary>
    /// <param name="kernel">Its machine code.</param>
    public int Append(byte[] kernel)
    {
        CollectionsMarshal.SetCount(_code, (_code.Count + Line - 1) / Line * Line);
        var at = _code.Count;
        _code.AddRange(kernel);
        return at;
    }
}
