using Iced.Intel;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>How kernels of bfloat16 come by the two instructions of AVX512-BF16: as such, or spelled out in AVX-512 where tests run on processors without them.</summary>
internal abstract class BrainInstructions
{
    /// <summary>The processor's own: what every edit runs on.</summary>
    public static BrainInstructions Native { get; } = new NativeInstructions();

    /// <summary>The same results from a dozen instructions each: slower than float32, and for tests alone.</summary>
    public static BrainInstructions SpelledOut { get; } = new SpelledOutInstructions();

    /// <summary>What a kernel does first, its arguments taken: may change flags and the stack.</summary>
    public virtual void Enter(Assembler code)
    {
    }

    /// <summary>What a kernel does last.</summary>
    public virtual void Leave(Assembler code)
    {
    }

    /// <summary>sum += left.odd·right.odd, then sum += left.even·right.even, each rounded once, to nearest even; subnormals are zeros, coming in and going out.</summary>
    public abstract void Dot(Assembler code, AssemblerRegisterZMM sum, AssemblerRegisterZMM left, AssemblerRegisterZMM right);

    /// <summary>Sixteen floats of memory to the lower half of a register, another register's to the upper: to nearest even, subnormals to zero, NaN stays NaN.</summary>
    public abstract void Round(Assembler code, AssemblerRegisterZMM to, AssemblerRegisterZMM upper, AssemblerMemoryOperand lower);

    /// <summary>The same of two registers.</summary>
    public abstract void Round(Assembler code, AssemblerRegisterZMM to, AssemblerRegisterZMM upper, AssemblerRegisterZMM lower);

    sealed class NativeInstructions : BrainInstructions
    {
        public override void Dot(Assembler code, AssemblerRegisterZMM sum, AssemblerRegisterZMM left, AssemblerRegisterZMM right) => code.vdpbf16ps(sum, left, right);

        public override void Round(Assembler code, AssemblerRegisterZMM to, AssemblerRegisterZMM upper, AssemblerMemoryOperand lower) => code.vcvtne2ps2bf16(to, upper, lower);

        public override void Round(Assembler code, AssemblerRegisterZMM to, AssemblerRegisterZMM upper, AssemblerRegisterZMM lower) => code.vcvtne2ps2bf16(to, upper, lower);
    }
}
