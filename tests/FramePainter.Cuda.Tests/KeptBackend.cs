using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Tensors;

namespace FramePainter.Cuda.Tests;

/// <summary>
/// A backend that is not given back. Opening a real device (its context is made, every kernel loaded) takes longer than most cases of the
/// conformance suite, which opens a backend for each: one is kept for every tuning and precision. The emulator's are opened and given back, so that both are tested.
/// </summary>
internal sealed class KeptBackend : IBackend
{
    static readonly Dictionary<(CudaTuning Tuning, Precision Precision), CudaBackend> s_open = [];
    readonly CudaBackend _backend;

    KeptBackend(CudaBackend backend) => _backend = backend;

    public string Description => _backend.Description;

    /// <summary>Opens the first device, or hands out what was opened before.</summary>
    public static IBackend Open(CudaTuning tuning, Precision precision)
    {
        if (Emulator.IsUsed)
        {
            return new CudaBackend(0, tuning, precision: precision);
        }

        if (s_open.Remove((tuning, precision), out var known) && !Works(known))
        {
            known.Dispose();
            known = null;
        }

        return new KeptBackend(s_open[(tuning, precision)] = known ?? new CudaBackend(0, tuning, precision: precision));
    }

    public IWeightStore CreateStore(IWeightSource source) => _backend.CreateStore(source);

    public IDeviceBuffer Allocate(long bytes) => _backend.Allocate(bytes);

    public IExecutable Compile(Plan plan, IWeightStore weights) => _backend.Compile(plan, weights);

    public void Dispose()
    {
        // Kept until the process ends.
    }

    /// <summary>A kernel that faults takes its context along: the case that launched it should be the only one to fail.</summary>
    static bool Works(CudaBackend backend)
    {
        try
        {
            backend.Allocate(sizeof(float)).Dispose();
            return true;
        }
        catch (DeviceException)
        {
            return false;
        }
    }
}
