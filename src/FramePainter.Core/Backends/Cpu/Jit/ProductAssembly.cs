using FramePainter.Backends.Cpu.Simd;
using FramePainter.Tensors;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Writes product kernels, of float32 for AVX-512 and AVX2 and of bfloat16 for AVX512-BF16, that do what the compiled micro-kernel cannot: rows may lie at any distance, so that those of a
/// linear op are read where they are; memory of this tile's outputs and of later tiles is fetched little by little between the multiply-adds, where a burst
/// of it would wait for the few lines that may be under way at once; and weights are widened by the processor's own conversion, for which the
/// runtime has no intrinsic, by the first tile that reads them, which keeps them for the others. Sums of float32 are the same chains of multiply-adds as the
/// compiled kernel's, to the bit.
/// </summary>
internal static class ProductAssembly
{
    /// <summary>Bytes of a cache line.</summary>
    const int Line = Prefetch.Line;

    /// <summary>Inputs of one round of a kernel's loop: where two multiply-adds begin in a cycle, additions to pointers take their ports' turns.</summary>
    const int Unrolled = 4;

    /// <summary>Each addresses three rows: itself, one distance on, and two.</summary>
    static readonly AssemblerRegister64[] s_rows = [rax, rcx, rdx, r8, r9];

    static readonly AssemblerRegisterXMM[] s_keptOnWindows = [xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];

