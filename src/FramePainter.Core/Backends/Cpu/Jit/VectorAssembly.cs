using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;
using Iced.Intel;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>The vector instructions of product kernels in one width: the same verbs, other codes. Registers go by their numbers.</summary>
internal sealed class VectorAssembly
{
    static readonly VectorAssembly s_avx512 = new()
    {
        Bytes = 64, TileRows = 14, Pairs = true, First = Register.ZMM0,
        Exclude = Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, Read = Code.EVEX_Vmovups_zmm_k1z_zmmm512, Write = Code.EVEX_Vmovups_zmmm512_k1z_zmm,
        Spread = Code.EVEX_Vbroadcastss_zmm_k1z_xmmm32, Fuse = Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er,
        Sum = Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er, Product = Code.EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er,
        FromHalves = Code.EVEX_Vcvtph2ps_zmm_k1z_ymmm256_sae, FromWords = Code.EVEX_Vpmovzxwd_zmm_k1z_ymmm256, Shift = Code.EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8,
        FromBytes = Code.EVEX_Vpmovsxbd_zmm_k1z_xmmm128, FromIntegers = Code.EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er,
    };

    static readonly VectorAssembly s_avx2 = new()
    {
        Bytes = 32, TileRows = 6, Pairs = false, First = Register.YMM0,
        Exclude = Code.VEX_Vxorps_ymm_ymm_ymmm256, Read = Code.VEX_Vmovups_ymm_ymmm256, Write = Code.VEX_Vmovups_ymmm256_ymm,
        Spread = Code.VEX_Vbroadcastss_ymm_m32, Fuse = Code.VEX_Vfmadd231ps_ymm_ymm_ymmm256,
        Sum = Code.VEX_Vaddps_ymm_ymm_ymmm256, Product = Code.VEX_Vmulps_ymm_ymm_ymmm256,
        FromHalves = Code.VEX_Vcvtph2ps_ymm_xmmm128, FromWords = Code.VEX_Vpmovzxwd_ymm_xmmm128, Shift = Code.VEX_Vpslld_ymm_ymm_imm8,
        FromBytes = Code.VEX_Vpmovsxbd_ymm_xmmm64, FromIntegers = Code.VEX_Vcvtdq2ps_ymm_ymmm256,
    };

    /// <summary>The width of a path that has one: AVX-512 or AVX2; null for others.</summary>
    /// <param name="path">The path.</param>
    public static VectorAssembly? Of(InstructionPath path) => path switch
    {
        InstructionPath.Avx512 => s_avx512,
        InstructionPath.Avx2 => s_avx2,
        _ => null,
    };

    /// <summary>Bytes of a register.</summary>
    public required int Bytes { get; init; }

    /// <summary>Rows of a tile of one panel: its sums leave four registers for two of weights and two of broadcasts.</summary>
    public required int TileRows { get; init; }

    /// <summary>Whether there are 32 registers, enough for tiles of two panels.</summary>
    public required bool Pairs { get; init; }

    public required Register First { private get; init; }

    public required Code Exclude { private get; init; }

    public required Code Read { private get; init; }

    public required Code Write { private get; init; }

    public required Code Spread { private get; init; }

    public required Code Fuse { private get; init; }

    public required Code Sum { private get; init; }

    public required Code Product { private get; init; }

    public required Code FromHalves { private get; init; }

    public required Code FromWords { private get; init; }

    public required Code Shift { private get; init; }

    public required Code FromBytes { private get; init; }

    public required Code FromIntegers { private get; init; }

    /// <summary>Register = 0.</summary>
    public void Zero(Assembler code, int register) => code.AddInstruction(Instruction.Create(Exclude, First + register, First + register, First + register));

    /// <summary>Register = memory.</summary>
    public void Load(Assembler code, int register, AssemblerMemoryOperand memory) => From(code, Read, register, memory);

    /// <summary>Memory = register.</summary>
    public void Store(Assembler code, AssemblerMemoryOperand memory, int register) => code.AddInstruction(Instruction.Create(Write, memory.ToMemoryOperand(64), First + register));

    /// <summary>Every lane = one float of memory.</summary>
    public void Broadcast(Assembler code, int register, AssemblerMemoryOperand memory) => From(code, Spread, register, memory);

    /// <summary>Sum += x·y.</summary>
    public void MultiplyAdd(Assembler code, int sum, int x, int y) => code.AddInstruction(Instruction.Create(Fuse, First + sum, First + x, First + y));

    /// <summary>Sum += x·memory.</summary>
    public void MultiplyAdd(Assembler code, int sum, int x, AssemblerMemoryOperand memory) => code.AddInstruction(Instruction.Create(Fuse, First + sum, First + x, memory.ToMemoryOperand(64)));

    /// <summary>Register += memory.</summary>
    public void Add(Assembler code, int register, AssemblerMemoryOperand memory) => code.AddInstruction(Instruction.Create(Sum, First + register, First + register, memory.ToMemoryOperand(64)));

    /// <summary>Register *= x.</summary>
    public void Multiply(Assembler code, int register, int x) => code.AddInstruction(Instruction.Create(Product, First + register, First + register, First + x));

    /// <summary>Register *= memory.</summary>
    public void Multiply(Assembler code, int register, AssemblerMemoryOperand memory) => code.AddInstruction(Instruction.Create(Product, First + register, First + register, memory.ToMemoryOperand(64)));

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
                From(code, FromHalves, register, memory);
                break;
            case DType.BF16:
                From(code, FromWords, register, memory);
                code.AddInstruction(Instruction.Create(Shift, First + register, First + register, 16));
                break;
            case DType.I8:
                From(code, FromBytes, register, memory);
                code.AddInstruction(Instruction.Create(FromIntegers, First + register, First + register));
                break;
            default:
                throw new NotSupportedException($"No kernel reads weights of {type}.");
        }
    }

    void From(Assembler code, Code instruction, int register, AssemblerMemoryOperand memory) => code.AddInstruction(Instruction.Create(instruction, First + register, memory.ToMemoryOperand(64)));
}
