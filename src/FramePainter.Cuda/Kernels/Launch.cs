using System.Runtime.InteropServices;
using FramePainter.Cuda.Driver;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Kernels;

/// <summary>One launch of a plan: a kernel with its grid and one struct of arguments, in memory of its own.</summary>
internal abstract unsafe class Launch : IDisposable
{
    readonly nint _function;
    readonly (uint X, uint Y, uint Z) _grid;
    readonly uint _threads;
    readonly uint _shared;
    readonly bool _early;

    private protected Launch(string kernel, Op op, KernelLibrary kernels, (long X, long Y, long Z) grid, int threads, int shared, int argumentBytes)
    {
        (Kernel, Op, _function, _early) = (kernel, op, kernels.Find(kernel, shared), kernels.BeginsEarly(kernel));
        _grid = (checked((uint)grid.X), checked((uint)grid.Y), checked((uint)grid.Z));
        (_threads, _shared) = ((uint)threads, (uint)shared);
        // A kernel whose argument is aligned to 64 has it padded to that.
        Arguments = NativeMemory.AllocZeroed((nuint)((argumentBytes + 63) / 64 * 64));
    }

    /// <summary>The kernel's name.</summary>
    public string Kernel { get; }

    /// <summary>The op that it computes, or a part of it.</summary>
    public Op Op { get; }

    private protected void* Arguments { get; private set; }

    /// <summary>Writes the arguments down, with values where they live now.</summary>
    public abstract void Fill(ValuePlaces places);

    /// <summary>Queues it. The driver copies the arguments.</summary>
    /// <param name="stream">Where.</param>
    /// <param name="mayBeginEarly">Whether it may begin before what is queued there has ended, where its kernel waits for that itself.</param>
    public void Queue(nint stream, bool mayBeginEarly = true)
    {
        var arguments = Arguments;
        if (_early && mayBeginEarly)
        {
            var early = LaunchAttribute.BeginsEarly;
            var config = new LaunchConfig
            {
                GridX = _grid.X, GridY = _grid.Y, GridZ = _grid.Z, BlockX = _threads, BlockY = 1, BlockZ = 1, SharedBytes = _shared, Stream = stream, Attributes = &early, AttributeCount = 1,
            };
            DriverCall.Check(NativeDriver.cuLaunchKernelEx(config, _function, &arguments, null));
            return;
        }

        DriverCall.Check(NativeDriver.cuLaunchKernel(_function, _grid.X, _grid.Y, _grid.Z, _threads, 1, 1, _shared, stream, &arguments, null));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(Arguments);
        Arguments = null;
    }
}

/// <inheritdoc/>
/// <typeparam name="T">The struct of arguments.</typeparam>
internal sealed unsafe class Launch<T>(string kernel, Op op, KernelLibrary kernels, (long X, long Y, long Z) grid, int threads, int shared, Func<ValuePlaces, T> arguments)
    : Launch(kernel, op, kernels, grid, threads, shared, sizeof(T))
    where T : unmanaged
{
    /// <inheritdoc/>
    public override void Fill(ValuePlaces places) => *(T*)Arguments = arguments(places);
}
