using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Writes the softmax of a strip of scores for AVX-512. An exponential is 2^⌊x⌋·2^f, f = x − ⌊x⌋ from 0 to 1: <c>vreduceps</c> gives f and <c>vscalefps</c> takes x as it is, one
/// micro-operation each, where rounding takes two, a difference and a bound more. −∞ has f = 0 and scales to 0, NaN stays. The constants stay in registers; compiled,
/// the loop reads all of them again for every two registers of scores.
/// </summary>
internal static class Softmax512Assembly
{
    /// <summary>
    /// 2^f from 0 to 1 by powers of f from the first on, that of degree 0 being 1: minimax of the relative error (Remez exchange, each coefficient rounded in turn and
    /// the rest fitted anew), 2.1e-9. Evaluated in float32, with the rounding of f, the exponential's relative error is at most 9e-8.
    /// </summary>
    static readonly float[] s_coefficients = [0.693147063f, 0.240229085f, 0.0554861836f, 0.00967377517f, 0.00124822883f, 0.000215659849f];

    const int RegisterBytes = 64;
    const int RowBytes = FloatKernels.StripStride * sizeof(float);

    const int RoundDown = 1;

    /// <summary>1 and 1 in bfloat16.</summary>
    const int PairOfOnes = 0x3F80_3F80;

    /// <summary>Registers of a row's scores at once.</summary>
    const int Abreast = 4;

    /// <summary>
    /// Rows whose exponentials are taken at once: eight chains whose multiply-adds take four cycles and begin two a cycle leave no cycle empty, whatever else the scheduler can see.
    /// </summary>
    const int RowsAbreast = 2;

    /// <summary><c>void (SoftmaxCall*)</c>.</summary>
    /// <param name="rows">Rows of scores: an even number, at most 6.</param>
    /// <param name="brain">
    /// Probabilities become pairs of bfloat16 in the first half of their row, and what is summed is those: the weights of an output then add up to 1 whatever rounding did to each.
    /// Null where they stay float32.
    /// </param>
    public static byte[] Strip(int rows, BrainInstructions? brain = null)
    {
        var code = new Assembler(64);
        var (call, strip, largest, sums, at, to, keys) = (rbx, r8, r10, r11, rax, rdx, ecx);
        var (one, ones) = (zmm29, zmm31);
        AssemblerRegisterZMM[] coefficients = [zmm23, zmm24, zmm25, zmm26, zmm27, zmm28];
        AssemblerRegisterZMM[] sum = [zmm6, zmm7];
        AssemblerRegisterZMM[] f = [zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15], p = [zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm30];

        // The latter are others' until exponentials are taken; the former become the rows' sums when theirs are.
        AssemblerRegisterZMM[] greatest = [zmm0, zmm1, zmm2, zmm3, zmm4, zmm5], other = [zmm6, zmm7, zmm8, zmm9, zmm10, zmm11];
        AssemblerRegisterXMM[] first = [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5];
        ProductAssembly.Enter(code, call);
        brain?.Enter(code);
        code.mov(strip, __[call]);
        code.mov(largest, __[call + 8]);
        code.mov(sums, __[call + 16]);
        Constant(one, BitConverter.SingleToInt32Bits(1));
        if (brain is not null)
        {
            Constant(ones, PairOfOnes);
        }

        for (var c = 0; c < coefficients.Length; c++)
        {
            Constant(coefficients[c], BitConverter.SingleToInt32Bits(s_coefficients[c]));
        }

        Greatest();
        for (var row = 0; row < rows; row += RowsAbreast)
        {
            Exponentials(row);
        }

        Across((to, from) => code.vaddps(to, to, from));
        Rows(r => code.vmovss(__dword_ptr[sums + (r * sizeof(float))], first[r]));
        brain?.Leave(code);
        return ProductAssembly.Finish(code);

        void Constant(AssemblerRegisterZMM register, int bits)
        {
            code.mov(eax, bits);
            code.vpbroadcastd(register, eax);
        }

        AssemblerMemoryOperand Scores(int row, int i) => __zmmword_ptr[at + ((row * RowBytes) + (i * RegisterBytes))];
        AssemblerMemoryOperand Pairs(int row, int i) => __zmmword_ptr[to + ((row * RowBytes) + (i * RegisterBytes))];

        // Of all rows, with its sign turned.
        void Greatest()
        {
            var (loop, done) = (code.CreateLabel(), code.CreateLabel());
            code.mov(at, strip);
            code.mov(keys, __dword_ptr[call + 24]);
            Rows(r => code.vmovups(greatest[r], Scores(r, 0)));
            Rows(r => code.vmovups(other[r], Scores(r, 1)));
            Rows(r => code.vmaxps(greatest[r], greatest[r], Scores(r, 2)));
            Rows(r => code.vmaxps(other[r], other[r], Scores(r, 3)));
            code.Label(ref loop);
            code.sub(keys, Abreast * RegisterBytes / sizeof(float));
            code.jle(done);
            code.add(at, Abreast * RegisterBytes);
            for (var i = 0; i < Abreast; i++)
            {
                Rows(r => code.vmaxps(i % 2 == 0 ? greatest[r] : other[r], i % 2 == 0 ? greatest[r] : other[r], Scores(r, i)));
            }

            code.jmp(loop);
            code.Label(ref done);
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));
            Across((to, from) => code.vmaxps(to, to, from));

