using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FramePainter.Core.Tests.Engine;
using FramePainter.Cuda.Driver;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace FramePainter.Cuda.Tests;

/// <summary>
/// The emulator in the driver's place: its state is the process's, so that tests run one after the other. With FRAMEPAINTER_CUDA=driver the
/// driver of the machine is used instead; tests with the trait <c>Needs=emulator</c> are to be left out then (kernels/check-on-gpu.sh).
/// </summary>
internal static partial class Emulator
{
    const string Library = "cuda-emulator";

    /// <summary>Whether the emulator is used, not the driver.</summary>
    public static bool IsUsed { get; } = Environment.GetEnvironmentVariable("FRAMEPAINTER_CUDA") != "driver";

    /// <summary>Points the binding and this class at the emulator, before anything calls either.</summary>
    [ModuleInitializer]
    internal static void Use()
    {
        var path = Path.Combine(Repository.Root, "artifacts", "emulator", "libcuda-emulator.so");
        NativeDriver.Override = IsUsed ? path : null;
        NativeLibrary.SetDllImportResolver(typeof(Emulator).Assembly, (name, _, _) => name != Library ? 0
            : !IsUsed ? throw new InvalidOperationException("With the driver, a test calls the emulator: it wants the trait Needs=emulator.")
            : NativeLibrary.TryLoad(path, out var handle) ? handle : throw new FileNotFoundException("Build the emulator first: kernels/build.sh emulator", path));
    }

    /// <summary>When asynchronous copies are made, and which thread of a block runs first.</summary>
    /// <param name="deferred">Copies are made when they are waited for, not when they are issued.</param>
    /// <param name="reverse">The last thread runs first.</param>
    public static void Order(bool deferred, bool reverse)
    {
        if (IsUsed)
        {
            SetOrder(deferred ? 1 : 0, reverse ? 1 : 0);
        }
    }

    /// <summary>The machine as it is for all tests that say nothing else.</summary>
    public static void Restore()
    {
        if (!IsUsed)
        {
            return;
        }

        Machine(1, 12040, 8, 0, (nuint)8 << 30);
        Fail(null, 0, 0);
        Idle(0);
        Streams(Pace.AtOnce);
    }

    /// <summary>When the work of streams is done.</summary>
    public static void Streams(Pace pace)
    {
        if (IsUsed)
        {
            SetStreams((int)pace);
        }
    }

    /// <summary>Handles and blocks that nobody gave back; 0 for the driver, which does not say.</summary>
    public static nint Live() => IsUsed ? AskLive() : 0;

    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_machine")]
    public static partial void Machine(int devices, int version, int major, int minor, nuint memory);

    /// <summary>From the call after some good ones on, a function of the driver fails.</summary>
    /// <param name="function">Its name; null mends all.</param>
    /// <param name="code">What it gives back.</param>
    /// <param name="callsBefore">Good calls before.</param>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_fail", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void Fail(string? function, int code, int callsBefore);

    /// <summary>Most bytes that a device had given out at once since this was last asked.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_peak")]
    public static partial nuint Peak(int device);

    /// <summary>The same of pinned memory of the host.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_pinned_peak")]
    public static partial nuint PinnedPeak();

    /// <summary>Kernels are launched and not run, and fresh memory is zero: for tests of memory alone, which need not wait for the emulator's arithmetic.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_idle")]
    public static partial void Idle(int idle);

    /// <summary>Kernels run so far.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_launches")]
    public static partial nint Launches();

    /// <summary>Graphs replayed so far.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_graph_launches")]
    public static partial nint GraphLaunches();

    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_live")]
    private static partial nint AskLive();

    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_order")]
    private static partial void SetOrder(int deferred, int reverse);

    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_streams")]
    private static partial void SetStreams(int pace);
}

/// <summary>When the emulator does the work of streams.</summary>
public enum Pace
{
    /// <summary>When it is queued.</summary>
    AtOnce,

    /// <summary>When a stream is waited for; other streams do no more than it needs.</summary>
    Late,

    /// <summary>When a stream is waited for; other streams do all they can first.</summary>
    Early,
}
