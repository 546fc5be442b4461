using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Writes the softmax of a strip of scores for AVX-512. An exponential is 2^⌊x⌋·2^f, f = x − ⌊x⌋ from 0 to 1: <c>vreduceps</c> gives f and <c>vscalefps</c> takes x as it is, one
/// micro-operation each, where rounding takes two, a difference and a bound more. −∞ has f = 0 and scales to 0, NaN stays. The constants stay in registers; compiled,
/// the loop reads all of them again for every two registers of scores.
/// </summary>
internal static class SoftmaxAssembly
{
    /// <summary>
    /// 2^f from 0 to 1 by powers of f from the first on, that of degree 0 being 1: minimax of the relative error (Remez exchange, each coefficient rounded in turn and
    /// the rest fitted anew), 2.1e-9. Evaluated in float32, with the rounding of f, the exponential's relative error is at most 9e-8.
    /// </summary>
    static readonly float[] s_coefficients = [0.693147063f, 0.240229085f, 0.0554861836f, 0.00967377517f, 0.00124822883f, 0.000215659849f];

    const int RegisterBytes = 64;
    const int RowBytes = FloatKernels.StripStride * sizeof(float);

    const int RoundDown = 1;

    /// <summary>Registers of scores at once: their chains overlap although the scheduler holds few instructions that wait.</summary>
    const int Abreast = 4;

    /// <summary><c>void (SoftmaxCall*)</c>.</summary>
    public static byte[] Strip()
    {
        var code = new Assembler(64);
        var (call, strip, largest, sums, at, keys) = (rbx, r8, r10, r11, rax, ecx);
        var one = zmm29;
        AssemblerRegisterZMM[] coefficients = [zmm23, zmm24, zmm25, zmm26, zmm27, zmm28];
        AssemblerRegisterZMM[] x = [zmm6, zmm7, zmm8, zmm9], f = [zmm10, zmm11, zmm12, zmm13], p = [zmm14, zmm15, zmm16, zmm17], sum = [zmm18, zmm19, zmm20, zmm21];

        // The latter are others' until exponentials are taken.
        AssemblerRegisterZMM[] greatest = [zmm0, zmm1, zmm2, zmm3, zmm4, zmm5], other = [zmm6, zmm7, zmm8, zmm9, zmm10, zmm11];
        AssemblerRegisterXMM[] first = [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5];
        FloatAssembly.Enter(code, call);
        code.mov(strip, __[call]);
        code.mov(largest, __[call + 8]);
        code.mov(sums, __[call + 16]);
        Constant(one, 1);
        for (var c = 0; c < coefficients.Length; c++)
        {
            Constant(coefficients[c], s_coefficients[c]);
        }

        Greatest();
        for (var row = 0; row < FloatKernels.PairedRows; row++)
        {
            Exponentials(row);
        }

        return FloatAssembly.Finish(code);

        void Constant(AssemblerRegisterZMM register, float value)
        {
            code.mov(eax, BitConverter.SingleToInt32Bits(value));
            code.vpbroadcastd(register, eax);
        }

        AssemblerMemoryOperand Scores(int row, int i) => __zmmword_ptr[at + ((row * RowBytes) + (i * RegisterBytes))];

        // Of all rows at once, with its sign turned: what is found across a register takes ten instructions, each of which waits for the one before.
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
            Rows(r => code.vshuff32x4(other[r], greatest[r], greatest[r], 0b01_00_11_10));
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));
            Rows(r => code.vshuff32x4(other[r], greatest[r], greatest[r], 0b10_11_00_01));
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));
            Rows(r => code.vpermilps(other[r], greatest[r], 0b01_00_11_10));
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));
            Rows(r => code.vpermilps(other[r], greatest[r], 0b10_11_00_01));
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));

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
            code.mov(keys, __dword_ptr[call + 24]);
            Each(i => code.vpxord(sum[i], sum[i], sum[i]));
            code.Label(ref loop);
            Each(i => code.vaddps(x[i], greatest[row], Scores(row, i)));
            Each(i => code.vreduceps(f[i], x[i], RoundDown));
            Each(i => code.vmovaps(p[i], coefficients[^1]));
            for (var c = coefficients.Length - 2; c >= 0; c--)
            {
                Each(i => code.vfmadd213ps(p[i], f[i], coefficients[c]));
            }

            Each(i => code.vfmadd213ps(p[i], f[i], one));
            Each(i => code.vscalefps(p[i], p[i], x[i]));
            Each(i => code.vmovups(Scores(row, i), p[i]));
            Each(i => code.vaddps(sum[i], sum[i], p[i]));
            code.add(at, Abreast * RegisterBytes);
            code.sub(keys, Abreast * RegisterBytes / sizeof(float));
            code.jg(loop);
            code.vaddps(sum[0], sum[0], sum[2]);
            code.vaddps(sum[1], sum[1], sum[3]);
            code.vaddps(zmm6, sum[0], sum[1]);
            code.vextractf64x4(ymm7, zmm6, 1);
            code.vaddps(ymm6, ymm6, ymm7);
            code.vextractf128(xmm7, ymm6, 1);
            code.vaddps(xmm6, xmm6, xmm7);
            code.vpermilps(xmm7, xmm6, 0b01_00_11_10);
            code.vaddps(xmm6, xmm6, xmm7);
            code.vmovshdup(xmm7, xmm6);
            code.vaddss(xmm6, xmm6, xmm7);
            code.vmovss(__dword_ptr[sums + (row * sizeof(float))], xmm6);
        }

        static void Rows(Action<int> emit)
        {
            for (var row = 0; row < FloatKernels.PairedRows; row++)
            {
                emit(row);
            }
        }

        static void Each(Action<int> emit)
        {
            for (var i = 0; i < Abreast; i++)
            {
                emit(i);
            }
        }
    }
}
