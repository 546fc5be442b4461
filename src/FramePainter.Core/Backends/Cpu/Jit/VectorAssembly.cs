using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>The vector instructions of product kernels in one width; registers go by their numbers.</summary>
internal abstract class VectorAssembly
{
    /// <summary>The width of a path that has one: AVX-512 or AVX2; null for others.</summary>
    /// <param name="path">The path.</param>
    public static VectorAssembly? Of(InstructionPath path) => path switch
    {
        InstructionPath.Avx512 => new Assembly512(),
        InstructionPath.Avx2 => new Assembly256(),
        _ => null,
    };

    /// <summary>Bytes of a register.</summary>
    public abstract int Bytes { get; }

    /// <summary>Rows of a tile of one panel: its sums leave four registers for two of weights and two of broadcasts.</summary>
    public abstract int TileRows { get; }

    /// <summary>Whether there are 32 registers, enough for tiles of two panels.</summary>
    public abstract bool Pairs { get; }

    /// <summary>Register = 0.</summary>
    public abstract void Zero(Assembler code, int register);

    /// <summary>Register = memory.</summary>
    public abstract void Load(Assembler code, int register, AssemblerMemoryOperand memory);

    /// <summary>Memory = register.</summary>
    public abstract void Store(Assembler code, AssemblerMemoryOperand memory, int register);

    /// <summary>Every lane = one float of memory.</summary>
    public abstract void Broadcast(Assembler code, int register, AssemblerMemoryOperand memory);

    /// <summary>Sum += x·y.</summary>
    public abstract void MultiplyAdd(Assembler code, int sum, int x, int y);

    /// <summary>Sum += x·memory.</summary>
    public abstract void MultiplyAdd(Assembler code, int sum, int x, AssemblerMemoryOperand memory);

    /// <summary>Register += memory.</summary>
    public abstract void Add(Assembler code, int register, AssemblerMemoryOperand memory);

    /// <summary>Register *= x.</summary>
    public abstract void Multiply(Assembler code, int register, int x);

    /// <summary>Register *= memory.</summary>
    public abstract void Multiply(Assembler code, int register, AssemblerMemoryOperand memory);

    /// <summary>A register of weights as float32.</summary>
    /// <param name="code">Receives the instructions.</param>
    /// <param name="type">Their stored type: F32, F16, BF16 or I8.</param>
    /// <param name="register">Receives them.</param>
    /// <param name="memory">Where they lie.</param>
    public void Weights(Assembler code, DType type, int register, AssemblerMemoryOperand memory)
    {
        switch (type)
        {
            case DType.F32:
                Load(code, register, memory);
                break;
            case DType.F16:
                Halves(code, register, memory);
                break;
            case DType.BF16:
                Words(code, register, memory);
                break;
            case DType.I8:
                SignedBytes(code, register, memory);
                break;
            default:
                throw new NotSupportedException($"No kernel reads weights of {type}.");
        }
    }

    /// <summary>Float16 to float32.</summary>
    protected abstract void Halves(Assembler code, int register, AssemblerMemoryOperand memory);

    /// <summary>Words to the upper halves of as many floats.</summary>
    protected abstract void Words(Assembler code, int register, AssemblerMemoryOperand memory);

    /// <summary>Signed bytes to float32.</summary>
    protected abstract void SignedBytes(Assembler code, int register, AssemblerMemoryOperand memory);

    sealed class Assembly512 : VectorAssembly
    {
        static readonly AssemblerRegisterZMM[] s_registers =
        [
            zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15,
            zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31,
        ];

        public override int Bytes => 64;

        public override int TileRows => 14;

        public override bool Pairs => true;

        public override void Zero(Assembler code, int register) => code.vpxord(s_registers[register], s_registers[register], s_registers[register]);

        public override void Load(Assembler code, int register, AssemblerMemoryOperand memory) => code.vmovups(s_registers[register], memory);

