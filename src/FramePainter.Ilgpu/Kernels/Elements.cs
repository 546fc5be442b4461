using ILGPU;

namespace FramePainter.Ilgpu.Kernels;

/// <summary>The elements of a value: float32, or halves that are widened as they are read and rounded to nearest as they are written.</summary>
internal struct Elements
{
    /// <summary>The memory.</summary>
    public ArrayView<float> Memory;

    /// <summary>1 where it holds halves, two in the place of a float.</summary>
    public int IsHalf;

    /// <summary>An element as a float.</summary>
    /// <param name="index">Its number.</param>
    public readonly float this[int index]
    {
        get => IsHalf != 0 ? Functions.FromHalf(Memory.Cast<ushort>()[index]) : Memory[index];
        set
        {
            if (IsHalf != 0)
            {
                Memory.Cast<ushort>()[index] = Functions.ToHalf(value);
            }
            else
            {
                Memory[index] = value;
            }
        }
    }

    /// <summary>Float32 in memory.</summary>
    public static implicit operator Elements(ArrayView<float> memory) => new() { Memory = memory };
}
