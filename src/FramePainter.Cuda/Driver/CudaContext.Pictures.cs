using System.Runtime.InteropServices;
using FramePainter.Cuda.Kernels;

namespace FramePainter.Cuda.Driver;

/// <content>
/// Pictures cross the bus as bytes: kernels (kernels/pictures.cu) read and write the pinned memory of the host that copies go through. It is in the
/// device's address space, so that a picture takes none of the device's memory but its floats.
/// </content>
internal unsafe partial class CudaContext
{
    const int PictureThreads = 256;
    const int Values = 256;
    const int Channels = 3;

    /// <summary>Positions and numbers that a thread of the wide kernels takes.</summary>
    const int PositionsIn = 4;
    const int NumbersOut = 16;

    /// <summary>Positions whose numbers and noise fit the pinned memory beside the table of values.</summary>
    const int MostPositions = (StagingBytes - (Values * sizeof(float))) / (Channels * (sizeof(byte) + sizeof(float))) / 64 * 64;

    /// <summary>Numbers that fit the pinned memory behind the note of what is no number, which takes as much as an aligned block.</summary>
    const int MostNumbers = StagingBytes - NoteBytes;
    const int NoteBytes = 256;

    /// <summary>Makes floats of a picture's numbers on the device; done when it returns.</summary>
    /// <param name="destination">Where the floats go, [positions, 3].</param>
    /// <param name="pixels">The numbers.</param>
    /// <param name="values">What each of the 256 becomes.</param>
    /// <param name="noise">Noise, [3, positions]; empty for none.</param>
    /// <param name="strength">What it is multiplied by.</param>
    /// <param name="naive">Take the plain twin of the kernel.</param>
    public virtual void WritePicture(ulong destination, ReadOnlySpan<byte> pixels, ReadOnlySpan<float> values, ReadOnlySpan<float> noise, float strength, bool naive)
    {
        lock (_copying)
        {
            MakeCurrent();
            var table = (byte*)_staging;
            values.CopyTo(new Span<float>(table, Values));
            var all = pixels.Length / Channels;
            for (var at = 0; at < all; at += MostPositions)
            {
                var count = Math.Min(MostPositions, all - at);
                var planes = (float*)(table + (Values * sizeof(float)));
                var numbers = (byte*)(planes + (noise.IsEmpty ? 0 : Channels * count));
                for (var c = 0; c < Channels && !noise.IsEmpty; c++)
                {
                    noise.Slice((c * all) + at, count).CopyTo(new Span<float>(planes + (c * count), count));
                }

                pixels.Slice(at * Channels, count * Channels).CopyTo(new Span<byte>(numbers, count * Channels));
                var arguments = new PictureInArgs
                {
                    Out = destination + ((ulong)at * Channels * sizeof(float)), Values = (ulong)table, Pixels = (ulong)numbers,
                    Noise = noise.IsEmpty ? 0 : (ulong)planes, Positions = count, Strength = strength,
                };
                var wide = !naive && count % PositionsIn == 0;
                Convert(wide ? "picture_in_4" : "picture_in_1", wide ? count / PositionsIn : count, wide ? Values * sizeof(float) : 0, arguments);
            }
        }
    }

    /// <summary>Makes numbers of floats on the device.</summary>
    /// <param name="pixels">Receives the numbers.</param>
    /// <param name="source">Where the floats are.</param>
    /// <param name="naive">Take the plain twin of the kernel.</param>
    /// <returns>Whether all floats are numbers.</returns>
    public virtual bool ReadPicture(Span<byte> pixels, ulong source, bool naive)
    {
        lock (_copying)
        {
            MakeCurrent();
            var note = (int*)_staging;
            var numbers = (byte*)_staging + NoteBytes;
            for (var at = 0; at < pixels.Length; at += MostNumbers)
            {
                var part = pixels[at..Math.Min(at + MostNumbers, pixels.Length)];
                *note = 0;
                var arguments = new PictureOutArgs { Values = source + ((ulong)at * sizeof(float)), Pixels = (ulong)numbers, Broken = (ulong)note, Count = part.Length };
                var wide = !naive && part.Length % NumbersOut == 0 && source % 16 == 0;
                Convert(wide ? "picture_out_16" : "picture_out_1", wide ? part.Length / NumbersOut : part.Length, 0, arguments);
                if (*note != 0)
                {
                    return false;
                }

                new ReadOnlySpan<byte>(numbers, part.Length).CopyTo(part);
            }

            return true;
        }
    }

    /// <summary>Launches a kernel on the stream for copies, and waits for it: the pinned memory is then free for the next.</summary>
    void Convert<T>(string kernel, int items, int shared, T arguments)
        where T : unmanaged
    {
        void* first = &arguments;
        var blocks = (uint)((items + PictureThreads - 1) / PictureThreads);
        DriverCall.Check(NativeDriver.cuLaunchKernel(Kernels.Find(kernel, shared), blocks, 1, 1, PictureThreads, 1, 1, (uint)shared, _copies, &first, null));
        DriverCall.Check(NativeDriver.cuStreamSynchronize(_copies));
    }
}