            // A NaN among the scores stays here or in its exponential; either makes the row NaN.
            Rows(r => code.vbroadcastss(other[r], __dword_ptr[largest + (r * sizeof(float))]));
            Rows(r => code.vmaxps(greatest[r], other[r], greatest[r]));
            Rows(r => code.vmovss(__dword_ptr[largest + (r * sizeof(float))], first[r]));
            code.mov(eax, int.MinValue);
            code.vpbroadcastd(zmm6, eax);
            Rows(r => code.vpxord(greatest[r], greatest[r], zmm6));
        }

        void Exponentials(int row)
        {
            var loop = code.CreateLabel();
            code.mov(at, strip);
            code.mov(to, strip);
            code.mov(keys, __dword_ptr[call + 24]);
            for (var r = 0; r < RowsAbreast; r++)
            {
                code.vpxord(sum[r], sum[r], sum[r]);
            }

            code.Label(ref loop);
            Each(i => Exponent(p[i], i));
            Each(i => code.vreduceps(f[i], p[i], RoundDown));
            Each(i => code.vmovaps(p[i], coefficients[^1]));
            for (var c = coefficients.Length - 2; c >= 0; c--)
            {
                Each(i => code.vfmadd213ps(p[i], f[i], coefficients[c]));
            }

            // No register is left to keep the exponents in.
            Each(i => code.vfmadd213ps(p[i], f[i], one));
            Each(i => Exponent(f[i], i));
            Each(i => code.vscalefps(p[i], p[i], f[i]));
            if (brain is null)
            {
                Each(i => code.vmovups(Scores(row + (i % RowsAbreast), i / RowsAbreast), p[i]));
                Each(i => code.vaddps(sum[i % RowsAbreast], sum[i % RowsAbreast], p[i]));
            }
            else
            {
                RoundedPairs();
            }

            code.add(at, Abreast * RegisterBytes);
            code.sub(keys, Abreast * RegisterBytes / sizeof(float));
            code.jg(loop);
            for (var r = 0; r < RowsAbreast; r++)
            {
                code.vmovaps(greatest[row + r], sum[r]);
            }

            // Two registers of a row become one. All that is overwritten has been read: pairs take half the room.
            void RoundedPairs()
            {
                for (var i = 0; i < Abreast * RowsAbreast / 2; i++)
                {
                    var (r, half) = (i % RowsAbreast, i / RowsAbreast);
                    brain.Round(code, f[i], p[(((2 * half) + 1) * RowsAbreast) + r], p[(2 * half * RowsAbreast) + r]);
                    code.vmovups(Pairs(row + r, half), f[i]);
                    brain.Dot(code, sum[r], f[i], ones);
                }

                code.add(to, Abreast / 2 * RegisterBytes);
            }

            void Exponent(AssemblerRegisterZMM to, int i) => code.vaddps(to, greatest[row + (i % RowsAbreast)], Scores(row + (i % RowsAbreast), i / RowsAbreast));
        }

        // What is found across a register takes eight instructions, each of which waits for the one before: of all rows at once.
        void Across(Action<AssemblerRegisterZMM, AssemblerRegisterZMM> combine)
        {
            Rows(r => code.vshuff32x4(other[r], greatest[r], greatest[r], 0b01_00_11_10));
            Rows(r => combine(greatest[r], other[r]));
            Rows(r => code.vshuff32x4(other[r], greatest[r], greatest[r], 0b10_11_00_01));
            Rows(r => combine(greatest[r], other[r]));
            Rows(r => code.vpermilps(other[r], greatest[r], 0b01_00_11_10));
            Rows(r => combine(greatest[r], other[r]));
            Rows(r => code.vpermilps(other[r], greatest[r], 0b10_11_00_01));
            Rows(r => combine(greatest[r], other[r]));
        }

        void Rows(Action<int> emit)
        {
            for (var row = 0; row < rows; row++)
            {
                emit(row);
            }
        }

        static void Each(Action<int> emit)
        {
            for (var i = 0; i < Abreast * RowsAbreast; i++)
            {
                emit(i);
            }
        }
    }
}
