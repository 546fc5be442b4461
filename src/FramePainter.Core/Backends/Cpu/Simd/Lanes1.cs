using System.Runtime.CompilerServices;

namespace FramePainter.Backends.Cpu.Simd;

/// <summary>One float: what is left where there are no vectors.</summary>
internal readonly unsafe struct Lanes1 : ILanes<float>
{
    public static int Count => 1;

    public static int TileRows => 6;

    public static float Zero => 0;

    public static float Load(float* source) => *source;

    public static void Store(float* destination, float value) => *destination = value;

    public static float LoadPart(float* source, int count) => count > 0 ? *source : 0;

    public static void StorePart(float* destination, float value, int count)
    {
        if (count > 0)
        {
            *destination = value;
        }
    }

    public static float Create(float value) => value;

    public static float Add(float left, float right) => left + right;

    public static float Subtract(float left, float right) => left - right;

    public static float Multiply(float left, float right) => left * right;

    public static float Divide(float left, float right) => left / right;

    public static float Sqrt(float value) => MathF.Sqrt(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Fma(float left, float right, float addend) => (left * right) + addend;

    public static float Min(float left, float right) => left < right ? left : right;

    public static float Max(float left, float right) => left > right ? left : right;

    public static float Abs(float value) => MathF.Abs(value);

    public static float Round(float value) => MathF.Round(value);

    public static float Scale(float value, float power) => MathF.ScaleB(value, (int)power);

    public static float ScaleDown(float value, float power) => Scale(value, power);

    public static float CopySign(float magnitude, float sign) => MathF.CopySign(magnitude, sign);

    public static float SelectLess(float left, float right, float yes, float no) => left < right ? yes : no;

    public static float Sum(float value) => value;

    public static float MaxAcross(float value) => value;

    public static float LoadF16(ushort* source) => (float)BitConverter.UInt16BitsToHalf(*source);

    public static float LoadBF16(ushort* source) => BitConverter.UInt32BitsToSingle((uint)*source << 16);

    public static float LoadI8(sbyte* source) => *source;
}
