using FramePainter.Backends;
using FramePainter.Conformance;
using FramePainter.Cuda.Driver;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>Devices that are missing, too old or too small; memory; recording.</summary>
public sealed class DeviceTests : IDisposable
{
    public DeviceTests() => Emulator.Restore();

    [Fact]
    public void A_missing_driver_is_named()
    {
        var error = Assert.Throws<DeviceException>(() => NativeDriver.Load(["libno-such-driver.so.1"]));
        Assert.Contains("libno-such-driver.so.1", error.Message, StringComparison.Ordinal);
        Assert.Contains("Install a driver", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 12040, 8, 0, 0, "CUDA_ERROR_NO_DEVICE")]
    [InlineData(1, 11040, 8, 0, 0, "CUDA 11.4; FramePainter wants 11.8")]
    [InlineData(1, 12040, 7, 5, 0, "compute capability 7.5")]
    [InlineData(1, 12040, 8, 0, 1, "no CUDA device 1; the driver knows 1")]
    [InlineData(1, 12040, 8, 0, -1, "no CUDA device -1")]
    public void A_device_that_will_not_do_says_why(int devices, int version, int major, int minor, int ordinal, string why)
    {
        Emulator.Machine(devices, version, major, minor, (nuint)1 << 30);
        var live = Emulator.Live();
        var error = Assert.Throws<DeviceException>(() => CudaBackend.Open(ordinal));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.Equal(live, Emulator.Live());
    }

    [Fact]
    public void Too_little_memory_is_a_plan_that_does_not_fit()
    {
        using var backend = CudaBackend.Open();
        Emulator.Machine(1, 12040, 8, 0, 64 << 20);
        using (backend.Allocate(40 << 20))
        {
            var error = Assert.Throws<PlanException>(() => backend.Allocate(100 << 20));
            Assert.Contains("100 MiB more are wanted", error.Message, StringComparison.Ordinal);
            Assert.Contains("FramePainter kernel emulator", error.Message, StringComparison.Ordinal);
        }

        // What was given back makes room for a block of another size.
        using var other = backend.Allocate(60 << 20);
        Assert.Equal(60 << 20, other.Bytes);
    }

    [Fact]
    public void Fresh_memory_is_zero_even_when_it_was_used_before()
    {
        using var backend = CudaBackend.Open();
        var values = new float[100];
        using (var first = backend.Allocate(400))
        {
            first.Write(Enumerable.Repeat(7f, 100).ToArray());
            first.Read(values);
            Assert.All(values, v => Assert.Equal(7f, v));
        }

        using var second = backend.Allocate(400);
        second.Read(values);
        Assert.All(values, v => Assert.Equal(0f, v));
        Assert.Throws<ArgumentOutOfRangeException>(() => second.Write(values, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => second.Read(values, -4));
    }

    [Fact]
    public void Everything_is_given_back()
    {
        var live = Emulator.Live();
        using (var backend = CudaBackend.Open())
        {
            using var run = new GuardedRun(backend, OpCases.All["transformer"].Make());
            run.Run();
            run.Run();
            run.Run();
            Assert.True(Emulator.Live() > live);
        }

        Assert.Equal(live, Emulator.Live());
    }

    [Fact]
    public void A_plan_is_recorded_when_it_runs_again_in_the_same_place_and_forgotten_when_a_value_moves()
    {
        using var backend = CudaBackend.Open();
        var graph = new GraphBuilder();
        var x = graph.Input("x", Rate.Edit, 1, 4, 16);
        graph.Output(graph.Activate(x, Activation.Relu), "y");
        using var store = backend.CreateStore(new MemoryWeights());
        using var executable = backend.Compile(Planner.Plan(graph.Build("relu")), store);
        using var input = backend.Allocate(2 * x.Bytes);
        using var output = backend.Allocate(x.Bytes);
        executable.Bind(executable.Plan.Graph.Outputs[0], output);
        Assert.Contains("x#0", Assert.Throws<InvalidOperationException>(() => executable.Run()).Message, StringComparison.Ordinal);
        executable.Bind(x, input);
        var before = Emulator.GraphLaunches();
        foreach (var (offset, value, replays) in new[] { (0L, 1f, 0), (0L, 2f, 1), (0L, 3f, 2), (x.Bytes, 4f, 2), (x.Bytes, 5f, 3), (0L, 6f, 3) })
        {
            executable.Bind(x, input, offset);
            input.Write(Enumerable.Repeat(value, (int)x.Shape.Count).ToArray(), offset);
            executable.Run();
            var got = new float[x.Shape.Count];
            output.Read(got);
            Assert.All(got, v => Assert.Equal(value, v));
            Assert.Equal(before + replays, Emulator.GraphLaunches());
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => executable.Bind(x, input, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => executable.Bind(x, input, x.Bytes + 16));
    }

    [Fact]
    public void A_run_allocates_nothing()
    {
        using var backend = CudaBackend.Open();
        using var run = new GuardedRun(backend, OpCases.All["block"].Make());
        run.Run();
        run.Executable.Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        run.Executable.Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    public void Dispose() => Emulator.Restore();
}
