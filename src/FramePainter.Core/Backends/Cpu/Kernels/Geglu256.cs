using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Backends.Cpu.Kernels;

/// <summary>
/// GEGLU of a tile for AVX2, as <see cref="Geglu512"/> does it: a register holds a coefficient of eight stretches of |x|, which are wider, and polynomials of degree 6. 25 instructions a
/// register, where <see cref="VectorMath{L, V}.Gelu"/> takes 60.
/// </summary>
internal static unsafe class Geglu256
{
    /// <summary>Stretches in 1 of |x|. All eight end at 5.63, where the float nearest to erf(x/√2) is 1.</summary>
    const float Stretches = 1.421875f;

    /// <summary>The greatest float in the last stretch.</summary>
    const float Last = 7.9999995f;

    /// <summary>
    /// Rows of coefficients, from that of degree 0 on, fitted as those of <see cref="Geglu512"/>. The error of erf(x/√2) is 3.9e-8 at most; that of x·Φ(x), with float32's
    /// rounding, 1.3e-7 absolute up to 1 and relative above.
    /// </summary>
    static ReadOnlySpan<float> Coefficients =>
    [
        0f, 0.51812917f, 0.840452015f, 0.965132177f, 0.995094657f, 0.999562681f, 0.999975562f, 0.999999166f,
        0.56115073f, 0.43819797f, 0.20866558f, 0.0605929382f, 0.01072938f, 0.00115847972f, 7.62665441e-05f, 3.06109337e-06f,
        -2.21049668e-05f, -0.108347848f, -0.103204109f, -0.0449646115f, -0.0106154969f, -0.0014316648f, -0.000112902184f, -5.27080829e-06f,
        -0.0461133011f, -0.0184016023f, 0.0167830884f, 0.0172937177f, 0.00612528017f, 0.00107982138f, 0.000103863233f, 5.66647941e-06f,
        -0.00045318788f, 0.0115948711f, 0.00450142752f, -0.00283977133f, -0.00218119682f, -0.000536781678f, -6.35976758e-05f, -4.02263458e-06f,
        0.00415513897f, -0.000310801086f, -0.00237472355f, -0.000262559886f, 0.000451113476f, 0.000169223684f, 2.44448238e-05f, 1.75115031e-06f,
        -0.000588100927f, -0.000409761997f, 0.000308898423f, 0.000142805671f, -4.10681496e-05f, -2.62297053e-05f, -4.47295815e-06f, -3.51779732e-07f,
    ];

    /// <summary>Stores a tile of one panel: a register of values and one of gates a row.</summary>
    /// <param name="tile">Sums, 16 floats a row.</param>
    /// <param name="rows">How many.</param>
    /// <param name="bias">Added to the values; null for nothing.</param>
    /// <param name="gateBias">Added to the gates; null for nothing.</param>
    /// <param name="output">Receives 8 floats a row.</param>
    /// <param name="distance">Floats from one row of outputs to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Store(float* tile, int rows, float* bias, float* gateBias, float* output, int distance)
    {
        ref readonly var table = ref MemoryMarshal.GetReference(Coefficients);
        var (plus, gatePlus) = (bias is null ? default : Vector256.Load(bias), gateBias is null ? default : Vector256.Load(gateBias));
        for (var r = 0; r < rows; r++, tile += 2 * Lanes256.Count, output += distance)
        {
            var half = (Vector256.Load(tile + Lanes256.Count) + gatePlus) * 0.5f;
            var size = Vector256.Abs(half);

            // In this order a NaN stays one.
            var t = Avx.Min(Vector256.Create(Last), size * (2 * Stretches));
            var stretch = Avx.ConvertToVector256Int32WithTruncation(t);
            t -= Avx.ConvertToVector256Single(stretch);
            var erf = Of(in table, 6, stretch);
            erf = Fma.MultiplyAdd(erf, t, Of(in table, 5, stretch));
            erf = Fma.MultiplyAdd(erf, t, Of(in table, 4, stretch));
            erf = Fma.MultiplyAdd(erf, t, Of(in table, 3, stretch));
            erf = Fma.MultiplyAdd(erf, t, Of(in table, 2, stretch));
            erf = Fma.MultiplyAdd(erf, t, Of(in table, 1, stretch));
            erf = Fma.MultiplyAdd(erf, t, Of(in table, 0, stretch));
            ((Vector256.Load(tile) + plus) * Fma.MultiplyAdd(size, erf, half)).Store(output);
        }
    }

    /// <summary>The coefficients of a degree, each lane's of its stretch.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> Of(ref readonly float table, int degree, Vector256<int> stretch) =>
        Avx2.PermuteVar8x32(Vector256.LoadUnsafe(in table, (nuint)(degree * Lanes256.Count)), stretch);
}