    /// <summary><c>void (TileCall*)</c>.</summary>
    /// <param name="vector">The vector instructions.</param>
    /// <param name="type">The stored type of the weights: F32, F16, BF16 or I8.</param>
    /// <param name="rows">Rows of the tile, up to <see cref="VectorAssembly.TileRows"/>.</param>
    /// <param name="columns">Registers of columns: 1 or 2 of one panel, or all 4 of two panels, for up to 6 rows.</param>
    /// <param name="keeps">Weights are also written, as float32, to <see cref="TileCall.Kept"/>.</param>
    /// <param name="dots">Words of rows and of weights (F32 by their size) are pairs of bfloat16, multiplied so; AVX-512 only. Null for float32.</param>
    public static byte[] Product(VectorAssembly vector, DType type, int rows, int columns, bool keeps, BrainInstructions? dots = null)
    {
        var code = new Assembler(64);
        var paired = columns == 4;
        var (call, distance, panel, second, ahead, words) = (rbx, r10, r11, rdx, rsi, edi);
        var (output, residual, outputDistance, fetches, kept, secondKept) = (r13, r14, r15, ebp, r12, r8);
        var half = vector.Bytes / sizeof(float) * type.Size();
        Enter(code, call);
        dots?.Enter(code);
        var unwritten = code.CreateLabel();
        Each(rows, columns, (r, c) => vector.Zero(code, Sum(r, c)));
        code.cmp(__dword_ptr[call + 44], 0);
        code.je(unwritten);
        InTile((sum, memory) => vector.Load(code, sum, memory));
        code.Label(ref unwritten);
        code.mov(panel, __[call + 8]);
        code.mov(distance, __[call + 32]);
        code.mov(ahead, __[call + 24]);
        code.mov(words, __dword_ptr[call + 40]);
        code.mov(output, __[call + 48]);
        code.mov(residual, __[call + 56]);
        code.mov(outputDistance, __[call + 64]);
        code.mov(fetches, __dword_ptr[call + 72]);
        if (paired)
        {
            code.mov(second, __[call + 80]);
            code.add(second, panel);
        }

        if (keeps)
        {
            code.mov(kept, __[call + 104]);
        }

        if (keeps && paired)
        {
            code.movsxd(secondKept, words);
            code.imul(secondKept, secondKept, 2 * vector.Bytes);
            code.add(secondKept, kept);
        }

        var pointers = (rows + 2) / 3;
        code.mov(s_rows[0], __[call]);
        for (var p = 1; p < pointers; p++)
        {
            code.lea(s_rows[p], __[s_rows[p - 1] + (distance * 2)]);
            code.add(s_rows[p], distance);
        }

        var (fetching, plain, few, one, done) = (code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel(), code.CreateLabel());
        code.sub(words, Unrolled);
        code.jl(few);
        code.Label(ref fetching);
        code.sub(fetches, Unrolled);
        code.jl(plain);
        Steps(Unrolled, fetch: true);
        code.sub(words, Unrolled);
        code.jge(fetching);
        code.jmp(few);
        code.Label(ref plain);
        Steps(Unrolled, fetch: false);
        code.sub(words, Unrolled);
        code.jge(plain);
        code.Label(ref few);
        code.add(words, Unrolled);
        code.je(done);
        code.Label(ref one);
        Steps(1, fetch: false);
        code.dec(words);
        code.jne(one);
        code.Label(ref done);
        dots?.Leave(code);
        var (toOutput, end) = (code.CreateLabel(), code.CreateLabel());
        code.cmp(__dword_ptr[call + 76], (int)TileFinish.None);
        code.jne(toOutput);
        InTile((sum, memory) => vector.Store(code, memory, sum));
        code.jmp(end);
        code.Label(ref toOutput);
        Where(TileFinish.ColumnScales, () => Row(112, (sum, memory) => vector.Multiply(code, sum, memory)));
        Where(TileFinish.Bias, () => Row(120, (sum, memory) => vector.Add(code, sum, memory)));
        Where(TileFinish.Added, () => Row(128, (sum, memory) => vector.Add(code, sum, memory)));
        Where(TileFinish.Scale, () =>
        {
            vector.Broadcast(code, Weights(0), __dword_ptr[call + 144]);
            Each(rows, columns, (r, c) => vector.Multiply(code, Sum(r, c), Weights(0)));
        });
        Where(TileFinish.Residual, () => Residual(56, 148));
        Where(TileFinish.SecondResidual, () => Residual(136, 152));
        Outputs(48, (sum, memory) => vector.Store(code, memory, sum));
        code.Label(ref end);
        return Finish(code);

        // Sums come first, then the panel's registers, then those of broadcasts, which take turns, so that the next load need not wait for the last use.
        int Sum(int r, int c) => ((paired ? 4 : 2) * r) + c;
        int Weights(int c) => (paired ? 24 : 2 * vector.TileRows) + c;
        int Broadcast(int r) => paired ? 28 + (r % 4) : (2 * vector.TileRows) + 2 + (r % 2);

        // Where rows' pointers are not in use yet, or no more.
        void InTile(Action<int, AssemblerMemoryOperand> move)
        {
            var (first, next, apart) = (rax, rcx, r8);
            code.mov(first, __[call + 16]);
            code.mov(apart, __[call + 88]);
            if (paired)
            {
                code.mov(next, __[call + 96]);
                code.add(next, first);
            }

            for (var r = 0; r < rows; r++)
            {
                for (var c = 0; c < columns; c++)
                {
                    move(Sum(r, c), __[(c < 2 ? first : next) + (c % 2 * vector.Bytes)]);
                }

                code.add(first, apart);
                if (paired)
                {
                    code.add(next, apart);
                }
            }
        }

        void MultiplyAdd(int sum, int x, int weights)
        {
            if (dots is null)
            {
                vector.MultiplyAdd(code, sum, x, weights);
            }
            else
            {
                dots.Dot(code, BrainAssembly.Registers[sum], BrainAssembly.Registers[x], BrainAssembly.Registers[weights]);
            }
        }

        void Where(TileFinish step, Action emit)
        {
            var without = code.CreateLabel();
            code.test(__dword_ptr[call + 76], (int)step);
            code.je(without);
            emit();
            code.Label(ref without);
        }

        // The same row for all rows of sums.
        void Row(int field, Action<int, AssemblerMemoryOperand> apply)
        {
            code.mov(rax, __[call + field]);
            Each(rows, columns, (r, c) => apply(Sum(r, c), __[rax + (c * vector.Bytes)]));
        }

        void Residual(int field, int scale)
        {
            vector.Broadcast(code, Weights(0), __dword_ptr[call + scale]);
            Outputs(field, (sum, memory) => vector.MultiplyAdd(code, sum, Weights(0), memory));
        }

        // Row by row where the tile is stored, or in another picture of the same shape.
        void Outputs(int field, Action<int, AssemblerMemoryOperand> move)
        {
            code.mov(rax, __[call + field]);
            code.mov(outputDistance, __[call + 64]);
            for (var r = 0; r < rows; r++)
            {
                for (var c = 0; c < columns; c++)
                {
                    move(Sum(r, c), __[rax + (c * vector.Bytes)]);
                }

                code.add(rax, outputDistance);
            }
        }

        void Steps(int count, bool fetch)
        {
            if (fetch)
            {
                for (var at = 0; at < columns * vector.Bytes; at += Line)
                {
                    code.prefetchw(__byte_ptr[output + at]);
                    code.prefetcht0(__byte_ptr[residual + at]);
                }

                code.add(output, outputDistance);
                code.add(residual, outputDistance);
            }

            for (var step = 0; step < count; step++)
            {
                for (var c = 0; c < columns; c++)
                {
                    var at = (2 * step) + (c % 2);
                    vector.Weights(code, type, Weights(c), (c < 2 ? panel : second) + (at * half));
                    if (keeps)
                    {
                        vector.Store(code, __[(c < 2 ? kept : secondKept) + (at * vector.Bytes)], Weights(c));
                    }
                }

                if (fetch)
                {
                    code.prefetcht1(__byte_ptr[ahead + (step * Line)]);
                }

                for (var r = 0; r < rows; r++)
                {
                    var x = Broadcast(r);
                    var row = s_rows[r / 3];
                    var at = step * sizeof(float);
                    vector.Broadcast(code, x, (r % 3) switch { 0 => __dword_ptr[row + at], 1 => __dword_ptr[row + distance + at], _ => __dword_ptr[row + (distance * 2) + at] });
                    for (var c = 0; c < columns; c++)
                    {
                        MultiplyAdd(Sum(r, c), x, Weights(c));
                    }
                }
            }

            for (var p = 0; p < pointers; p++)
            {
                code.add(s_rows[p], count * sizeof(float));
            }

            code.add(panel, count * 2 * half);
            if (paired)
            {
                code.add(second, count * 2 * half);
            }

            if (keeps)
            {
                code.add(kept, count * 2 * vector.Bytes);
            }

            if (keeps && paired)
            {
                code.add(secondKept, count * 2 * vector.Bytes);
            }

            if (fetch)
            {
                code.add(ahead, count * Line);
            }
        }
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

    /// <summary>Saves what either calling convention wants back of the registers used, and takes the argument.</summary>
    internal static void Enter(Assembler code, AssemblerRegister64 call)
    {
        code.push(rbx);
        code.push(rsi);
        code.push(rdi);
        code.push(r12);
        code.push(r13);
        code.push(r14);
        code.push(r15);
        code.push(rbp);
        if (!OperatingSystem.IsWindows())
        {
            code.mov(call, rdi);
            return;
        }

        // 8 bytes more than the ten registers take: the return address and eight pushes have left the stack 8 bytes off its alignment.
        code.sub(rsp, (16 * s_keptOnWindows.Length) + 8);
        for (var i = 0; i < s_keptOnWindows.Length; i++)
        {
            code.movaps(__xmmword_ptr[rsp + (16 * i)], s_keptOnWindows[i]);
        }

        code.mov(call, rcx);
    }

    /// <summary>Gives back what was saved, and returns: the finished code.</summary>
    internal static byte[] Finish(Assembler code)
    {
        code.vzeroupper();
        if (OperatingSystem.IsWindows())
        {
            for (var i = 0; i < s_keptOnWindows.Length; i++)
            {
                code.movaps(s_keptOnWindows[i], __xmmword_ptr[rsp + (16 * i)]);
            }

            code.add(rsp, (16 * s_keptOnWindows.Length) + 8);
        }

        code.pop(rbp);
        code.pop(r15);
        code.pop(r14);
        code.pop(r13);
        code.pop(r12);
        code.pop(rdi);
        code.pop(rsi);
        code.pop(rbx);
        code.ret();
        return KernelCode.Assembled(code);
    }
}
