using FramePainter.Backends.Cpu.Simd;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>The instructions of AMX in those of AVX-512 F, by Intel's published operation of each. Tile registers are memory of the kernel's stack frame; what they hold ends with the kernel.</summary>
internal sealed class SpelledOutMatrices : MatrixInstructions
{
    /// <summary>Zeros for subnormals (bits 6 and 15), to nearest even, no exceptions.</summary>
    const int Mxcsr = 0x9FC0;

    // From the stack pointer on: the caller's MXCSR, ours, a constant, words of left sides, the same as a mask, and the registers.
    const int Before = 0;
    const int Wanted = 4;
    const int Odd = 8;
    const int Words = 12;
    const int Mask = 16;
    const int Tiles = RowBytes;
    const int TileBytes = Rows * RowBytes;
    const int FrameBytes = Tiles + (Registers * TileBytes);

    public override void Enter(Assembler code)
    {
        code.sub(rsp, FrameBytes);
        code.mov(__dword_ptr[rsp + Wanted], Mxcsr);
        code.mov(__dword_ptr[rsp + Odd], 0xFFFF_0000u);
        code.stmxcsr(__dword_ptr[rsp + Before]);
        code.ldmxcsr(__dword_ptr[rsp + Wanted]);
        code.mov(eax, Rows);
        Remember(code);
    }

    public override void Leave(Assembler code)
    {
        code.ldmxcsr(__dword_ptr[rsp + Before]);
        code.add(rsp, FrameBytes);
        code.vzeroupper();
    }

    public override void Whole(Assembler code)
    {
        code.mov(eax, Rows);
        Remember(code);
        Empty(code);
    }

    public override void Shorten(Assembler code, AssemblerRegister64 words)
    {
        code.mov(rax, words);
        Remember(code);
        Empty(code);
    }

    public override void Release(Assembler code)
    {
    }

    public override void Zero(Assembler code, int register)
    {
        code.vpxord(zmm0, zmm0, zmm0);
        for (var row = 0; row < Rows; row++)
        {
            code.vmovups(InTile(register, row), zmm0);
        }
    }

    public override void Load(Assembler code, int register, AssemblerRegister64 start, int displacement, AssemblerRegister64 distance)
    {
        var end = code.CreateLabel();
        var right = register >= FirstRight;
        var left = register >= FirstLeft && !right;
        code.lea(rax, __[start + displacement]);
        if (left)
        {
            code.kmovw(k1, __word_ptr[rsp + Mask]);
        }

        for (var row = 0; row < Rows; row++)
        {
            if (right)
            {
                code.cmp(__dword_ptr[rsp + Words], row);
                code.jle(end);
            }

            code.vmovups(left ? zmm0.k1.z : zmm0, __zmmword_ptr[rax]);
            code.vmovups(InTile(register, row), zmm0);
            code.add(rax, distance);
        }

        if (right)
        {
            // A label wants an instruction of its own: what follows may have one too.
            code.Label(ref end);
            code.nop();
        }
    }

    public override void Store(Assembler code, AssemblerRegister64 start, int displacement, AssemblerRegister64 distance, int register)
    {
        code.lea(rax, __[start + displacement]);
        for (var row = 0; row < Rows; row++)
        {
            code.vmovups(zmm0, InTile(register, row));
            code.vmovups(__zmmword_ptr[rax], zmm0);
            code.add(rax, distance);
        }
    }

    public override void Dot(Assembler code, int sum, int left, int right)
    {
        for (var row = 0; row < Rows; row++)
        {
            var next = code.CreateLabel();
            code.vpxord(zmm0, zmm0, zmm0);
            code.vpxord(zmm1, zmm1, zmm1);
            code.lea(rax, __[rsp + Tiles + (right * TileBytes)]);
            code.xor(r8d, r8d);
            code.Label(ref next);
            code.vbroadcastss(zmm2, __dword_ptr[rsp + (r8 * sizeof(float)) + Tiles + (left * TileBytes) + (row * RowBytes)]);
            code.vmovups(zmm3, __zmmword_ptr[rax]);
            code.vpandd(zmm4, zmm2, __dword_bcst[rsp + Odd]);
            code.vpandd(zmm5, zmm3, __dword_bcst[rsp + Odd]);
            code.vfmadd231ps(zmm1, zmm4, zmm5);
            code.vpslld(zmm4, zmm2, 16);
            code.vpslld(zmm5, zmm3, 16);
            code.vfmadd231ps(zmm0, zmm4, zmm5);
            code.add(rax, RowBytes);
            code.inc(r8d);
            code.cmp(r8d, __dword_ptr[rsp + Words]);
            code.jl(next);
            code.vaddps(zmm0, zmm0, zmm1);
            code.vaddps(zmm0, zmm0, InTile(sum, row));
            code.vmovups(InTile(sum, row), zmm0);
        }
    }

    static AssemblerMemoryOperand InTile(int register, int row) => __zmmword_ptr[rsp + Tiles + (register * TileBytes) + (row * RowBytes)];

    void Empty(Assembler code)
    {
        for (var register = 0; register < Registers; register++)
        {
            Zero(code, register);
        }
    }

    static void Remember(Assembler code)
    {
        code.mov(__dword_ptr[rsp + Words], eax);
        code.mov(r8d, -1);
        code.bzhi(r8d, r8d, eax);
        code.mov(__dword_ptr[rsp + Mask], r8d);
    }
}
