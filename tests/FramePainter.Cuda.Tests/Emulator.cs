using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FramePainter.Core.Tests.Engine;
using FramePainter.Cuda.Driver;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace FramePainter.Cuda.Tests;

/// <summary>The emulator in the driver's place: its state is the process's, so that tests run one after the other.</summary>
internal static partial class Emulator
{
    const string Library = "cuda-emulator";

    /// <summary>Points the binding and this class at the emulator, before anything calls either.</summary>
    [ModuleInitializer]
    internal static void Use()
    {
        var path = Path.Combine(Repository.Root, "artifacts", "emulator", "libcuda-emulator.so");
        NativeDriver.Override = path;
        NativeLibrary.SetDllImportResolver(typeof(Emulator).Assembly, (name, _, _) => name != Library ? 0
            : NativeLibrary.TryLoad(path, out var handle) ? handle : throw new FileNotFoundException("Build the emulator first: kernels/build.sh emulator", path));
    }

    /// <summary>When asynchronous copies are made, and which thread of a block runs first.</summary>
    /// <param name="deferred">Copies are made when they are waited for, not when they are issued.</param>
    /// <param name="reverse">The last thread runs first.</param>
    public static void Order(bool deferred, bool reverse) => SetOrder(deferred ? 1 : 0, reverse ? 1 : 0);

    /// <summary>The machine as it is for all tests that say nothing else.</summary>
    public static void Restore() => Machine(1, 12040, 8, 0, (nuint)8 << 30);

    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_machine")]
    public static partial void Machine(int devices, int version, int major, int minor, nuint memory);

    /// <summary>Handles and blocks that nobody gave back.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_live")]
    public static partial nint Live();

    /// <summary>Kernels run so far.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_launches")]
    public static partial nint Launches();

    /// <summary>Graphs replayed so far.</summary>
    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_graph_launches")]
    public static partial nint GraphLaunches();

    [LibraryImport(Library, EntryPoint = "FP_EMULATOR_order")]
    private static partial void SetOrder(int deferred, int reverse);
}
