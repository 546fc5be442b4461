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
    const int TileBytes = FloatKernels.PairedRows * 2 * RegisterBytes;

    /// <summary><c>void (SoftmaxCall*)</c>.</summary>
    /// <param name="rowBytes">Bytes from one row of probabilities to the next.</param>
    public static byte[] Strip(int rowBytes)
    {
        var code = new Assembler(64);
        var (call, scores, rows, largest, sums, at, to, tiles) = (rbx, r8, r9, r10, r11, rax, rdx, ecx);
        var (least, one, sum, shift, sixth) = (zmm16, zmm17, new[] { zmm18, zmm19 }, zmm20, zmm21);
        AssemblerRegisterZMM[] lower = [zmm22, zmm23, zmm24, zmm25, zmm26];
        (AssemblerRegisterZMM X, AssemblerRegisterZMM N, AssemblerRegisterZMM P)[] chains = [(zmm0, zmm1, zmm2), (zmm3, zmm4, zmm5)];
        FloatAssembly.Enter(code, call);
        code.mov(scores, __[call]);
        code.mov(rows, __[call + 8]);
        code.mov(largest, __[call + 16]);
        code.mov(sums, __[call + 24]);
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

        void Greatest(int row)
        {
            var (loop, done) = (code.CreateLabel(), code.CreateLabel());
            code.lea(at, __[scores + (row * 2 * RegisterBytes)]);
            code.mov(tiles, __dword_ptr[call + 32]);
            code.vmovups(zmm0, __zmmword_ptr[at]);
            code.vmovups(zmm1, __zmmword_ptr[at + RegisterBytes]);
            code.Label(ref loop);
            code.dec(tiles);
            code.je(done);
            code.add(at, TileBytes);
            code.vmaxps(zmm0, zmm0, __zmmword_ptr[at]);
            code.vmaxps(zmm1, zmm1, __zmmword_ptr[at + RegisterBytes]);
            code.jmp(loop);
            code.Label(ref done);
            code.vmaxps(zmm0, zmm0, zmm1);
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
            code.lea(at, __[scores + (row * 2 * RegisterBytes)]);
            code.lea(to, __[rows + (row * rowBytes)]);
            code.mov(tiles, __dword_ptr[call + 32]);
            Each(c => code.vpxord(sum[c], sum[c], sum[c]));
            code.Label(ref loop);
            Each(c => code.vmovups(chains[c].X, __zmmword_ptr[at + (c * RegisterBytes)]));
            Each(c => code.vsubps(chains[c].X, chains[c].X, shift));
            Each(c => code.vmaxps(chains[c].X, least, chains[c].X));
            Each(c => code.vrndscaleps(chains[c].N, chains[c].X, 0));
            Each(c => code.vsubps(chains[c].X, chains[c].X, chains[c].N));
            Each(c => code.vmovaps(chains[c].P, sixth));
            foreach (var coefficient in lower)
            {
                Each(c => code.vfmadd213ps(chains[c].P, chains[c].X, coefficient));
            }

            Each(c => code.vfmadd213ps(chains[c].P, chains[c].X, one));
            Each(c => code.vscalefps(chains[c].P, chains[c].P, chains[c].N));
            Each(c => code.vmovups(__zmmword_ptr[to + (c * RegisterBytes)], chains[c].P));
            Each(c => code.vaddps(sum[c], sum[c], chains[c].P));
            code.add(at, TileBytes);
            code.add(to, 2 * RegisterBytes);
            code.dec(tiles);
            code.jne(loop);
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
            emit(0);
            emit(1);
        }
    }
}
