using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// GEGLU of a tile for AVX-512: value·gate·Φ(gate). Φ comes from a table: 2Φ(x) − 1 = erf(x/√2) is a polynomial of degree 4 on each of 15 stretches of |x| and 1 behind them, and a
/// register holds one coefficient of all, so that picking sixteen is one instruction. 20 instructions a register, where <see cref="VectorMath{L, V}.Gelu"/> with its
/// division takes 60.
/// </summary>
internal static unsafe class Geglu512
{
    /// <summary>Stretches in 1 of |x|. 15 of them end at 5.52, where the float nearest to erf(x/√2) is 1.</summary>
    const float Stretches = 2.71875f;

    const float Last = 15;
    const byte RoundDown = 1;

    /// <summary>
    /// Rows of coefficients, from that of degree 0 on: least squares of weight 1/√(t − t²) on each stretch, each coefficient rounded in turn, from the highest on, and the rest fitted anew. The
    /// error of erf(x/√2) is 2.9e-7 at most, near 0; that of x·Φ(x), with float32's rounding, 1.8e-7 absolute up to 1 and relative above.
    /// </summary>
    static ReadOnlySpan<float> Coefficients =>
    [
        0f, 0.286989719f, 0.538045347f, 0.73016727f, 0.858780205f, 0.934096575f, 0.972678721f, 0.989967704f,
        0.996744573f, 0.999068201f, 0.999765098f, 0.999947906f, 0.999989867f, 0.999998271f, 0.999999762f, 1f,
        0.293465823f, 0.274274141f, 0.223906726f, 0.159659266f, 0.0994395763f, 0.0540947951f, 0.0257024951f, 0.0106662381f,
        0.00386595074f, 0.00122378033f, 0.00033833459f, 8.16919492e-05f, 1.72264845e-05f, 3.17244803e-06f, 5.10233235e-07f, 0f,
        8.65242837e-05f, -0.0185092371f, -0.0303171761f, -0.0324611031f, -0.0269589573f, -0.0183195639f, -0.0104308194f, -0.00503978878f,
        -0.00208199117f, -0.000738986419f, -0.000226117438f, -5.97871585e-05f, -1.3684411e-05f, -2.71505269e-06f, -4.67435058e-07f, 0f,
        -0.00687975204f, -0.00548063824f, -0.00225273753f, 0.000956488249f, 0.00276716379f, 0.00297825923f, 0.00224265317f, 0.00132243906f,
        0.000637118414f, 0.000256105646f, 8.69432188e-05f, 2.51198089e-05f, 6.20924811e-06f, 1.31809031e-06f, 2.40956865e-07f, 0f,
        0.000316762074f, 0.000771345454f, 0.000785369193f, 0.000458574796f, 6.87604334e-05f, -0.000171314867f, -0.000225393334f, -0.00017204351f,
        -9.7505741e-05f, -4.40411677e-05f, -1.6357817e-05f, -5.08173116e-06f, -1.33427034e-06f, -2.98163513e-07f, -5.69823904e-08f, 0f,
    ];

    /// <summary>Stores a tile of one panel: a register of values and one of gates a row.</summary>
    /// <param name="tile">Sums, 32 floats a row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="bias">Added to the values; null for nothing.</param>
    /// <param name="gateBias">Added to the gates; null for nothing.</param>
    /// <param name="output">Receives 16 floats a row.</param>
    /// <param name="distance">Floats from one row of outputs to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(float* tile, int rows, float* bias, float* gateBias, float* output, int distance)
    {
        ref readonly var table = ref MemoryMarshal.GetReference(Coefficients);
        var (c0, c1, c2, c3, c4) = (Of(in table, 0), Of(in table, 1), Of(in table, 2), Of(in table, 3), Of(in table, 4));
        var (plus, gatePlus) = (bias is null ? default : Vector512.Load(bias), gateBias is null ? default : Vector512.Load(gateBias));
        for (var r = 0; r < rows; r++, tile += 2 * Lanes512.Count, output += distance)
        {
            var half = (Vector512.Load(tile + Lanes512.Count) + gatePlus) * 0.5f;
            var size = Vector512.Abs(half);

            // In this order a NaN stays one.
            var t = Avx512F.Min(Vector512.Create(Last), size * (2 * Stretches));
            var stretch = Avx512F.ConvertToVector512Int32WithTruncation(t);
            t = Avx512DQ.Reduce(t, RoundDown);
            var erf = Avx512F.PermuteVar16x32(c4, stretch);
            erf = Avx512F.FusedMultiplyAdd(erf, t, Avx512F.PermuteVar16x32(c3, stretch));
            erf = Avx512F.FusedMultiplyAdd(erf, t, Avx512F.PermuteVar16x32(c2, stretch));
            erf = Avx512F.FusedMultiplyAdd(erf, t, Avx512F.PermuteVar16x32(c1, stretch));
            erf = Avx512F.FusedMultiplyAdd(erf, t, Avx512F.PermuteVar16x32(c0, stretch));
            ((Vector512.Load(tile) + plus) * Avx512F.FusedMultiplyAdd(size, erf, half)).Store(output);
        }
    }

    /// <summary>The coefficients of a degree.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<float> Of(ref readonly float table, int degree) => Vector512.LoadUnsafe(in table, (nuint)(degree * Lanes512.Count));
}
