using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Writes the kernel that rounds to bfloat16 (those of products are <see cref="ProductAssembly"/>'s): a plain function of the platform's calling
/// convention that calls nothing and touches no stack beyond what spelled-out instructions keep there.
/// </summary>
internal static class BrainAssembly
{
    const int RegisterBytes = 64;

    /// <summary>The registers by their numbers.</summary>
    public static readonly AssemblerRegisterZMM[] Registers =
    [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15,
        zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31,
    ];

    /// <summary><c>void (RoundCall*)</c>: see <see cref="BrainKernels.Round"/>.</summary>
    /// <param name="instructions">What rounding is made of.</param>
    public static byte[] Round(BrainInstructions instructions)
    {
        var code = new Assembler(64);
        var (call, source, destination, sourceDistance, destinationDistance, from, to, left) = (rbx, r8, r9, r10, r11, rax, rcx, edx);
        ProductAssembly.Enter(code, call);
        instructions.Enter(code);
        code.mov(source, __[call]);
        code.mov(destination, __[call + 8]);
        code.mov(sourceDistance, __[call + 16]);
        code.mov(destinationDistance, __[call + 24]);
        var (nextRow, next) = (code.CreateLabel(), code.CreateLabel());
        code.Label(ref nextRow);
        code.mov(from, source);
        code.mov(to, destination);
        code.mov(left, __dword_ptr[call + 36]);
        code.Label(ref next);
        code.vmovups(zmm0, from + RegisterBytes);
        instructions.Round(code, zmm0, zmm0, __zmmword_ptr[from]);
        code.vmovups(__zmmword_ptr[to], zmm0);
        code.add(from, 2 * RegisterBytes);
        code.add(to, RegisterBytes);
        code.sub(left, RegisterBytes / sizeof(float));
        code.jg(next);
        code.add(source, sourceDistance);
        code.add(destination, destinationDistance);
        code.dec(__dword_ptr[call + 32]);
        code.jne(nextRow);
        instructions.Leave(code);
        return ProductAssembly.Finish(code);
    }
}
