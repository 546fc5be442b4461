using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>AVX2 with fused multiply-add: 8 floats in each of 16 registers.</summary>
internal readonly unsafe struct Lanes256 : ILanes<Vector256<float>>
{
    public static bool IsSupported => Avx2.IsSupported && System.Runtime.Intrinsics.X86.Fma.IsSupported;

    public static int Count => 8;

    public static int TileRows => 6;

    public static Vector256<float> Zero => Vector256<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector256<float> value) => value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadPart(float* source, int count) => Avx.MaskLoad(source, First(count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePart(float* destination, Vector256<float> value, int count) => Avx.MaskStore(destination, First(count), value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Create(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Add(Vector256<float> left, Vector256<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Subtract(Vector256<float> left, Vector256<float> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> left, Vector256<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Divide(Vector256<float> left, Vector256<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Sqrt(Vector256<float> value) => Avx.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Fma(Vector256<float> left, Vector256<float> right, Vector256<float> addend) =>
        System.Runtime.Intrinsics.X86.Fma.MultiplyAdd(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Min(Vector256<float> left, Vector256<float> right) => Avx.Min(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Max(Vector256<float> left, Vector256<float> right) => Avx.Max(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Abs(Vector256<float> value) => Vector256.Abs(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Round(Vector256<float> value) => Avx.RoundToNearestInteger(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scale(Vector256<float> value, Vector256<float> power)
    {
        // Two factors, each a normal number: 2^150 itself is not one.
        var whole = Vector256.ConvertToInt32Native(power);
        var half = whole >> 1;
        var bias = Vector256.Create(127);
        var first = ((half + bias) << 23).AsSingle();
        var second = ((whole - half + bias) << 23).AsSingle();
        return value * first * second;
    }

    // One factor, 0 where no normal number is small enough.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ScaleDown(Vector256<float> value, Vector256<float> power) =>
        value * (Vector256.Max(Vector256.ConvertToInt32Native(power) + Vector256.Create(127), Vector256<int>.Zero) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> CopySign(Vector256<float> magnitude, Vector256<float> sign) =>
        Vector256.CopySign(magnitude, sign);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> SelectLess(Vector256<float> left, Vector256<float> right, Vector256<float> yes, Vector256<float> no) =>
        Vector256.ConditionalSelect(Vector256.LessThan(left, right), yes, no);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256<float> value) => Lanes128.Sum(value.GetLower() + value.GetUpper());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Vector256<float> value) =>
        Lanes128.MaxAcross(Lanes128.Max(value.GetLower(), value.GetUpper()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadF16(ushort* source)
    {
        var bits = Avx2.ConvertToVector256Int32(Vector128.Load((short*)source));
        var moved = (bits << 13) & Vector256.Create(F16.KeepMask);
        var value = moved.AsSingle() * Vector256.Create(F16.Rebias);
        var special = Vector256.GreaterThanOrEqual(Vector256.Abs(value), Vector256.Create(F16.Beyond));
        return Vector256.ConditionalSelect(special, (value.AsInt32() | Vector256.Create(F16.Exponent)).AsSingle(), value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBF16(ushort* source) => (Avx2.ConvertToVector256Int32(Vector128.Load((short*)source)) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadI8(sbyte* source) =>
        Vector256.ConvertToSingle(Avx2.ConvertToVector256Int32(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(source)).AsSByte()));

    // Masked lanes are not touched in memory, so neither tail can fault.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector256<float> First(int count) => Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle();
}
