using FramePainter.Backends;

namespace FramePainter.Ilgpu.Tests;

public sealed class DeviceTests
{
    [Fact]
    public void A_device_that_is_not_there_is_refused_with_all_that_were_seen()
    {
        var error = Assert.Throws<DeviceException>(() => new IlgpuBackend(IlgpuDevice.Cuda(97)));
        Assert.Contains("cuda:97", error.Message, StringComparison.Ordinal);
        Assert.Contains("cpu:0", error.Message, StringComparison.Ordinal);
        Assert.Contains("not the one asked for", error.Message, StringComparison.Ordinal);
        Assert.Contains("Device.Cpu", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Auto_never_takes_a_processor()
    {
        try
        {
            using var backend = new IlgpuBackend(IlgpuDevice.Auto);
            Assert.DoesNotContain("CPU", backend.Description, StringComparison.Ordinal);
        }
        catch (DeviceException error)
        {
            Assert.Contains("cpu:0", error.Message, StringComparison.Ordinal);
            Assert.Contains("taken only when asked for", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_device_without_generic_addresses_is_passed_over_with_the_reason()
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        var error = Assert.Throws<DeviceException>(() => new IlgpuBackend(IlgpuDevice.OpenCl(0)));
        Assert.Contains("generic address space", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Negative_numbers_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => IlgpuDevice.Cuda(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => IlgpuDevice.OpenCl(-1));
        Assert.Equal("opencl:2", IlgpuDevice.OpenCl(2).ToString());
    }

    [Fact]
    public void Options_that_are_no_option_are_refused() =>
        Assert.Throws<OptionException>(() => new IlgpuBackend(IlgpuDevice.Cpu, new IlgpuOptions { Weights = (WeightStorage)7 }));

    [Fact]
    public void Memory_is_zeroed_and_keeps_what_is_written()
    {
        using var backend = new IlgpuBackend(IlgpuDevice.Cpu);
        using var buffer = backend.Allocate(40);
        var read = Enumerable.Repeat(7f, 10).ToArray();
        buffer.Read(read);
        Assert.All(read, x => Assert.Equal(0, x));
        buffer.Write([1, 2, 3], 16);
        buffer.Read(read);
        Assert.Equal([0, 0, 0, 0, 1, 2, 3, 0, 0, 0], read);
        Assert.Equal(40, buffer.Bytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Write([1, 2], 36));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Read(read, -4));
    }

    [Fact]
    public void Empty_memory_is_allowed()
    {
        using var backend = new IlgpuBackend(IlgpuDevice.Cpu);
        using var buffer = backend.Allocate(0);
        buffer.Write([]);
        Assert.Equal(0, buffer.Bytes);
    }

    [Fact]
    public void More_memory_than_there_is_is_a_plan_error()
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        using var backend = Pocl.Create();
        var error = Assert.Throws<PlanException>(() => backend.Allocate(1L << 46));
        Assert.Contains("70368744177664", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Stores_and_buffers_of_another_backend_are_refused()
    {
        using var one = new IlgpuBackend(IlgpuDevice.Cpu);
        using var other = new IlgpuBackend(IlgpuDevice.Cpu);
        using var weights = new FramePainter.Conformance.MemoryWeights();
        using var store = one.CreateStore(weights);
        var graph = new FramePainter.Graphs.GraphBuilder();
        var x = graph.Input("x", FramePainter.Graphs.Rate.Edit, 1, 2, 3);
        graph.Output(graph.Activate(x, FramePainter.Graphs.Activation.Relu), "y");
        var plan = FramePainter.Graphs.Planner.Plan(graph.Build("relu"));
        Assert.Throws<ArgumentException>(() => other.Compile(plan, store));
        using var executable = one.Compile(plan, store);
        using IDeviceBuffer foreign = other.Allocate(64);
        using var own = one.Allocate(64);
        Assert.Throws<ArgumentException>(() => executable.Bind(plan.Graph.Inputs[0], foreign));
        Assert.Throws<ArgumentOutOfRangeException>(() => executable.Bind(plan.Graph.Inputs[0], own, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => executable.Bind(plan.Graph.Inputs[0], own, 48));
        Assert.Contains("not bound", Assert.Throws<InvalidOperationException>(() => executable.Run()).Message, StringComparison.Ordinal);
    }
}
