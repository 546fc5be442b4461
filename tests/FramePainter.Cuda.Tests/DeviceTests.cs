using FramePainter.Backends;
using FramePainter.Conformance;
using FramePainter.Core.Tests.Support;
using FramePainter.Cuda.Driver;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>Devices that are missing, too old or too small; memory; recording.</summary>
[Trait("Needs", "emulator")]
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
    [InlineData(1, 11040, 8, 0, 0, "CUDA 11.4; FramePainter wants 11.8 or later. Install a driver of version 520")]
    [InlineData(1, 12040, 7, 5, 0, "CUDA device 0, FramePainter kernel emulator, has compute capability 7.5; FramePainter wants 8.0")]
    [InlineData(1, 12040, 8, 0, 1, "no CUDA device 1; the driver knows 1: CUDA device 0, FramePainter kernel emulator")]
    [InlineData(1, 12040, 8, 0, -1, "no CUDA device -1")]
    public void A_device_that_will_not_do_says_why(int devices, int version, int major, int minor, int ordinal, string why)
    {
        Emulator.Machine(devices, version, major, minor, (nuint)1 << 30);
        var live = Emulator.Live();
        var error = Assert.Throws<DeviceException>(() => CudaBackend.Open(ordinal));
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.Equal(live, Emulator.Live());
    }

    [Theory]
    [InlineData("cuInit", 999, "does not start: CUDA_ERROR_UNKNOWN (999). After an update of the driver the machine must be restarted")]
    [InlineData("cuDevicePrimaryCtxRetain", 2, "CUDA device 0, FramePainter kernel emulator, has no memory left to begin with (CUDA_ERROR_OUT_OF_MEMORY (2)); it has 1024 MiB in all")]
    [InlineData("cuStreamCreate", 2, "Close other programs that use it")]
    [InlineData("cuMemAllocHost_v2", 2, "no memory left to begin with")]
    [InlineData("cuModuleLoadData", 222, "222). Install a newer driver.")]
    [InlineData("cuModuleLoadData", 2, "CUDA_ERROR_OUT_OF_MEMORY (2). The device has no memory left for them: close other programs")]
    [InlineData("cuModuleLoadData", 221, "with all of its libraries")]
    [InlineData("cuDevicePrimaryCtxRetain", 46, "refused cuDevicePrimaryCtxRetain")]
    public void A_device_that_fails_while_it_is_opened_says_how_and_leaves_nothing(string function, int code, string why)
    {
        Emulator.Machine(1, 12040, 8, 0, (nuint)1 << 30);
        var live = Emulator.Live();
        Emulator.Fail(function, code, 0);
        var error = Assert.Throws<DeviceException>(() => CudaBackend.Open());
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
        Assert.Equal(live, Emulator.Live());
    }

    [Fact]
    public void A_backend_that_is_given_back_twice_takes_nothing_of_another()
    {
        var live = Emulator.Live();
        var first = CudaBackend.Open();
        using (var other = CudaBackend.Open())
        {
            first.Dispose();
            var left = Emulator.Live();
            first.Dispose();
            Assert.Equal(left, Emulator.Live());
            using var buffer = other.Allocate(16);
            buffer.Write([1, 2, 3, 4]);
            var read = new float[4];
            buffer.Read(read);
            Assert.Equal([1, 2, 3, 4], read);
        }

        Assert.Equal(live, Emulator.Live());
    }

    [Fact]
    public void The_oldest_driver_is_the_first_that_takes_the_kernels()
    {
        // PTX 7.n came with CUDA 11.n, 8.n with 12.n. Texts for later chips are loaded only there.
        foreach (var (name, text) in KernelLibrary.Sources(Halves.Float16).Concat(KernelLibrary.Sources(Halves.BFloat16)))
        {
            var version = Version.Parse(text.Split(".version ")[1].Split('\n')[0].Trim());
            Assert.True(((version.Major + 4) * 1000) + (version.Minor * 10) <= DriverDevices.OldestDriver, $"{name} is of PTX {version}");
        }
    }

    [Fact]
    public void The_list_has_every_device_and_the_first_that_will_do_is_taken()
    {
        Emulator.Machine(3, 12040, 7, 5, (nuint)2 << 30);
        var devices = CudaDevice.List();
        Assert.Equal([0, 1, 2], devices.Select(d => d.Ordinal));
        Assert.All(devices, d => Assert.False(d.Fits));
        Assert.All(devices, d => Assert.Equal((2L << 30, new Version(7, 5), 1), (d.MemoryBytes, d.Capability, d.Multiprocessors)));
        var error = Assert.Throws<DeviceException>(() => CudaBackend.OpenFirst());
        Assert.All(devices, d => Assert.Contains($"{d}, has compute capability 7.5", error.Message, StringComparison.Ordinal));

        Emulator.Machine(3, 12040, 9, 0, (nuint)2 << 30);
        Emulator.Fail("cuDevicePrimaryCtxRetain", 2, 0);
        Assert.Equal(3, Assert.Throws<DeviceException>(() => CudaBackend.OpenFirst()).Message.Split("has no memory left").Length - 1);
        Emulator.Fail(null, 0, 0);
        using var backend = CudaBackend.OpenFirst();
        Assert.Equal(0, backend.Info.Ordinal);
        Assert.True(backend.Info.Fits);
    }

    [Theory]
    [InlineData(0L, null, "MemoryBudget")]
    [InlineData((1L << 20) - 1, null, "MemoryBudget")]
    [InlineData(1L << 30, -1L, "WeightMemory")]
    [InlineData(1L << 30, (1L << 30) + 1, "WeightMemory")]
    public void Options_out_of_range_are_named(long budget, long? weights, string option)
    {
        var options = new CudaOptions { MemoryBudget = budget, WeightMemory = weights };
        Assert.Equal(option, Assert.Throws<OptionException>(() => CudaDevice.At(0, options)).Option);
        Assert.Equal(option, Assert.Throws<OptionException>(() => CudaDevice.First(options)).Option);
        Assert.Equal(option, Assert.Throws<OptionException>(() => CudaBackend.Open(0, options)).Option);
        Assert.Throws<ArgumentOutOfRangeException>(() => CudaDevice.At(-1));
    }

    [Fact]
    public void A_launch_that_fails_is_named_and_the_backend_is_given_back()
    {
        var live = Emulator.Live();
        using (var backend = CudaBackend.Open())
        {
            using var run = new GuardedRun(backend, OpCases.All["transformer"].Make());
            Emulator.Fail("cuLaunchKernel", 719, 2);
            var error = Assert.Throws<DeviceException>(() => run.Run());
            Assert.Contains("refused cuLaunchKernel", error.Message, StringComparison.Ordinal);
            Emulator.Fail(null, 0, 0);
            Assert.NotEmpty(run.Run());
        }

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
        Assert.Equal(0, Allocation.Least(() => run.Executable.Run()));
    }

    public void Dispose() => Emulator.Restore();
}
