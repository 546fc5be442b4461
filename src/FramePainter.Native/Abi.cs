using System.Runtime.InteropServices;

namespace FramePainter.Native;

// The types of include/framepainter.h, field by field; a test holds sizes and numbers together.

/// <summary>What a function came to.</summary>
internal enum Status
{
    Ok = 0,
    Argument = 1,
    Handle = 2,
    Checkpoint = 3,
    Option = 4,
    Image = 5,
    Signal = 6,
    Memory = 7,
    Device = 8,
    Cancelled = 9,
    Busy = 10,
    Internal = 11,
}

/// <summary>What a painter is loaded with.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LoadOptions
{
    public uint Size;
    public int Threads;
    public byte* Model;
    public byte* Checkpoint;
    public int Precision;
    public int Reserved;
}

/// <summary>A picture in the caller's memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeImage
{
    public byte* Pixels;
    public int Width;
    public int Height;
    public int Stride;
    public int Format;
}

/// <summary>A drag point.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeDrag
{
    public float SourceX;
    public float SourceY;
    public float TargetX;
    public float TargetY;
}

/// <summary>What is to change.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeSignal
{
    public uint Size;
    public int DragCount;
    public NativeImage* Sketch;
    public NativeImage* Coarse;
    public NativeDrag* Drags;
}

/// <summary>How the edit is made.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeEditOptions
{
    public uint Size;
    public int Steps;
    public long Seed;
    public float ControlScale;
    public float Guidance;
    public delegate* unmanaged[Cdecl]<void*, int, int, int> Progress;
    public void* User;
}
