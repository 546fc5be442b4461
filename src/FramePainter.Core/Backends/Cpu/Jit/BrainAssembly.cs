using FramePainter.Backends.Cpu.Simd;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Writes the kernels of bfloat16. The runtime has no intrinsics for them, so they are assembled: plain functions of the platform's calling
/// convention that call nothing and touch no stack beyond saving what Windows wants back and what spelled-out instructions keep there.
/// </summary>
internal static class BrainAssembly
{
    const int RowBytes = Blocking.RowStride * sizeof(float);
    const int RegisterBytes = 64;

    static readonly AssemblerRegisterZMM[] s_registers =
    [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15,
        zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31,
    ];

    static readonly AssemblerRegisterXMM[] s_keptOnWindows = [xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];

    /// <summary>
    /// <c>void (float* rows, byte* panel, int pairs, float* tile, int accumulate)</c>: tile (+)= rows × panel, both of bfloat16 pairs, rows
    /// <see cref="Blocking.RowStride"/> words apart, the panel two registers of columns a pair, the tile two registers of float32 sums a row.
    /// </summary>
    /// <param name="rows">Rows of the tile, 1 to 14.</param>
    /// <param name="columns">Registers of columns, 1 or 2.</param>
    /// <param name="instructions">What dots are made of.</param>
    public static byte[] Product(int rows, int columns, BrainInstructions instructions)
    {
        var code = new Assembler(64);
        var (row, panel, tile, pairs, accumulate) = (rax, r10, r11, ecx, r8d);
        if (OperatingSystem.IsWindows())
        {
            code.mov(row, rcx);
            code.mov(panel, rdx);
            code.mov(tile, r9);
            code.mov(pairs, r8d);
            code.mov(accumulate, __dword_ptr[rsp + 40]);
            KeepRegisters(code);
        }
        else
        {
            code.mov(row, rdi);
            code.mov(panel, rsi);
            code.mov(tile, rcx);
            code.mov(pairs, edx);
        }

        instructions.Enter(code);
        AssemblerRegisterZMM Sum(int r, int c) => s_registers[(2 * r) + c];
        AssemblerMemoryOperand InTile(int r, int c) => tile + (((2 * r) + c) * RegisterBytes);

        var loop = code.CreateLabel();
        Each(rows, columns, (r, c) => code.vpxord(Sum(r, c), Sum(r, c), Sum(r, c)));
        code.test(accumulate, accumulate);
        code.je(loop);
        Each(rows, columns, (r, c) => code.vmovups(Sum(r, c), InTile(r, c)));
        code.Label(ref loop);
        code.vmovups(zmm28, panel + 0);
        if (columns > 1)
        {
            code.vmovups(zmm29, panel + RegisterBytes);
        }

        for (var r = 0; r < rows; r++)
        {
            // Two broadcast registers take turns, so that the next load need not wait for the last use.
            var pair = s_registers[30 + (r % 2)];
            code.vbroadcastss(pair, __dword_ptr[row + (r * RowBytes)]);
            for (var c = 0; c < columns; c++)
            {
                instructions.Dot(code, Sum(r, c), pair, s_registers[28 + c]);
            }
        }

        code.add(row, sizeof(float));
        code.add(panel, 2 * RegisterBytes);
        code.dec(pairs);
        code.jne(loop);
        Each(rows, columns, (r, c) => code.vmovups(InTile(r, c), Sum(r, c)));
        return Finish(code, instructions, keptRegisters: true);
    }

    /// <summary><c>void (float* source, uint* destination, int rows, int pairs)</c>: see <see cref="BrainKernels.Round"/>.</summary>
    /// <param name="instructions">What rounding is made of.</param>
    public static byte[] Round(BrainInstructions instructions)
    {
        var code = new Assembler(64);
        var (source, destination, rows, pairs, from, to, left) = (rax, r10, r11d, r9d, rdx, rcx, r8d);
        if (OperatingSystem.IsWindows())
        {
            code.mov(source, rcx);
            code.mov(destination, rdx);
            code.mov(rows, r8d);
        }
        else
        {
            code.mov(source, rdi);
            code.mov(destination, rsi);
            code.mov(rows, edx);
            code.mov(pairs, ecx);
        }

        instructions.Enter(code);
        var (nextRow, next) = (code.CreateLabel(), code.CreateLabel());
        code.Label(ref nextRow);
        code.mov(from, source);
        code.mov(to, destination);
        code.mov(left, pairs);
        code.Label(ref next);
        code.vmovups(zmm0, from + RegisterBytes);
        instructions.Round(code, zmm0, zmm0, __zmmword_ptr[from]);
        code.vmovups(__zmmword_ptr[to], zmm0);
        code.add(from, 2 * RegisterBytes);
        code.add(to, RegisterBytes);
        code.sub(left, 16);
        code.jg(next);
        code.add(source, RowBytes);
        code.add(destination, RowBytes);
        code.dec(rows);
        code.jne(nextRow);
        return Finish(code, instructions, keptRegisters: false);
    }

    static void Each(int rows, int columns, Action<int, int> emit)
    {
        for (var r = 0; r < rows; r++)
        {
            for (var c = 0; c < columns; c++)
            {
                emit(r, c);
            }
        }
    }

    static void KeepRegisters(Assembler code)
    {
        // 8 bytes more than the ten registers take: the return address has left the stack 8 bytes off its alignment.
        code.sub(rsp, (16 * s_keptOnWindows.Length) + 8);
        for (var i = 0; i < s_keptOnWindows.Length; i++)
        {
            code.movaps(__xmmword_ptr[rsp + (16 * i)], s_keptOnWindows[i]);
        }
    }

    static byte[] Finish(Assembler code, BrainInstructions instructions, bool keptRegisters)
    {
        instructions.Leave(code);
        code.vzeroupper();
        if (keptRegisters && OperatingSystem.IsWindows())
        {
            for (var i = 0; i < s_keptOnWindows.Length; i++)
            {
                code.movaps(s_keptOnWindows[i], __xmmword_ptr[rsp + (16 * i)]);
            }

            code.add(rsp, (16 * s_keptOnWindows.Length) + 8);
        }

        code.ret();
        return KernelCode.Assembled(code);
    }
}
