using FramePainter.Backends.Cpu.Kernels;
using FramePainter.Backends.Cpu.Simd;
using FramePainter.Graphs;

namespace FramePainter.Backends.Cpu;

/// <summary>Chooses the kernel of an op.</summary>
internal static class KernelFactory
{
    public static CpuKernel Create(Op op, CpuWeights weights) => op switch
    {
        ProductOp product => ProductKernels.Create(product, weights),
        _ => InstructionPaths.Create(weights.Path, new LaneKernels(op, weights)),
    };
}
