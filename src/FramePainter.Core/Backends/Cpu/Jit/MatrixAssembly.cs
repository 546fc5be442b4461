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
    const int Line = Prefetch.Line;

    /// <summary>A distance shifted so far is that of a register's rows.</summary>
    const int RowsShift = 4;

    /// <summary>A row of the output is fetched with so many lines of what comes later.</summary>
    const int LinesPerRow = 4;

    /// <summary>
    /// <c>void (TileCall*)</c>: sums (+)= rows × panel, both of bfloat16 pairs, the panel two registers of columns a pair, sums of float32; for registers that <see cref="Enter"/> has made whole. Of so many rows, all are read, summed and written, whether they mean anything or not. Memory is fetched between the multiplications, as <see cref="ProductAssembly"/> does it.
    /// </summary>
    /// <param name="rows">Registers of rows, 1 or 2: 16 rows each.</param>
    /// <param name="columns">Registers of columns, 1 or 2: 16 columns each.</param>
    /// <param name="instructions">What it is made of.</param>
    public static byte[] Product(int rows, int columns, MatrixInstructions instructions)
    {
        var code = new Assembler(64);
        var (call, row, lower, panel, words, rowDistance, panelDistance, steps) = (rbx, rdi, rcx, rsi, rdx, r9, r10, r11d);
        var (ahead, output, residual, outputDistance, fetches) = (r12, r13, r14, r15, ebp);
        var (load, begin, fetching, plain, tail, done, end) =
            (code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel());
        AssemblerRegister64[] kept = [rbx, rbp, r12, r13, r14, r15];
        Array.ForEach(kept, code.push);
        code.mov(call, rdi);
        instructions.Enter(code);
        code.cmp(__dword_ptr[call + 44], 0);
        code.jne(load);
        Sums((sum, _, _) => instructions.Zero(code, sum));
        code.jmp(begin);
        code.Label(ref load);
        LoadSums();
        code.Label(ref begin);
        code.mov(row, __[call]);
        code.mov(panel, __[call + 8]);
        code.mov(ahead, __[call + 24]);
        code.mov(rowDistance, __[call + 32]);
        code.mov(edx, __dword_ptr[call + 40]);
        code.mov(output, __[call + 48]);
        code.mov(residual, __[call + 56]);
        code.mov(outputDistance, __[call + 64]);
        code.mov(fetches, __dword_ptr[call + 72]);
        code.mov(panelDistance, PanelRow);
        code.mov(lower, rowDistance);
        code.shl(lower, RowsShift);
        code.add(lower, row);
        code.mov(steps, edx);
        code.shr(steps, 4);
        code.je(tail);
        code.Label(ref fetching);
        code.sub(fetches, Words);
        code.jl(plain);
        Step(fetch: true);
        code.dec(steps);
        code.jne(fetching);
        code.jmp(tail);
        code.Label(ref plain);
        Step(fetch: false);
        code.dec(steps);
        code.jne(plain);
        code.Label(ref tail);
        code.and(edx, Words - 1);
        code.je(done);

        // Other shapes empty all registers.
        StoreSums();
        instructions.Shorten(code, words);
        LoadSums();
        Step(fetch: false);
        StoreSums();
        instructions.Whole(code);
        code.jmp(end);
        code.Label(ref done);
        StoreSums();
        code.Label(ref end);
        instructions.Leave(code);
        Array.ForEach([.. kept.Reverse()], code.pop);
        return Finish(code, instructions);

        void Step(bool fetch)
        {
            for (var r = 0; r < rows; r++)
            {
                instructions.Load(code, Left(r), r == 0 ? row : lower, 0, rowDistance);
                for (var c = 0; c < columns; c++)
                {
                    if (r == 0)
                    {
                        instructions.Load(code, Right(c), panel, c * MatrixInstructions.RowBytes, panelDistance);
                    }

                    instructions.Dot(code, Sum(r, c), Left(r), Right(c));
                    if (fetch)
                    {
                        Fetch(Words / (rows * columns));
                    }
                }
            }

            code.add(row, MatrixInstructions.RowBytes);
            code.add(lower, MatrixInstructions.RowBytes);
            code.add(panel, Words * PanelRow);
        }

        // A share of a step's memory goes with each multiplication.
        void Fetch(int lines)
        {
            for (var line = 0; line < lines; line++)
            {
                code.prefetcht1(__byte_ptr[ahead + (line * Line)]);
            }

            for (var r = 0; r < lines / LinesPerRow; r++)
            {
                for (var c = 0; c < columns; c++)
                {
                    code.prefetchw(__byte_ptr[output + (c * Line)]);
                    code.prefetcht0(__byte_ptr[residual + (c * Line)]);
                }

                code.add(output, outputDistance);
                code.add(residual, outputDistance);
            }

            code.add(ahead, lines * Line);
        }

        void Sums(Action<int, AssemblerRegister64, int> emit)
        {
            for (var r = 0; r < rows; r++)
            {
                for (var c = 0; c < columns; c++)
                {
                    emit(Sum(r, c), r == 0 ? output : residual, c * MatrixInstructions.RowBytes);
                }
            }
        }

        void LoadSums()
        {
            FindSums();
            Sums((sum, start, at) => instructions.Load(code, sum, start, at, outputDistance));
        }

        void StoreSums()
        {
            FindSums();
            Sums((sum, start, at) => instructions.Store(code, start, at, outputDistance, sum));
        }

        // In registers that are not in use yet, or no more.
        void FindSums()
        {
            code.mov(output, __[call + 16]);
            code.mov(outputDistance, __[call + 88]);
            code.mov(residual, outputDistance);
            code.shl(residual, RowsShift);
            code.add(residual, output);
        }

        static int Sum(int r, int c) => (2 * r) + c;

        static int Left(int r) => MatrixInstructions.FirstLeft + r;

        static int Right(int c) => MatrixInstructions.FirstRight + c;
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
