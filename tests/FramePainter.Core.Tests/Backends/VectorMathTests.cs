using FramePainter.Backends.Cpu.Simd;

namespace FramePainter.Tests.Backends;

public sealed unsafe class VectorMathTests
{
    public static TheoryData<string> Paths => ProductKernelTests.Paths;

    [Theory]
    [MemberData(nameof(Paths))]
    public void Exp_is_within_two_units_in_the_last_place(string path)
    {
        var worst = 0.0;
        Sample(path, Function.Exp, (x, y) =>
        {
            var exact = Math.Exp(x);
            if (exact > float.MaxValue * (1 + 3e-8))
            {
                Assert.True(float.IsPositiveInfinity(y), $"exp({x:R}) = {y:R}");
            }
            else
            {
                worst = Math.Max(worst, Math.Abs(y - exact) / Ulp(exact));
            }
        });
        Assert.InRange(worst, 0, 2);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Erf_and_gelu_keep_their_bounds(string path)
    {
        var (erf, gelu) = (0.0, 0.0);
        Sample(path, Function.Erf, (x, y) => erf = Math.Max(erf, Math.Abs(y - ProductCase.Erf(x)) / Math.Max(Math.Abs(ProductCase.Erf(x)), 1.17549435e-38)));
        Sample(path, Function.Gelu, (x, y) =>
        {
            if (Math.Abs(x) < 1e30)
            {
                var exact = ProductCase.Gelu(x);
                gelu = Math.Max(gelu, Math.Abs(y - exact) / Math.Max(1, Math.Abs(exact)));
            }
        });
        Assert.InRange(erf, 0, 4e-7);
        Assert.InRange(gelu, 0, 1e-6);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Sigmoids_keep_their_bounds(string path)
    {
        var (sigmoid, silu, quick) = (0.0, 0.0, 0.0);
        Sample(path, Function.Sigmoid, (x, y) => sigmoid = Math.Max(sigmoid, Error(y, 1 / (1 + Math.Exp(-x)))));
        Sample(path, Function.Silu, (x, y) => silu = Math.Max(silu, Error(y, x / (1 + Math.Exp(-x)))));
        Sample(path, Function.QuickGelu, (x, y) => quick = Math.Max(quick, Error(y, x / (1 + Math.Exp(-1.702 * x)))));
        Assert.InRange(sigmoid, 0, 5e-7);
        Assert.InRange(silu, 0, 5e-7);
        Assert.InRange(quick, 0, 1e-5);

        // Relative, but for results that the denominator's overflow flushes to zero.
        static double Error(float y, double exact) => Math.Abs(y - exact) / Math.Max(Math.Abs(exact), 1e-30);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Special_values_go_their_way(string path)
    {
        foreach (var function in Enum.GetValues<Function>())
        {
            Assert.True(float.IsNaN(Apply(path, function, float.NaN)), $"{function}");
        }

        Assert.Equal(float.PositiveInfinity, Apply(path, Function.Exp, float.PositiveInfinity));
        Assert.Equal(0, Apply(path, Function.Exp, float.NegativeInfinity));
        Assert.Equal(1, Apply(path, Function.Exp, 0));
        Assert.Equal(1, Apply(path, Function.Erf, float.PositiveInfinity));
        Assert.Equal(-1, Apply(path, Function.Erf, float.NegativeInfinity));
        Assert.Equal(0, Apply(path, Function.Gelu, 0));
        Assert.Equal(0, Apply(path, Function.Gelu, -1e30f));
        Assert.Equal(1e30f, Apply(path, Function.Gelu, 1e30f));
        Assert.Equal(float.PositiveInfinity, Apply(path, Function.Silu, float.PositiveInfinity));
        Assert.Equal(1, Apply(path, Function.Sigmoid, float.PositiveInfinity));
        Assert.Equal(0, Apply(path, Function.Sigmoid, float.NegativeInfinity));
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Every_half_and_bfloat16_widens_exactly(string path)
    {
        var bits = new ushort[65536];
        var (halves, brains) = (new float[65536], new float[65536]);
        for (var i = 0; i < bits.Length; i++)
        {
            bits[i] = (ushort)i;
        }

        InstructionPaths.Create(Enum.Parse<InstructionPath>(path), new Widening(bits, halves, brains));
        for (var i = 0; i < bits.Length; i++)
        {
            Same((float)BitConverter.UInt16BitsToHalf((ushort)i), halves[i]);
            Same(BitConverter.UInt32BitsToSingle((uint)i << 16), brains[i]);
        }

        static void Same(float expected, float actual)
        {
            if (float.IsNaN(expected))
            {
                Assert.True(float.IsNaN(actual));
            }
            else
            {
                Assert.Equal(BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(actual));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public void Sums_and_maxima_cross_all_lanes(string path)
    {
        Assert.True(InstructionPaths.Create(Enum.Parse<InstructionPath>(path), default(Across)));
    }

    enum Function
    {
        Exp,
        Erf,
        Gelu,
        Sigmoid,
        Silu,
        QuickGelu,
    }

    static double Ulp(double exact) => Math.Max(Math.ScaleB(1, Math.ILogB(exact) - 23), float.Epsilon);

    static float Apply(string path, Function function, float x)
    {
        var values = Enumerable.Repeat(x, 16).ToArray();
        InstructionPaths.Create(Enum.Parse<InstructionPath>(path), new Mapping(function, values));
        Assert.All(values, v => Assert.Equal(values[0], v));
        return values[0];
    }

    /// <summary>Floats of every exponent and sign, denser where the functions bend.</summary>
    static void Sample(string path, Function function, Action<float, float> check)
    {
        const int block = 1 << 16;
        var (x, y) = (new float[block], new float[block]);
        for (var pass = 0; pass < 24; pass++)
        {
            for (var i = 0; i < block; i++)
            {
                var k = ((long)pass * block) + i;
                x[i] = pass < 8 ? BitConverter.UInt32BitsToSingle((uint)(k * 8191)) : (float)(((k - (8L * block)) / (16.0 * block) * 220) - 110);
                x[i] = float.IsFinite(x[i]) ? x[i] : 0.5f;
            }

            x.CopyTo(y, 0);
            InstructionPaths.Create(Enum.Parse<InstructionPath>(path), new Mapping(function, y));
            for (var i = 0; i < block; i++)
            {
                check(x[i], y[i]);
            }
        }
    }

    sealed class Mapping(Function function, float[] values) : ILanesFactory<bool>
    {
        public bool Create<L, V>()
            where L : struct, ILanes<V>
            where V : struct
        {
            fixed (float* data = values)
            {
                for (var i = 0; i < values.Length; i += L.Count)
                {
                    var x = L.Load(data + i);
                    L.Store(data + i, function switch
                    {
                        Function.Exp => VectorMath<L, V>.Exp(x),
                        Function.Erf => VectorMath<L, V>.Erf(x),
                        Function.Gelu => VectorMath<L, V>.Gelu(x),
                        Function.Sigmoid => VectorMath<L, V>.Sigmoid(x),
                        Function.Silu => VectorMath<L, V>.Silu(x),
                        _ => VectorMath<L, V>.QuickGelu(x),
                    });
                }
            }

            return true;
        }
    }

    sealed class Widening(ushort[] bits, float[] halves, float[] brains) : ILanesFactory<bool>
    {
        public bool Create<L, V>()
            where L : struct, ILanes<V>
            where V : struct
        {
            fixed (ushort* source = bits)
            fixed (float* half = halves, brain = brains)
            {
                for (var i = 0; i < bits.Length; i += L.Count)
                {
                    L.Store(half + i, L.LoadF16(source + i));
                    L.Store(brain + i, L.LoadBF16(source + i));
                }
            }

            return true;
        }
    }

    readonly struct Across : ILanesFactory<bool>
    {
        public bool Create<L, V>()
            where L : struct, ILanes<V>
            where V : struct
        {
            var values = stackalloc float[L.Count];
            for (var peak = 0; peak < L.Count; peak++)
            {
                var sum = 0f;
                for (var i = 0; i < L.Count; i++)
                {
                    values[i] = i == peak ? 100 : -i;
                    sum += values[i];
                }

                Assert.Equal(sum, L.Sum(L.Load(values)));
                Assert.Equal(100, L.MaxAcross(L.Load(values)));
            }

            return true;
        }
    }
}
