using System.Reflection;
using FramePainter.Ilgpu.Kernels;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;

namespace FramePainter.Ilgpu.Tests;

/// <summary>Every kernel compiles for NVIDIA cards, without a card: what an assembler would make of the text is not known here.</summary>
public sealed class PtxTests
{
    static readonly Type[] s_rows = [typeof(LinearRows), typeof(PatchRows), typeof(FrameRows)];
    static readonly Type[] s_weights = [typeof(FloatWeights), typeof(HalfWeights), typeof(BrainWeights)];
    static readonly Dictionary<string, MethodInfo> s_kernels = Find().ToDictionary(Name, StringComparer.Ordinal);

    public static TheoryData<string> Kernels => [.. s_kernels.Keys];

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Compiles_without_local_memory_or_outside_functions(string kernel)
    {
        var ptx = Compile(s_kernels[kernel]);
        Assert.Contains(".visible .entry", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain(".extern .func", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain(".local", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain(".f64", ptx, StringComparison.Ordinal);
    }

    [Fact]
    public void Products_and_attention_keep_their_shared_memory_static()
    {
        foreach (var name in new[] { nameof(AttentionKernel.Attend), "Multiply<LinearRows, FloatWeights>" })
        {
            var ptx = Compile(s_kernels[name]);
            Assert.Contains(".shared", ptx, StringComparison.Ordinal);
            Assert.DoesNotContain(".extern .shared", ptx, StringComparison.Ordinal);
        }
    }

    /// <summary>NVIDIA's assembler makes one instruction of a product and a sum behind it; what it cannot see through keeps them apart.</summary>
    [Fact]
    public void Products_of_an_Euler_step_are_rounded_by_themselves()
    {
        var ptx = Compile(s_kernels[nameof(PointwiseKernels.Euler)]);
        Assert.Equal(4, ptx.Split('\n').Count(line => line.Contains("xor.b32", StringComparison.Ordinal)));
        Assert.DoesNotContain("fma.", ptx, StringComparison.Ordinal);
        Assert.DoesNotContain("mad.", ptx.Replace("mad.lo", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_step_has_its_kernel_marked()
    {
        // Kernels are public methods of static classes beside the attribute; helpers are private, or of Functions.
        var unmarked = typeof(DeviceKernelAttribute).Assembly.GetTypes()
            .Where(t => t.Namespace == typeof(DeviceKernelAttribute).Namespace && t.IsAbstract && t.IsSealed && t != typeof(Functions))
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Public))
            .Where(m => m.GetCustomAttribute<DeviceKernelAttribute>() is null);
        Assert.Empty(unmarked.Select(m => m.Name));
        Assert.True(s_kernels.Count > 20, $"Only {s_kernels.Count} kernels were found.");
    }

    static IEnumerable<MethodInfo> Find()
    {
        var marked = typeof(DeviceKernelAttribute).Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic))
            .Where(m => m.GetCustomAttribute<DeviceKernelAttribute>() is not null);
        foreach (var method in marked)
        {
            if (!method.IsGenericMethodDefinition)
            {
                yield return method;
                continue;
            }

            foreach (var rows in s_rows)
            {
                foreach (var weights in s_weights)
                {
                    yield return method.MakeGenericMethod(rows, weights);
                }
            }
        }
    }

    static string Name(MethodInfo method) =>
        method.IsGenericMethod ? $"{method.Name}<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>" : method.Name;

    /// <summary>A context of its own for each kernel: one that failed to compile would spoil the next.</summary>
    static string Compile(MethodInfo kernel)
    {
        using var context = Context.Create(builder => builder.Optimize(OptimizationLevel.O2).EnableAlgorithms().CPU());
        using var backend = new PTXBackend(context, CudaArchitecture.SM_80, CudaInstructionSet.ISA_78, null!);
        var entry = EntryPointDescription.FromExplicitlyGroupedKernel(kernel);
        return ((PTXCompiledKernel)backend.Compile(entry, default)).PTXAssembly;
    }
}
