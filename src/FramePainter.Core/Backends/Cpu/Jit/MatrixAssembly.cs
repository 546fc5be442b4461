using FramePainter.Backends.Cpu.Simd;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Writes the product kernels of AMX: four tile registers of sums, two of rows, two of weights. A multiplication takes 16 cycles and its result 52, so that four sums in turn
/// never wait; each reads two registers that another of them reads too. The calling convention is Linux's, which alone grants these registers (<see cref="MatrixPermission"/>).
/// </summary>
internal static class MatrixAssembly
{
    const int Words = MatrixInstructions.RowBytes / sizeof(float);
    const int PanelRow = 2 * MatrixInstructions.RowBytes;
    const int RowDistance = Blocking.RowStride * sizeof(float);

    /// <summary>
    /// <c>void (float* rows, byte* panel, int pairs, float* tile, int accumulate)</c>: tile (+)= rows × panel, both of bfloat16 pairs, rows <see cref="Blocking.RowStride"/> words
    /// apart, the panel two registers of columns a pair, the tile two registers of float32 sums a row; for registers that <see cref="Enter"/> has made whole. Of so many rows, all are read, summed and written, whether they mean anything or not.
    /// </summary>
    /// <param name="rows">Registers of rows, 1 or 2: 16 rows each.</param>
    /// <param name="columns">Registers of columns, 1 or 2: 16 columns each.</param>
    /// <param name="instructions">What it is made of.</param>
    public static byte[] Product(int rows, int columns, MatrixInstructions instructions)
    {
        var code = new Assembler(64);
        var (row, panel, words, tile, rowDistance, distance, steps) = (rdi, rsi, rdx, rcx, r9, r10, r11d);
        var (load, begin, step, tail, done, end) = (code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel());
        code.mov(r11d, r8d);
        instructions.Enter(code);
        code.mov(edx, edx);
        code.mov(rowDistance, RowDistance);
        code.mov(distance, PanelRow);
        code.test(r11d, r11d);
        code.jne(load);
        Sums(sum => instructions.Zero(code, sum));
        code.jmp(begin);
        code.Label(ref load);
        LoadSums();
        code.Label(ref begin);
        code.mov(steps, edx);
        code.shr(steps, 4);
        code.je(tail);
        code.Label(ref step);
        Step();
        code.add(row, MatrixInstructions.RowBytes);
        code.add(panel, Words * PanelRow);
        code.dec(steps);
        code.jne(step);
        code.Label(ref tail);
        code.and(edx, Words - 1);
        code.je(done);

        // Other shapes empty all registers.
        StoreSums();
        instructions.Shorten(code, words);
        LoadSums();
        Step();
        StoreSums();
        instructions.Whole(code);
        code.jmp(end);
        code.Label(ref done);
        StoreSums();
        code.Label(ref end);
        instructions.Leave(code);
        return Finish(code, instructions);

        void Step()
        {
            for (var r = 0; r < rows; r++)
            {
                instructions.Load(code, Left(r), row, r * MatrixInstructions.Rows * RowDistance, rowDistance);
                for (var c = 0; c < columns; c++)
                {
                    if (r == 0)
                    {
                        instructions.Load(code, Right(c), panel, c * MatrixInstructions.RowBytes, distance);
                    }

                    instructions.Dot(code, Sum(r, c), Left(r), Right(c));
                }
            }
        }

        void Sums(Action<int> emit)
        {
            for (var r = 0; r < rows; r++)
            {
                for (var c = 0; c < columns; c++)
                {
                    emit(Sum(r, c));
                }
            }
        }

        void LoadSums() => Sums(sum => instructions.Load(code, sum, tile, InTile(sum), distance));

        void StoreSums() => Sums(sum => instructions.Store(code, tile, InTile(sum), distance, sum));

        static int Sum(int r, int c) => (2 * r) + c;

        static int Left(int r) => MatrixInstructions.FirstLeft + r;

        static int Right(int c) => MatrixInstructions.FirstRight + c;

        static int InTile(int sum) => (sum / 2 * MatrixInstructions.Rows * PanelRow) + (sum % 2 * MatrixInstructions.RowBytes);
    }

    /// <summary><c>void ()</c>: the calling thread's tile registers become those of the kernels.</summary>
    /// <param name="instructions">What it is made of.</param>
    public static byte[] Enter(MatrixInstructions instructions)
    {
        var code = new Assembler(64);
        instructions.Enter(code);
        instructions.Whole(code);
        instructions.Leave(code);
        return Finish(code, instructions);
    }

    /// <summary><c>void ()</c>: the calling thread has no more use for them.</summary>
    /// <param name="instructions">What it is made of.</param>
    public static byte[] Leave(MatrixInstructions instructions)
    {
        var code = new Assembler(64);
        instructions.Release(code);
        return Finish(code, instructions);
    }

    static byte[] Finish(Assembler code, MatrixInstructions instructions)
    {
        code.ret();
        instructions.Behind(code);
        return KernelCode.Assembled(code);
    }
}
