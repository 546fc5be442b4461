using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FramePainter.Cuda.Kernels;

/// <summary>A value as kernels see it. Layouts in this file are those of the structs of the same names under kernels/.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct View
{
    public ulong Data;
    public int Half;
    public int Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct ProductArgs
{
    public View First, Second, Rows, Residual0, Residual1, Out;
    public ulong Weight, Bias;
    public long M;
    public int N, K, KPadded, Channels0, Channels1, OutChannels;
    public int Tokens, ImageStride, Height, Width, OutWidth, KernelWidth, Stride, PadTop, PadLeft, Upsample, Frames;
    public int Activation, RowCount, RowByFrame, Images;
    public float Scale, ResidualScale0, ResidualScale1;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionSet
{
    public View Query, Key, Value;
    public int QueryStride, KeyStride, ValueStride, Keys, KeyImages, Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AttentionArgs
{
    public AttentionSet Self, Matching;
    public View Out;
    public int Images, Tokens, Heads, HeadDim, OutChannels;
    public float ScaleLog2;
}

[StructLayout(LayoutKind.Sequential)]
internal struct WidePackArgs
{
    public ulong From, To;
    public int Rows, Columns, Stride, ToRows, ToColumns, Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct WideSoftmaxArgs
{
    public ulong Scores, Probabilities;
    public int Keys, Padded;
    public float Unit;
    public int Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SelectedRow
{
    public ulong Table, Out;
    public long Length;
}

[InlineArray(Most)]
internal struct SelectedRows
{
    public const int Most = 64;

    SelectedRow _first;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SelectRowsArgs
{
    public ulong Index;
    public SelectedRows Rows;
}

[StructLayout(LayoutKind.Sequential)]
internal struct MomentsArgs
{
    public View First, Second;
    public ulong Parts, Moments;
    public int Channels0, Channels1, Groups, Positions, Chunk, Chunks, Sets, Lanes;
}

[StructLayout(LayoutKind.Sequential)]
internal struct GroupNormArgs
{
    public View First, Second, Out;
    public ulong Moments, Gamma, Beta;
    public long Positions;
    public int Channels0, Channels1, Groups, PositionsPerSet, Activation, Chunk, Chunks;
    public float Epsilon;
}

[StructLayout(LayoutKind.Sequential)]
internal struct LayerNormArgs
{
    public View Input, Rows, Out;
    public ulong Gamma, Beta;
    public long Positions;
    public int Channels, Tokens, Images, RowCount, RowByFrame, Step;
    public float Epsilon;
}

[StructLayout(LayoutKind.Sequential)]
internal struct PointwiseArgs
{
    public View Left, Right, Out;
    public long Count;
    public int Channels, Activation, Tokens, Images, RowCount, RowByFrame, Offset, Halves;
    public float LeftScale, RightScale;
}

[StructLayout(LayoutKind.Sequential)]
internal struct AddTokensArgs
{
    public View Input, Points, Out;
    public long Count;
    public int Channels, Height, Width, Rows, Source, Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SinusoidArgs
{
    public View Input, Out;
    public ulong Frequencies;
    public long Count;
    public int Half;
}

[StructLayout(LayoutKind.Sequential)]
internal struct EulerArgs
{
    public View Velocity, Latents, Scalars, Out;
    public long Count;
    public int Halves, Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct ControlArgs
{
    public View Input, Control, Scales, Out;
    public ulong Moments;
    public long Count;
    public int Height, Width, Channels, PooledHeight, PooledWidth, PerImage, Before, Unused;
    public float Constant;
}

[StructLayout(LayoutKind.Sequential)]
internal struct PictureInArgs
{
    public ulong Out, Values, Pixels, Noise;
    public long Positions;
    public float Strength;
    public int Unused;
}

[StructLayout(LayoutKind.Sequential)]
internal struct PictureOutArgs
{
    public ulong Values, Pixels, Broken;
    public long Count;
}
