using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// The instructions of AVX512-BF16 in those of AVX-512 F and DQ, by Intel's published operation of each. Registers that they need besides are
/// kept on the stack meanwhile, so that they fit wherever the instruction itself does: kernels use all 32.
/// </summary>
internal sealed class SpelledOutInstructions : BrainInstructions
{
    const int RegisterBytes = 64;

    /// <summary>Zeros for subnormals (bits 6 and 15), to nearest even, no exceptions: what the instructions do whatever MXCSR says.</summary>
    const int Mxcsr = 0x9FC0;

    /// <summary>Zeros and subnormals of VFPCLASSPS.</summary>
    const byte Zeros = 0x02 | 0x04 | 0x20;

    /// <summary>Quiet and signalling NaN of VFPCLASSPS.</summary>
    const byte NotANumber = 0x01 | 0x80;

    // From the stack pointer on: the caller's MXCSR, ours, five constants, the two halves of a result, and the registers that are kept.
    const int Before = 0;
    const int Wanted = 4;
    const int Odd = 8;
    const int One = 12;
    const int AlmostHalf = 16;
    const int Quiet = 20;
    const int Sign = 24;
    const int Halves = RegisterBytes;
    const int Kept = 2 * RegisterBytes;
    const int FrameBytes = Kept + (2 * RegisterBytes);

    public override void Enter(Assembler code)
    {
        code.sub(rsp, FrameBytes);
        foreach (var (at, value) in new (int, uint)[] { (Wanted, Mxcsr), (Odd, 0xFFFF_0000), (One, 1), (AlmostHalf, 0x7FFF), (Quiet, 0x0040_0000), (Sign, 0x8000_0000) })
        {
            code.mov(__dword_ptr[rsp + at], value);
        }

        code.stmxcsr(__dword_ptr[rsp + Before]);
        code.ldmxcsr(__dword_ptr[rsp + Wanted]);
    }

    public override void Leave(Assembler code)
    {
        code.ldmxcsr(__dword_ptr[rsp + Before]);
        code.add(rsp, FrameBytes);
    }

    public override void Dot(Assembler code, AssemblerRegisterZMM sum, AssemblerRegisterZMM left, AssemblerRegisterZMM right) => Keeping(code, [sum, left, right], (x, y) =>
    {
        code.vpandd(x, left, __dword_bcst[rsp + Odd]);
        code.vpandd(y, right, __dword_bcst[rsp + Odd]);
        code.vfmadd231ps(sum, x, y);
        code.vpslld(x, left, 16);
        code.vpslld(y, right, 16);
        code.vfmadd231ps(sum, x, y);
    });

    public override void Round(Assembler code, AssemblerRegisterZMM to, AssemblerRegisterZMM upper, AssemblerMemoryOperand lower)
    {
        Keeping(code, [to, upper], (x, y) =>
        {
            Narrow(code, upper, x, Halves + (RegisterBytes / 2));
            code.vmovups(y, lower);
            Narrow(code, y, x, Halves);
        });
        code.vmovups(to, __zmmword_ptr[rsp + Halves]);
    }

    public override void Round(Assembler code, AssemblerRegisterZMM to, AssemblerRegisterZMM upper, AssemblerRegisterZMM lower)
    {
        Keeping(code, [to, upper, lower], (x, _) =>
        {
            Narrow(code, upper, x, Halves + (RegisterBytes / 2));
            Narrow(code, lower, x, Halves);
        });
        code.vmovups(to, __zmmword_ptr[rsp + Halves]);
    }

    /// <summary>Sixteen floats to as many bfloat16 on the stack.</summary>
    static void Narrow(Assembler code, AssemblerRegisterZMM from, AssemblerRegisterZMM work, int at)
    {
        // Half of the last place is added, or one bit less where the last place is even: what carries into the upper half rounds it.
        code.vpsrld(work, from, 16);
        code.vpandd(work, work, __dword_bcst[rsp + One]);
        code.vpaddd(work, work, __dword_bcst[rsp + AlmostHalf]);
        code.vpaddd(work, work, from);
        code.vfpclassps(k1, from, Zeros);
        code.vpandd(work.k1, from, __dword_bcst[rsp + Sign]);
        code.vfpclassps(k1, from, NotANumber);
        code.vpord(work.k1, from, __dword_bcst[rsp + Quiet]);
        code.vpsrld(work, work, 16);
        code.vpmovdw(__ymmword_ptr[rsp + at], work);
    }

    /// <summary>Lends two registers other than those in use.</summary>
    static void Keeping(Assembler code, AssemblerRegisterZMM[] inUse, Action<AssemblerRegisterZMM, AssemblerRegisterZMM> emit)
    {
        AssemblerRegisterZMM[] lent = [.. new[] { zmm0, zmm1, zmm2, zmm3, zmm4 }.Except(inUse).Take(2)];
        for (var i = 0; i < lent.Length; i++)
        {
            code.vmovups(__zmmword_ptr[rsp + Kept + (i * RegisterBytes)], lent[i]);
        }

        emit(lent[0], lent[1]);
        for (var i = 0; i < lent.Length; i++)
        {
            code.vmovups(lent[i], __zmmword_ptr[rsp + Kept + (i * RegisterBytes)]);
        }
    }
}
