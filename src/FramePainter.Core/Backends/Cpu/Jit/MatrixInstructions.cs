using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// How kernels come by the instructions of AMX (tile registers of 16 rows of 64 bytes, products of bfloat16 pairs): as such, or spelled out in AVX-512
/// where tests run on processors without them. rax and r8 are these instructions' own, and what the stack pointer points to between <see cref="Enter"/> and <see cref="Leave"/>.
/// </summary>
internal abstract class MatrixInstructions
{
    /// <summary>Rows of a tile register.</summary>
    public const int Rows = 16;

    /// <summary>Bytes of its rows: 16 words.</summary>
    public const int RowBytes = 64;

    /// <summary>Tile registers.</summary>
    protected const int Registers = 8;

    /// <summary>The first that holds left sides; sums come before.</summary>
    public const int FirstLeft = 4;

    /// <summary>The first that holds right sides.</summary>
    public const int FirstRight = 6;

    /// <summary>The processor's own, for one thread to write with.</summary>
    public static MatrixInstructions Native => new NativeInstructions();

    /// <summary>The same results in AVX-512, slower than float32: for tests alone.</summary>
    public static MatrixInstructions SpelledOut { get; } = new SpelledOutMatrices();

    /// <summary>What a kernel does first, its arguments taken: may change the stack.</summary>
    public virtual void Enter(Assembler code)
    {
    }

    /// <summary>What a kernel does last.</summary>
    public virtual void Leave(Assembler code)
    {
    }

    /// <summary>What lies behind a kernel's last instruction.</summary>
    public virtual void Behind(Assembler code)
    {
    }

    /// <summary>Registers take their whole size: before the first kernel, and after <see cref="Shorten"/>. What they hold is lost.</summary>
    public abstract void Whole(Assembler code);

    /// <summary>Left sides take fewer words a row, right sides as many fewer rows. What registers hold is lost.</summary>
    /// <param name="code">Receives the instructions.</param>
    /// <param name="words">1 to 15.</param>
    public abstract void Shorten(Assembler code, AssemblerRegister64 words);

    /// <summary>Registers are no longer in use: neither saved nor restored where the thread is interrupted.</summary>
    public abstract void Release(Assembler code);

    /// <summary>Register = 0.</summary>
    public abstract void Zero(Assembler code, int register);

    /// <summary>Register = rows of memory, so many bytes apart.</summary>
    public abstract void Load(Assembler code, int register, AssemblerRegister64 start, int displacement, AssemblerRegister64 distance);

    /// <summary>Rows of memory = register.</summary>
    public abstract void Store(Assembler code, AssemblerRegister64 start, int displacement, AssemblerRegister64 distance, int register);

    /// <summary>
    /// sum += left × right: even inputs and odd ones are summed apart from zero, one fused multiply-add each, then both are added, then that to the sum;
    /// to nearest even, subnormals are zeros.
    /// </summary>
    public abstract void Dot(Assembler code, int sum, int left, int right);

    sealed class NativeInstructions : MatrixInstructions
    {
        static readonly AssemblerRegisterTMM[] s_tiles = [tmm0, tmm1, tmm2, tmm3, tmm4, tmm5, tmm6, tmm7];

        Label _shapes;

        public override void Whole(Assembler code)
        {
            code.lea(rax, __[Shapes(code)]);
            code.ldtilecfg(__[rax + (Rows * RowBytes)]);
        }

        public override void Shorten(Assembler code, AssemblerRegister64 words)
        {
            code.mov(r8, words);
            code.shl(r8, 6);
            code.lea(rax, __[Shapes(code)]);
            code.ldtilecfg(__[rax + r8]);
        }

        public override void Release(Assembler code) => code.tilerelease();

        public override void Zero(Assembler code, int register) => code.tilezero(s_tiles[register]);

        public override void Load(Assembler code, int register, AssemblerRegister64 start, int displacement, AssemblerRegister64 distance) =>
            code.tileloadd(s_tiles[register], __[start + distance + displacement]);

        public override void Store(Assembler code, AssemblerRegister64 start, int displacement, AssemblerRegister64 distance, int register) =>
            code.tilestored(__[start + distance + displacement], s_tiles[register]);

        public override void Dot(Assembler code, int sum, int left, int right) => code.tdpbf16ps(s_tiles[sum], s_tiles[left], s_tiles[right]);

        /// <summary>The shapes of all registers for left sides of 0 to 16 words, 64 bytes each, as LDTILECFG reads them.</summary>
        public override void Behind(Assembler code)
        {
            if (_shapes.IsEmpty)
            {
                return;
            }

            code.Label(ref _shapes);
            for (var words = 0; words <= Rows; words++)
            {
                // Byte 0: palette 1. From byte 16: bytes of a row, two each. From byte 48: rows.
                var shape = new byte[RowBytes];
                shape[0] = 1;
                for (var register = 0; register < Registers; register++)
                {
                    var right = register >= FirstRight;
                    shape[16 + (2 * register)] = (byte)(register >= FirstLeft && !right ? words * sizeof(float) : RowBytes);
                    shape[48 + register] = (byte)(right ? words : Rows);
                }

                code.db(shape);
            }

            _shapes = default;
        }

        Label Shapes(Assembler code)
        {
            if (_shapes.IsEmpty)
            {
                _shapes = code.CreateLabel();
            }

            return _shapes;
        }
    }
}
