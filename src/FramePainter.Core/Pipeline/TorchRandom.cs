using System.Runtime.InteropServices;

namespace FramePainter.Pipeline;

/// <summary>
/// PyTorch's CPU generator: after the same seed, the same draws in the same order give the values of <c>torch.randn</c>.
/// All draws are equal bit for bit to those of an x64 processor with AVX2. (Elsewhere PyTorch takes the system's logarithm, sine and cosine for float draws of 16 values and more,
/// which differ from these by up to 2·10⁻⁶.) Not safe for use by several threads at once.
/// </summary>
public sealed class TorchRandom
{
    /// <summary>Draws of at least this many values go by blocks; shorter ones value by value.</summary>
    const int Block = FloatBoxMuller.Block;

    MersenneTwister _bits;

    /// <summary>The sine half of the last pair drawn value by value; it waits for the next short draw, however many long ones come between.</summary>
    double? _spare;

    /// <summary>Creates a generator.</summary>
    /// <param name="seed">Any number; as in PyTorch, only its lowest 32 bits count.</param>
    public TorchRandom(long seed) => ManualSeed(seed);

    /// <summary>Begins anew, as <c>torch.Generator.manual_seed</c> does.</summary>
    /// <param name="seed">Any number; as in PyTorch, only its lowest 32 bits count.</param>
    [System.Diagnostics.CodeAnalysis.MemberNotNull(nameof(_bits))]
    public void ManualSeed(long seed)
    {
        _bits = new MersenneTwister(unchecked((uint)seed));
        _spare = null;
    }

    /// <summary>Draws standard normal values as <c>torch.randn</c> does for float32: one call stands for one tensor, of any shape, in row-major order.</summary>
    /// <param name="destination">Receives the values.</param>
    public void Randn(Span<float> destination)
    {
        if (destination.Length < Block)
        {
            foreach (ref var value in destination)
            {
                value = (float)NextNormal();
            }

            return;
        }

        // A part block's words are drawn and lost: the last sixteen values are drawn anew.
        Fill(destination);
        if (destination.Length % Block != 0)
        {
            Fill(destination[^Block..]);
        }
    }

    /// <summary>Makes a draw of so many float32 values and loses it.</summary>
    internal void Skip(int count)
    {
        if (count < Block)
        {
            Randn(new float[count]);
            return;
        }

        // A part block at the end is drawn again as a whole.
        for (var i = count % Block == 0 ? 0 : -Block; i < count; i++)
        {
            _bits.Next();
        }
    }

    /// <summary>Draws standard normal values as <c>torch.randn</c> does for float16: one call stands for one tensor, of any shape, in row-major order.</summary>
    /// <param name="destination">Receives the values.</param>
    public void Randn(Span<Half> destination)
    {
        if (destination.Length < Block)
        {
            foreach (ref var value in destination)
            {
                value = (Half)NextNormal();
            }

            return;
        }

        // The uniforms of all whole blocks come first in the generator's order, then those that a part block takes, which are drawn and lost.
        for (var i = 0; i + Block <= destination.Length; i += Block)
        {
            DrawHalfBlock(destination.Slice(i, Block));
        }

        var rest = destination.Length % Block;
        if (rest != 0)
        {
            for (var i = 0; i < rest; i++)
            {
                _bits.Next();
            }

            DrawHalfBlock(destination[^Block..]);
        }
    }

    void Fill(Span<float> blocks)
    {
        _bits.Next(MemoryMarshal.Cast<float, uint>(blocks));
        FloatBoxMuller.Transform(blocks);
    }

    void DrawHalfBlock(Span<Half> block)
    {
        const int Pairs = Block / 2;
        Span<int> uniforms = stackalloc int[Block];
        foreach (ref var uniform in uniforms)
        {
            uniform = (int)(_bits.Next() & (HalfBoxMuller.Levels - 1));
        }

        for (var j = 0; j < Pairs; j++)
        {
            var radius = HalfBoxMuller.Radius[uniforms[j]];
            var angle = uniforms[j + Pairs];
            block[j] = (Half)(radius * HalfBoxMuller.Cosine[angle]);
            block[j + Pairs] = (Half)(radius * HalfBoxMuller.Sine[angle]);
        }
    }

    double NextNormal()
    {
        if (_spare is { } spare)
        {
            _spare = null;
            return spare;
        }

        var angle = double.Tau * NextUniform53();
        var radius = Math.Sqrt(-2 * LogOnePlus(-NextUniform53()));
        _spare = radius * Math.Sin(angle);
        return radius * Math.Cos(angle);
    }

    double NextUniform53()
    {
        const int Bits = 53;
        var high = (ulong)_bits.Next() << 32;
        return ((high | _bits.Next()) & ((1ul << Bits) - 1)) * (1.0 / (1ul << Bits));
    }

    /// <summary>ln(1 + x) without losing the digits of a small x (Kahan's correction of the rounding of 1 + x).</summary>
    static double LogOnePlus(double x)
    {
        var sum = 1 + x;
        return sum == 1 ? x : Math.Log(sum) * (x / (sum - 1));
    }
}
