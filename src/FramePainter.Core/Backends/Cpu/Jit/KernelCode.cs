using System.Runtime.InteropServices;
using Iced.Intel;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>Assembled kernels one behind the other, each at the beginning of a cache line.</summary>
internal sealed class KernelCode
{
    const int Line = 64;
    readonly List<byte> _code = [];

    /// <summary>All of it.</summary>
    public ReadOnlySpan<byte> Bytes => CollectionsMarshal.AsSpan(_code);

    /// <summary>The machine code of a kernel that has been written down, to run at any address.</summary>
    /// <param name="code">The kernel.</param>
    public static byte[] Assembled(Assembler code)
    {
        using var bytes = new MemoryStream();
        code.Assemble(new StreamCodeWriter(bytes), 0);
        return bytes.ToArray();
    }

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
