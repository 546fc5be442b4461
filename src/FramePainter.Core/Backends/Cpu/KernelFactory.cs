using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu;

/// <summary>Chooses the kernel of an op.</summary>
internal static class KernelFactory
{
    public static CpuKernel Create(Op op, CpuWeights weights) => op switch
    {
        ProductOp product => Kernels.ProductKernels.Create(product, weights),
        _ => Simd.InstructionPaths.Create(weights.Path, new Kernels.LaneKernels(op, weights)),
    };
}
