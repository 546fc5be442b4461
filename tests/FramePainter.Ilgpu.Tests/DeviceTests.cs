using System.Text.RegularExpressions;
using FramePainter.Backends;
using FramePainter.Graphs;
using FramePainter.Ilgpu.Kernels;
using FramePainter.Tensors;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

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
            using var backend = new IlgpuBackend(IlgpuDevice.Auto, null, Pocl.ClaimGenericAddresses);
            Assert.True(backend.Accelerator.Device is CudaDevice or CLDevice { DeviceType: CLDeviceType.CL_DEVICE_TYPE_GPU }, backend.Description);
        }
        catch (DeviceException error)
        {
            const string why = @"[^;]*: a processor, on which FramePainter.Core is faster; taken only when asked for";
            Assert.Matches("cpu:0" + why, error.Message);
            Assert.True(Pocl.Absence is not null || Regex.IsMatch(error.Message, "opencl:0" + why, RegexOptions.None, TimeSpan.FromSeconds(1)), error.Message);
        }
    }

    [Fact]
    public void What_a_driver_refuses_names_the_device_the_op_and_the_reason()
    {
        using var backend = new IlgpuBackend(IlgpuDevice.Cpu);
        backend.Load<Action<AcceleratorStream, KernelConfig, PointwiseArguments>>(
            (Action<PointwiseArguments>)PointwiseKernels.Activate, _ => (_, _, _) => throw new CLException(CLError.CL_OUT_OF_RESOURCES));
        using var weights = new FramePainter.Conformance.MemoryWeights();
        using var store = backend.CreateStore(weights);
        var plan = Relu();
        using (var executable = backend.Compile(plan, store))
        using (var buffer = backend.Allocate(64))
        {
            executable.Bind(plan.Graph.Inputs[0], buffer);
            executable.Bind(plan.Graph.Outputs[0], buffer, 32);
            var error = Assert.Throws<DeviceException>(() => executable.Run(TestContext.Current.CancellationToken));
            Assert.Contains(backend.Description, error.Message, StringComparison.Ordinal);
            Assert.Contains("CL_OUT_OF_RESOURCES", error.Message, StringComparison.Ordinal);
            Assert.Contains($"'{plan.Graph.Ops[0].Name}' of 'relu'", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0, backend.HeldBytes);
        Assert.Throws<DeviceException>(() => backend.Do<int>("nothing", () => throw new InternalCompilerException("no such instruction")));
        Assert.Throws<InvalidOperationException>(() => backend.Do<int>("nothing", () => throw new InvalidOperationException()));
    }

    [Fact]
    public void What_a_lost_device_does_not_give_back_hides_no_other_error()
    {
        IlgpuFailure.Release(new Lost(new CLException(CLError.CL_INVALID_COMMAND_QUEUE)));
        IlgpuFailure.Release(null);
        Assert.Throws<InvalidOperationException>(() => IlgpuFailure.Release(new Lost(new InvalidOperationException())));
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
    public void More_than_the_driver_gives_in_one_piece_is_a_plan_error_before_it_is_asked_for()
    {
        Assert.SkipWhen(Pocl.Absence is not null, Pocl.Absence ?? "");
        using var backend = Pocl.Create();
        Assert.SkipWhen(backend.LargestBlock is null, "CUDA has no such limit.");
        using var counted = backend.CreateCounting();
        foreach (var one in new Func<long, IDeviceBuffer>[] { backend.Allocate, counted.Allocate })
        {
            var error = Assert.Throws<PlanException>(() => one(backend.LargestBlock!.Value + 4));
            Assert.Contains($"in one piece, of which the driver gives {backend.LargestBlock} at most", error.Message, StringComparison.Ordinal);
        }

        using var all = counted.Allocate(backend.LargestBlock!.Value);
    }

    /// <summary>What packing takes of the host is counted: the packed matrix, the tensor, and what it is copied to between them.</summary>
    [Theory]
    [InlineData(DType.F32, WeightStorage.AsStored)]
    [InlineData(DType.F16, WeightStorage.AsStored)]
    [InlineData(DType.BF16, WeightStorage.AsStored)]
    [InlineData(DType.F32, WeightStorage.Half)]
    [InlineData(DType.F16, WeightStorage.Half)]
    [InlineData(DType.BF16, WeightStorage.Half)]
    public void Packing_takes_what_is_counted(DType type, WeightStorage storage)
    {
        using var weights = new FramePainter.Conformance.MemoryWeights();
        var random = new Random(5);
        weights.AddRandom("unet.w.weight", type, new Shape(256, 512), random, 1, 0);
        var matrix = WeightMatrix.Of("unet.w.weight", 256, 512);
        using var backend = new IlgpuBackend(IlgpuDevice.Cpu, new IlgpuOptions { Weights = storage });
        using var counting = backend.CreateCounting();
        using var counted = counting.CreateStore(weights);
        ((IlgpuWeights)counted).Matrix(matrix, gated: false);
        var tensor = ((IWeightSource)weights).Describe("unet.w.weight").Bytes;
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var packed = DeviceMatrix.Pack(backend, weights, matrix, gated: false, storage);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, counting.HostBytes - tensor, (counting.HostBytes - tensor) * 1.1);
    }

    [Fact]
    public void Stores_and_buffers_of_another_backend_are_refused()
    {
        using var one = new IlgpuBackend(IlgpuDevice.Cpu);
        using var other = new IlgpuBackend(IlgpuDevice.Cpu);
        using var weights = new FramePainter.Conformance.MemoryWeights();
        using var store = one.CreateStore(weights);
        var plan = Relu();
        Assert.Throws<ArgumentException>(() => other.Compile(plan, store));
        using var executable = one.Compile(plan, store);
        using IDeviceBuffer foreign = other.Allocate(64);
        using var own = one.Allocate(64);
        Assert.Throws<ArgumentException>(() => executable.Bind(plan.Graph.Inputs[0], foreign));
        Assert.Throws<ArgumentOutOfRangeException>(() => executable.Bind(plan.Graph.Inputs[0], own, 8));
        Assert.Throws<ArgumentOutOfRangeException>(() => executable.Bind(plan.Graph.Inputs[0], own, 48));
        Assert.Contains("not bound", Assert.Throws<InvalidOperationException>(() => executable.Run()).Message, StringComparison.Ordinal);
    }

    static Plan Relu()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Activate(graph.Input("x", Rate.Edit, 1, 2, 3), Activation.Relu), "y");
        return Planner.Plan(graph.Build("relu"));
    }

    sealed class Lost(Exception error) : IDisposable
    {
        public void Dispose() => throw error;
    }
}
