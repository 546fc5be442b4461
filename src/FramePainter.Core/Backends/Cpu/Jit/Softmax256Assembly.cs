using FramePainter.Backends.Cpu.Kernels;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Writes the softmax of a strip of scores for AVX2. An exponential is 2^n·2^f, n the nearest whole number: the addition of a large float rounds x and leaves n + 127 in the
/// lowest bits, which a shift makes the float 2^n (instructions that round take two micro-operations, and a conversion comes on top). It is multiplied in by the last
/// multiply-add, 2^n + (2^n·f)·q, so that two chains and all constants fit 16 registers. x is at least −127, where 2^n is 0: probabilities below 2^−126.5 are 0.
/// </summary>
internal static class Softmax256Assembly
{
    const float Least = -127;

    /// <summary>1.5·2^23, where floats are whole numbers, and the exponent's bias.</summary>
    const float Rounder = 12582912 + 127;

    const int MantissaBits = 23;

    const int RegisterBytes = 32;
    const int RowBytes = FloatKernels.StripStride * sizeof(float);

    /// <summary>Registers of a row in a round of either loop.</summary>
    const int Round = 4;

    /// <summary>Registers whose exponentials are taken at once. The scheduler overlaps several such pairs.</summary>
    const int Abreast = 2;

    /// <summary><c>void (SoftmaxCall*)</c>.</summary>
    public static byte[] Strip()
    {
        var code = new Assembler(64);
        var (call, strip, largest, sums, at, keys) = (rbx, r8, r10, r11, rax, ecx);
        var (lowered, sum, least, rounder) = (ymm0, ymm1, ymm8, ymm9);
        AssemblerRegisterYMM[] f = [ymm2, ymm3], p = [ymm4, ymm5], power = [ymm6, ymm7], coefficients = [ymm10, ymm11, ymm12, ymm13, ymm14, ymm15];
        ProductAssembly.Enter(code, call);
        code.mov(strip, __[call]);
        code.mov(largest, __[call + 8]);
        code.mov(sums, __[call + 16]);
        Greatest();
        Constant(least, Least);
        Constant(rounder, Rounder);
        Constant(coefficients[0], PowersOfTwo.First);
        Constant(coefficients[1], PowersOfTwo.Second);
        Constant(coefficients[2], PowersOfTwo.Third);
        Constant(coefficients[3], PowersOfTwo.Fourth);
        Constant(coefficients[4], PowersOfTwo.Fifth);
        Constant(coefficients[5], PowersOfTwo.Sixth);
        for (var row = 0; row < FloatKernels.StripRows; row++)
        {
            Exponentials(row);
        }

        return ProductAssembly.Finish(code);

        void Constant(AssemblerRegisterYMM register, float value)
        {
            code.mov(eax, BitConverter.SingleToInt32Bits(value));
            code.vmovd(xmm0, eax);
            code.vbroadcastss(register, xmm0);
        }

        AssemblerMemoryOperand Scores(int row, int i) => __ymmword_ptr[at + ((row * RowBytes) + (i * RegisterBytes))];

        // Of all rows: what is found across a register waits for the instruction before, six times.
        void Greatest()
        {
            AssemblerRegisterYMM[] greatest = [ymm0, ymm1, ymm2, ymm3, ymm4, ymm5], other = [ymm6, ymm7, ymm8, ymm9, ymm10, ymm11];
            AssemblerRegisterXMM[] first = [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5];
            var (loop, done) = (code.CreateLabel(), code.CreateLabel());
            code.mov(at, strip);
            code.mov(keys, __dword_ptr[call + 24]);
            Rows(r => code.vmovups(greatest[r], Scores(r, 0)));
            Rows(r => code.vmovups(other[r], Scores(r, 1)));
            Rows(r => code.vmaxps(greatest[r], greatest[r], Scores(r, 2)));
            Rows(r => code.vmaxps(other[r], other[r], Scores(r, 3)));
            code.Label(ref loop);
            code.sub(keys, Round * RegisterBytes / sizeof(float));
            code.jle(done);
            code.add(at, Round * RegisterBytes);
            for (var i = 0; i < Round; i++)
            {
                Rows(r => code.vmaxps(i % 2 == 0 ? greatest[r] : other[r], i % 2 == 0 ? greatest[r] : other[r], Scores(r, i)));
            }

            code.jmp(loop);
            code.Label(ref done);
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));
            Rows(r => code.vperm2f128(other[r], greatest[r], greatest[r], 1));
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));
            Rows(r => code.vpermilps(other[r], greatest[r], 0b01_00_11_10));
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));
            Rows(r => code.vpermilps(other[r], greatest[r], 0b10_11_00_01));
            Rows(r => code.vmaxps(greatest[r], greatest[r], other[r]));

            // A NaN among the scores stays here or in its exponential; either makes the row NaN.
            Rows(r => code.vbroadcastss(other[r], __dword_ptr[largest + (r * sizeof(float))]));
            Rows(r => code.vmaxps(greatest[r], other[r], greatest[r]));
            Rows(r => code.vmovss(__dword_ptr[largest + (r * sizeof(float))], first[r]));
        }

        void Exponentials(int row)
        {
            var loop = code.CreateLabel();
            code.mov(at, strip);
            code.mov(keys, __dword_ptr[call + 24]);
            code.vbroadcastss(sum, __dword_ptr[largest + (row * sizeof(float))]);
            code.vxorps(lowered, lowered, lowered);
            code.vsubps(lowered, lowered, sum);
            code.vxorps(sum, sum, sum);
            code.Label(ref loop);
            for (var i = 0; i < Round; i += Abreast)
            {
                Two(row, i);
            }

            code.add(at, Round * RegisterBytes);
            code.sub(keys, Round * RegisterBytes / sizeof(float));
            code.jg(loop);
            code.vextractf128(xmm2, sum, 1);
            code.vaddps(xmm1, xmm1, xmm2);
            code.vpermilps(xmm2, xmm1, 0b01_00_11_10);
            code.vaddps(xmm1, xmm1, xmm2);
            code.vpermilps(xmm2, xmm1, 0b10_11_00_01);
            code.vaddps(xmm1, xmm1, xmm2);
            code.vmovss(__dword_ptr[sums + (row * sizeof(float))], xmm1);
        }

        void Two(int row, int at)
        {
            Each(i => code.vaddps(f[i], lowered, Scores(row, at + i)));

            // In this order a NaN stays one.
            Each(i => code.vmaxps(f[i], least, f[i]));
            Each(i => code.vaddps(power[i], f[i], rounder));
            Each(i => code.vsubps(p[i], power[i], rounder));
            Each(i => code.vsubps(f[i], f[i], p[i]));
            Each(i => code.vpslld(power[i], power[i], MantissaBits));
            Each(i => code.vmovaps(p[i], coefficients[^1]));
            for (var c = coefficients.Length - 2; c >= 0; c--)
            {
                Each(i => code.vfmadd213ps(p[i], f[i], coefficients[c]));
            }

            Each(i => code.vmulps(f[i], f[i], power[i]));
            Each(i => code.vfmadd213ps(p[i], f[i], power[i]));
            Each(i => code.vmovups(Scores(row, at + i), p[i]));
            Each(i => code.vaddps(sum, sum, p[i]));
        }

        static void Rows(Action<int> emit)
        {
            for (var row = 0; row < FloatKernels.StripRows; row++)
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
