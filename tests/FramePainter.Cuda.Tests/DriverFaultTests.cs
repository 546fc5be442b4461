using System.Globalization;
using System.Runtime.InteropServices;
using FramePainter.Backends;
using FramePainter.Conformance;
using FramePainter.Graphs;

namespace FramePainter.Cuda.Tests;

/// <summary>
/// Every call of the driver fails in turn: whatever is under way ends in a typed error and gives all back. A fault is of one call, or stays, as after
/// a kernel that broke the context. With FRAMEPAINTER_FULL=1 every n and every code; else a share of the n, drawn anew for each code.
/// </summary>
[Trait("Needs", "emulator")]
public sealed partial class DriverFaultTests : IDisposable
{
    const string Library = "cuda-emulator";

    static readonly bool s_full = Environment.GetEnvironmentVariable("FRAMEPAINTER_FULL") == "1";

    public DriverFaultTests() => Emulator.Restore();

    /// <summary>Codes that any call may give: no memory, device lost to another program, an unknown error; then a broken context's.</summary>
    public static TheoryData<int, bool, bool> Faults()
    {
        var data = new TheoryData<int, bool, bool>();
        foreach (var streamed in new[] { false, true })
        {
            foreach (var (code, stays) in new[] { (2, false), (46, false), (999, false), (700, true), (719, true) })
            {
                data.Add(code, stays, streamed);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void Every_call_fails_in_turn_with_a_typed_error_and_all_is_given_back(int code, bool stays, bool streamed)
    {
        var built = OpCases.All["transformer"].Make();
        var options = streamed ? new CudaOptions { MemoryBudget = 64 << 20, WeightMemory = 0 } : null;
        var live = Emulator.Live();
        FailCall(-1, 0, 0);
        var want = Work(built, options);
        var calls = FailCall(-1, 0, 0);
        Assert.Equal(live, Emulator.Live());
        Assert.True(calls > 100, $"{calls} calls");

        var (refused, finished) = (0, 0);
        foreach (var call in Draw((int)calls, code + (streamed ? 1 : 0)))
        {
            FailCall(call, code, stays ? 1 : 0);
            try
            {
                // A fault in giving back is nobody's to mend: the work before it stands.
                Assert.Equal(want, Work(built, options));
                finished++;
            }
            catch (FramePainterException error) when (error is DeviceException or PlanException)
            {
                Assert.True(error.Message.Length > 20, error.Message);
                refused++;
            }

            FailCall(-1, 0, 0);
            Assert.True(live == Emulator.Live(), string.Create(CultureInfo.InvariantCulture, $"call {call} of {calls} with code {code}: {Emulator.Live() - live} handles or blocks are left"));
        }

        TestContext.Current.SendDiagnosticMessage($"{calls} calls; code {code}, {(stays ? "staying" : "once")}, {(streamed ? "streamed" : "resident")}: {refused} refused, {finished} finished");
        Assert.True(refused > finished, $"{refused} refused, {finished} finished");
        Assert.Equal(want, Work(built, options));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_backend_works_on_after_any_call_that_failed_once(bool streamed)
    {
        var built = OpCases.All["transformer"].Make();
        var options = streamed ? new CudaOptions { MemoryBudget = 64 << 20, WeightMemory = 0 } : null;
        var live = Emulator.Live();
        using (var backend = CudaBackend.Open(0, options))
        {
            using var store = backend.CreateStore(built.Weights);
            FailCall(-1, 0, 0);
            var want = Compute(backend, store, built);
            var calls = (int)FailCall(-1, 0, 0);
            foreach (var call in Draw(calls, streamed ? 3 : 5))
            {
                FailCall(call, 999, 0);
                try
                {
                    Compute(backend, store, built);
                }
                catch (FramePainterException error) when (error is DeviceException or PlanException)
                {
                    // Which it may be.
                }

                FailCall(-1, 0, 0);
                Assert.Equal(want, Compute(backend, store, built));
            }
        }

        Assert.Equal(live, Emulator.Live());
    }

    public void Dispose()
    {
        FailCall(-1, 0, 0);
        Emulator.Restore();
    }

    /// <summary>All numbers, or some of each tenth.</summary>
    static IEnumerable<int> Draw(int calls, int seed)
    {
        if (s_full)
        {
            return Enumerable.Range(0, calls);
        }

        var random = new Random(seed);
        return Enumerable.Range(0, 30).Select(i => (i * calls / 30) + random.Next(Math.Max(1, calls / 30)));
    }

    static float[] Work(BuiltCase built, CudaOptions? options)
    {
        using var backend = CudaBackend.Open(0, options);
        using var store = backend.CreateStore(built.Weights);
        return Compute(backend, store, built);
    }

    /// <summary>Compiles a graph and runs it three times, so that it is recorded and replayed.</summary>
    static float[] Compute(CudaBackend backend, IWeightStore store, BuiltCase built)
    {
        using var executable = backend.Compile(Planner.Plan(built.Graph), store);
        var buffers = new List<IDeviceBuffer>();
        try
        {
            foreach (var value in built.Graph.Inputs.Concat(built.Graph.Outputs))
            {
                var buffer = backend.Allocate(value.Bytes);
                buffers.Add(buffer);
                executable.Bind(value, buffer);
                if (built.Inputs.TryGetValue(value, out var input))
                {
                    buffer.Write(input);
                }
            }

            for (var i = 0; i < 3; i++)
            {
                executable.Run(CancellationToken.None);
            }

            var output = new float[built.Graph.Outputs[0].Shape.Count];
            buffers[built.Graph.Inputs.Length].Read(output);
            return output;
        }
        finally
        {
            foreach (var buffer in buffers)
            {
                buffer.Dispose();
            }
        }
    }

    /// <summary>Lets the call of this number from now on fail, and with <paramref name="stays"/> all after it; negative for none.</summary>
    /// <returns>How many calls there were since this was last called.</returns>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_fail_call")]
    private static partial nint FailCall(nint number, int code, int stays);
}
