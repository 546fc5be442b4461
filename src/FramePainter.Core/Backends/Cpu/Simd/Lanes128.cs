using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>128-bit registers of any processor (NEON, SSE): 4 floats in each of at least 16 registers.</summary>
internal readonly unsafe struct Lanes128 : ILanes<Vector128<float>>
{
    public static bool IsSupported => Vector128.IsHardwareAccelerated;

    public static int Count => 4;

    public static int TileRows => ElementKernels.IsSupported ? ElementKernels.TileRows : 6;

    public static Vector128<float> Zero => Vector128<float>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float* destination, Vector128<float> value) => value.Store(destination);

    public static Vector128<float> LoadPart(float* source, int count)
    {
        var buffer = stackalloc float[4];
        Parts.Copy(source, buffer, count, 4);
        return Vector128.Load(buffer);
    }

    public static void StorePart(float* destination, Vector128<float> value, int count)
    {
        var buffer = stackalloc float[4];
        value.Store(buffer);
        Parts.Copy(buffer, destination, count, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Create(float value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Add(Vector128<float> left, Vector128<float> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Subtract(Vector128<float> left, Vector128<float> right) => left - right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Multiply(Vector128<float> left, Vector128<float> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Divide(Vector128<float> left, Vector128<float> right) => left / right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Sqrt(Vector128<float> value) => Vector128.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Fma(Vector128<float> left, Vector128<float> right, Vector128<float> addend) =>
        Vector128.MultiplyAddEstimate(left, right, addend);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Min(Vector128<float> left, Vector128<float> right) => Vector128.MinNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Max(Vector128<float> left, Vector128<float> right) => Vector128.MaxNative(left, right);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Abs(Vector128<float> value) => Vector128.Abs(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Round(Vector128<float> value) => Vector128.Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Scale(Vector128<float> value, Vector128<float> power)
    {
        // Two factors, each a normal number: 2^150 itself is not one.
        var whole = Vector128.ConvertToInt32Native(power);
        var half = whole >> 1;
        var bias = Vector128.Create(127);
        var first = ((half + bias) << 23).AsSingle();
        var second = ((whole - half + bias) << 23).AsSingle();
        return value * first * second;
    }

    // One factor, 0 where no normal number is small enough.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ScaleDown(Vector128<float> value, Vector128<float> power) =>
        value * (Vector128.Max(Vector128.ConvertToInt32Native(power) + Vector128.Create(127), Vector128<int>.Zero) << 23).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> CopySign(Vector128<float> magnitude, Vector128<float> sign) =>
        Vector128.CopySign(magnitude, sign);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SelectLess(Vector128<float> left, Vector128<float> right, Vector128<float> yes, Vector128<float> no) =>
        Vector128.ConditionalSelect(Vector128.LessThan(left, right), yes, no);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector128<float> value)
    {
        var pairs = value + Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1));
        return pairs[0] + pairs[1];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Vector128<float> value)
    {
        var pairs = Max(value, Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(pairs[0], pairs[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadF16(ushort* source)
    {
        var bits = Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(source)).AsInt16());
        var moved = (bits << 13) & Vector128.Create(F16.KeepMask);
        var value = moved.AsSingle() * Vector128.Create(F16.Rebias);
        var special = Vector128.GreaterThanOrEqual(Vector128.Abs(value), Vector128.Create(F16.Beyond));
        return Vector128.ConditionalSelect(special, (value.AsInt32() | Vector128.Create(F16.Exponent)).AsSingle(), value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadBF16(ushort* source) => (Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<long>(source)).AsInt16()) << 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> LoadI8(sbyte* source) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<int>(source)).AsSByte())));
}