        public override void Store(Assembler code, AssemblerMemoryOperand memory, int register) => code.vmovups(memory, s_registers[register]);

        public override void Broadcast(Assembler code, int register, AssemblerMemoryOperand memory) => code.vbroadcastss(s_registers[register], memory);

        public override void MultiplyAdd(Assembler code, int sum, int x, int y) => code.vfmadd231ps(s_registers[sum], s_registers[x], s_registers[y]);

        public override void MultiplyAdd(Assembler code, int sum, int x, AssemblerMemoryOperand memory) => code.vfmadd231ps(s_registers[sum], s_registers[x], memory);

        public override void Add(Assembler code, int register, AssemblerMemoryOperand memory) => code.vaddps(s_registers[register], s_registers[register], memory);

        public override void Multiply(Assembler code, int register, int x) => code.vmulps(s_registers[register], s_registers[register], s_registers[x]);

        public override void Multiply(Assembler code, int register, AssemblerMemoryOperand memory) => code.vmulps(s_registers[register], s_registers[register], memory);

        protected override void Halves(Assembler code, int register, AssemblerMemoryOperand memory) => code.vcvtph2ps(s_registers[register], memory);

        protected override void Words(Assembler code, int register, AssemblerMemoryOperand memory)
        {
            code.vpmovzxwd(s_registers[register], memory);
            code.vpslld(s_registers[register], s_registers[register], 16);
        }

        protected override void SignedBytes(Assembler code, int register, AssemblerMemoryOperand memory)
        {
            code.vpmovsxbd(s_registers[register], memory);
            code.vcvtdq2ps(s_registers[register], s_registers[register]);
        }
    }

    sealed class Assembly256 : VectorAssembly
    {
        static readonly AssemblerRegisterYMM[] s_registers = [ymm0, ymm1, ymm2, ymm3, ymm4, ymm5, ymm6, ymm7, ymm8, ymm9, ymm10, ymm11, ymm12, ymm13, ymm14, ymm15];

        public override int Bytes => 32;

        public override int TileRows => 6;

        public override bool Pairs => false;

        public override void Zero(Assembler code, int register) => code.vxorps(s_registers[register], s_registers[register], s_registers[register]);

        public override void Load(Assembler code, int register, AssemblerMemoryOperand memory) => code.vmovups(s_registers[register], memory);

        public override void Store(Assembler code, AssemblerMemoryOperand memory, int register) => code.vmovups(memory, s_registers[register]);

        public override void Broadcast(Assembler code, int register, AssemblerMemoryOperand memory) => code.vbroadcastss(s_registers[register], memory);

        public override void MultiplyAdd(Assembler code, int sum, int x, int y) => code.vfmadd231ps(s_registers[sum], s_registers[x], s_registers[y]);

        public override void MultiplyAdd(Assembler code, int sum, int x, AssemblerMemoryOperand memory) => code.vfmadd231ps(s_registers[sum], s_registers[x], memory);

        public override void Add(Assembler code, int register, AssemblerMemoryOperand memory) => code.vaddps(s_registers[register], s_registers[register], memory);

        public override void Multiply(Assembler code, int register, int x) => code.vmulps(s_registers[register], s_registers[register], s_registers[x]);

        public override void Multiply(Assembler code, int register, AssemblerMemoryOperand memory) => code.vmulps(s_registers[register], s_registers[register], memory);

        protected override void Halves(Assembler code, int register, AssemblerMemoryOperand memory) => code.vcvtph2ps(s_registers[register], memory);

        protected override void Words(Assembler code, int register, AssemblerMemoryOperand memory)
        {
            code.vpmovzxwd(s_registers[register], memory);
            code.vpslld(s_registers[register], s_registers[register], 16);
        }

        protected override void SignedBytes(Assembler code, int register, AssemblerMemoryOperand memory)
        {
            code.vpmovsxbd(s_registers[register], memory);
            code.vcvtdq2ps(s_registers[register], s_registers[register]);
        }
    }
}
