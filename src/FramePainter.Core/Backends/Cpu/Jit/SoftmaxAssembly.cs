using FramePainter.Backends.Cpu.Kernels;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace FramePainter.Backends.Cpu.Jit;

/// <summary>
/// Writes the softmax of a strip of scores for AVX-512: what <see cref="ScoreExponential{L, V}"/> computes, to the bit, with its constants in registers throughout.
/// Compiled, the loop reads all of them again for every two registers of scores, a third of its instructions.
/// </summary>
internal static class SoftmaxAssembly
{
    const int RegisterBytes = 64;
    const int RowBytes = FloatKernels.StripStride * sizeof(float);

    /// <summary>Registers of scores at once: their chains overlap although the scheduler holds few instructions that wait.</summary>
    const int Abreast = 4;

    /// <summary><c>void (SoftmaxCall*)</c>.</summary>
    public static byte[] Strip()
    {
        var code = new Assembler(64);
        var (call, strip, largest, sums, at, keys) = (rbx, r8, r10, r11, rax, ecx);
        var (least, one, sixth, shift) = (zmm16, zmm17, zmm18, zmm24);
        AssemblerRegisterZMM[] lower = [zmm19, zmm20, zmm21, zmm22, zmm23];
        AssemblerRegisterZMM[] x = [zmm0, zmm1, zmm2, zmm3], n = [zmm4, zmm5, zmm6, zmm7], p = [zmm8, zmm9, zmm10, zmm11], sum = [zmm12, zmm13, zmm14, zmm15];
        FloatAssembly.Enter(code, call);
        code.mov(strip, __[call]);
        code.mov(largest, __[call + 8]);
        code.mov(sums, __[call + 16]);
        Constant(least, ScoreExponential.Least);
        Constant(one, 1);
        Constant(sixth, ScoreExponential.Sixth);
        Constant(lower[0], ScoreExponential.Fifth);
        Constant(lower[1], ScoreExponential.Fourth);
        Constant(lower[2], ScoreExponential.Third);
        Constant(lower[3], ScoreExponential.Second);
        Constant(lower[4], ScoreExponential.First);
        for (var row = 0; row < FloatKernels.PairedRows; row++)
        {
            Greatest(row);
            Exponentials(row);
        }

        return FloatAssembly.Finish(code);

        void Constant(AssemblerRegisterZMM register, float value)
        {
            code.mov(eax, BitConverter.SingleToInt32Bits(value));
            code.vpbroadcastd(register, eax);
        }

        AssemblerMemoryOperand Scores(int i) => __zmmword_ptr[at + (i * RegisterBytes)];

        void Greatest(int row)
        {
            var (loop, done) = (code.CreateLabel(), code.CreateLabel());
            code.lea(at, __[strip + (row * RowBytes)]);
            code.mov(keys, __dword_ptr[call + 24]);
            Each(i => code.vmovups(x[i], Scores(i)));
            code.Label(ref loop);
            code.sub(keys, Abreast * RegisterBytes / sizeof(float));
            code.jle(done);
            code.add(at, Abreast * RegisterBytes);
            Each(i => code.vmaxps(x[i], x[i], Scores(i)));
            code.jmp(loop);
            code.Label(ref done);
            code.vmaxps(x[0], x[0], x[1]);
            code.vmaxps(x[2], x[2], x[3]);
            code.vmaxps(zmm0, x[0], x[2]);
            code.vextractf64x4(ymm1, zmm0, 1);
            code.vmaxps(ymm0, ymm0, ymm1);
            code.vextractf128(xmm1, ymm0, 1);
            code.vmaxps(xmm0, xmm0, xmm1);
            code.vpermilps(xmm1, xmm0, 0b01_00_11_10);
            code.vmaxps(xmm0, xmm0, xmm1);
            code.vmovshdup(xmm1, xmm0);
            code.vmaxss(xmm0, xmm0, xmm1);

            // A NaN among the scores stays here or in its exponential; either makes the row NaN.
            code.vmovss(xmm1, __dword_ptr[largest + (row * sizeof(float))]);
            code.vmaxss(xmm0, xmm1, xmm0);
            code.vmovss(__dword_ptr[largest + (row * sizeof(float))], xmm0);
            code.vbroadcastss(shift, xmm0);
        }

        void Exponentials(int row)
        {
            var loop = code.CreateLabel();
            code.lea(at, __[strip + (row * RowBytes)]);
            code.mov(keys, __dword_ptr[call + 24]);
            Each(i => code.vpxord(sum[i], sum[i], sum[i]));
            code.Label(ref loop);
            Each(i => code.vmovups(x[i], Scores(i)));
            Each(i => code.vsubps(x[i], x[i], shift));
            Each(i => code.vmaxps(x[i], least, x[i]));
            Each(i => code.vrndscaleps(n[i], x[i], 0));
            Each(i => code.vsubps(x[i], x[i], n[i]));
            Each(i => code.vmovaps(p[i], sixth));
            foreach (var coefficient in lower)
            {
                Each(i => code.vfmadd213ps(p[i], x[i], coefficient));
            }

            Each(i => code.vfmadd213ps(p[i], x[i], one));
            Each(i => code.vscalefps(p[i], p[i], n[i]));
            Each(i => code.vmovups(Scores(i), p[i]));
            Each(i => code.vaddps(sum[i], sum[i], p[i]));
            code.add(at, Abreast * RegisterBytes);
            code.sub(keys, Abreast * RegisterBytes / sizeof(float));
            code.jg(loop);
            code.vaddps(sum[0], sum[0], sum[2]);
            code.vaddps(sum[1], sum[1], sum[3]);
            code.vaddps(zmm0, sum[0], sum[1]);
            code.vextractf64x4(ymm1, zmm0, 1);
            code.vaddps(ymm0, ymm0, ymm1);
            code.vextractf128(xmm1, ymm0, 1);
            code.vaddps(xmm0, xmm0, xmm1);
            code.vpermilps(xmm1, xmm0, 0b01_00_11_10);
            code.vaddps(xmm0, xmm0, xmm1);
            code.vmovshdup(xmm1, xmm0);
            code.vaddss(xmm0, xmm0, xmm1);
            code.vmovss(__dword_ptr[sums + (row * sizeof(float))], xmm0);
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
