using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu;

/// <summary>Chooses the kernel of an op.</summary>
internal static class KernelFactory
{
    public static CpuKernel Create(Op op, CpuWeights weights) => op switch
    {
        _ => throw new NotSupportedException($"The CPU has no kernel for {op.GetType().Name} ('{op.Name}')."),
    };
}
