using System.Runtime.CompilerServices;
using FramePainter.Backends;
using FramePainter.Backends.Cpu;
using FramePainter.Graphs;

namespace FramePainter.Core.Tests.Backends;

public sealed class ExecutableLifetimeTests
{
    [Fact]
    public void A_store_that_its_owner_has_dropped_is_kept_by_its_executables()
    {
        using var backend = new CpuBackend(1);
        var (executable, store) = Compile(backend);
        Collect();
        Assert.True(store.IsAlive);
        executable.Dispose();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static (IExecutable Executable, WeakReference Store) Compile(CpuBackend backend)
    {
        var harness = new OpHarness(1);
        harness.Graph.Output(harness.Graph.Activate(harness.Graph.Input("x", Rate.Edit, 1, 2, 3), Activation.Relu), "y");
        var store = backend.CreateStore(harness);
        return (backend.Compile(Planner.Plan(harness.Graph.Build("relu")), store), new WeakReference(store));
    }

    static void Collect()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }
}
