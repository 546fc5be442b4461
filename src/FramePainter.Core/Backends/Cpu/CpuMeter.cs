using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu;

/// <summary>What plans take on the processor: kernels are made over weights that are counted, not packed, and say what scratch they want.</summary>
internal sealed class CpuMeter(CpuWeights counted, int workers) : IPlanMeter
{
    /// <inheritdoc/>
    public long WeightBytes => counted.Bytes;

    /// <inheritdoc/>
    public long PackingBytes => counted.PackingBytes;

    /// <inheritdoc/>
    public PlanMemory Measure(Plan plan)
    {
        CpuKernel[] kernels = [.. plan.Graph.Ops.Select(op => KernelFactory.Create(op, counted))];
        var (perWorker, shared) = CpuExecutable.ScratchOf(kernels);
        return new PlanMemory(plan.ArenaBytes, (perWorker * workers) + shared);
    }
}
