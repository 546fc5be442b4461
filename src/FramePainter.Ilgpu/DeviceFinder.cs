using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.Cuda;
using ILGPU.Runtime.OpenCL;

namespace FramePainter.Ilgpu;

/// <summary>Makes a context that sees every device, and picks one.</summary>
internal static class DeviceFinder
{
    /// <summary>What the kernels need of a device: threads of a group, and static shared memory (attention takes most).</summary>
    const int GroupThreads = 256;
    const int SharedBytes = 44 * 1024;

    static readonly Lock s_gate = new();
    static bool s_resolving;

    /// <summary>Opens a device.</summary>
    /// <param name="wanted">Which one.</param>
    /// <param name="prepare">Sees every OpenCL device before it is judged; for tests.</param>
    /// <exception cref="DeviceException">There is none; the message lists all that were seen.</exception>
    public static (Context Context, Accelerator Accelerator) Open(IlgpuDevice wanted, Action<CLDevice>? prepare = null)
    {
        ResolveOpenCl();
        var notes = new List<string>();
        Context context;
        lock (s_gate)
        {
            // ILGPU asks the OpenCL loader for its devices without a lock, and sees none while another thread asks.
            context = CreateContext(notes, prepare);
        }

        try
        {
            foreach (var (name, device) in Candidates(context, wanted, notes))
            {
                if (Fault(device) is { } fault)
                {
                    notes.Add($"{name}: {fault}");
                    continue;
                }

                try
                {
                    return (context, device.CreateAccelerator(context));
                }
                catch (Exception error) when (IlgpuFailure.Is(error) || error is NotSupportedException or DllNotFoundException)
                {
                    notes.Add($"{name}: it cannot be opened ({IlgpuFailure.Reason(error)})");
                }
            }

            var seen = notes.Count == 0 ? "no device at all" : string.Join("; ", notes);
            throw new DeviceException(
                $"ILGPU found no device for '{wanted}'. Seen: {seen}. Install the card's driver, choose another device, or run on the processor (Device.Cpu of FramePainter.Core).");
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>ILGPU asks for "OpenCL", which Linux distributions ship as libOpenCL.so.1 alone.</summary>
    static void ResolveOpenCl()
    {
        lock (s_gate)
        {
            if (s_resolving)
            {
                return;
            }

            s_resolving = true;
            try
            {
                NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, Find);
            }
            catch (InvalidOperationException)
            {
                // The program has set a resolver of its own for ILGPU; that one counts.
            }
        }

        static IntPtr Find(string name, Assembly assembly, DllImportSearchPath? path) =>
            name.Contains("opencl", StringComparison.OrdinalIgnoreCase) && NativeLibrary.TryLoad("libOpenCL.so.1", out var library) ? library : IntPtr.Zero;
    }

    static Context CreateContext(List<string> notes, Action<CLDevice>? prepare) => Context.Create(builder =>
    {
        builder.Optimize(OptimizationLevel.O2).EnableAlgorithms().CPU(new CPUDevice(32, 8, 1));
        Try(notes, "CUDA", () => builder.Cuda(_ => true));
        Try(notes, "OpenCL", () => builder.OpenCL(device =>
        {
            prepare?.Invoke(device);
            return true;
        }));
    });

    static void Try(List<string> notes, string kind, Action register)
    {
        try
        {
            register();
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException or AcceleratorException or NotSupportedException)
        {
            notes.Add($"{kind}: its driver does not answer ({IlgpuFailure.Reason(error)})");
        }
    }

    /// <summary>Devices worth trying, best first. Notes tell of all others.</summary>
    static List<(string Name, ILGPU.Runtime.Device Device)> Candidates(Context context, IlgpuDevice wanted, List<string> notes)
    {
        var candidates = new List<(string, ILGPU.Runtime.Device)>();
        Gather(IlgpuDeviceKind.Cuda, [.. context.GetCudaDevices()]);
        Gather(IlgpuDeviceKind.OpenCl, [.. context.GetCLDevices()]);
        Gather(IlgpuDeviceKind.Cpu, [.. context.GetCPUDevices()]);
        return candidates;

        void Gather(IlgpuDeviceKind kind, ILGPU.Runtime.Device[] devices)
        {
            var prefix = kind switch { IlgpuDeviceKind.Cuda => "cuda", IlgpuDeviceKind.OpenCl => "opencl", _ => "cpu" };
            if (devices.Length == 0)
            {
                // ILGPU keeps to itself why, and gives up on all of a kind where one cannot be asked.
                notes.Add($"{prefix}: no device that ILGPU sees");
            }

            for (var i = 0; i < devices.Length; i++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"{prefix}:{i} ({devices[i].Name.Trim()})");
                if (wanted.Kind == kind && wanted.Index == i)
                {
                    candidates.Add((name, devices[i]));
                }
                else if (wanted.Kind != IlgpuDeviceKind.Auto)
                {
                    notes.Add($"{name}: not the one asked for");
                }
                else if (IsProcessor(devices[i]))
                {
                    notes.Add($"{name}: a processor, on which FramePainter.Core is faster; taken only when asked for");
                }
                else
                {
                    candidates.Add((name, devices[i]));
                }
            }
        }
    }

    static bool IsProcessor(ILGPU.Runtime.Device device) => device switch
    {
        CPUDevice => true,
        CLDevice opencl => (opencl.DeviceType & CLDeviceType.CL_DEVICE_TYPE_GPU) == 0,
        _ => false,
    };

    static string? Fault(ILGPU.Runtime.Device device) =>
        device is CLDevice { Capabilities.GenericAddressSpace: false }
            ? "its driver says that it has no generic address space (OpenCL 2.0), which ILGPU needs"
        : device.MaxNumThreadsPerGroup < GroupThreads
            ? $"groups of at most {device.MaxNumThreadsPerGroup} threads; {GroupThreads} are needed"
        : device.MaxSharedMemoryPerGroup < SharedBytes
            ? $"{device.MaxSharedMemoryPerGroup} bytes of shared memory a group; {SharedBytes} are needed"
        : null;
}
