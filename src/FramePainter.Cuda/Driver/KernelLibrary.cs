using System.Reflection;
using System.Text;

namespace FramePainter.Cuda.Driver;

/// <summary>The package's kernels for one kind of halves: its PTX, loaded for one context.</summary>
internal sealed unsafe class KernelLibrary : IDisposable
{
    const int MaxDynamicShared = 8;
    const int SharedWithoutAsking = 48 << 10;

    /// <summary>What a driver says to PTX that it does not take: CUDA_ERROR_INVALID_IMAGE, NO_BINARY_FOR_GPU, INVALID_PTX, UNSUPPORTED_PTX_VERSION.</summary>
    static readonly int[] s_refusals = [200, 209, 218, 222];

    /// <summary>In the names of texts of bfloat16.</summary>
    const string BrainText = ".bf16.";

    /// <summary>What names of kernels end with in these: a profiler shows it.</summary>
    const string BrainKernel = "_bf16";

    readonly List<nint> _modules = [];
    readonly Dictionary<string, nint> _functions = new(StringComparer.Ordinal);

    /// <summary>Dynamic shared memory that each function has been allowed, where it is more than it has without asking.</summary>
    readonly Dictionary<nint, int> _allowed = [];

    /// <summary>CUDA 12.4: launches that begin early may be recorded as graphs since the release before.</summary>
    const int OldestEarlyDriver = 12040;

    readonly HashSet<string> _early = new(StringComparer.Ordinal);

    /// <summary>Loads what the device runs.</summary>
    /// <param name="hopper">Also the kernels for sm_90a.</param>
    /// <param name="halves">Of which kind.</param>
    public KernelLibrary(bool hopper, Halves halves)
    {
        try
        {
            foreach (var (name, text) in Sources(halves))
            {
                Check(name, Load(text));
                Register(_modules[^1], text);
            }

            HasHopper = hopper && LoadHopper(halves);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether it has the kernels for sm_90a.</summary>
    public bool HasHopper { get; }

    /// <summary>Why it has not, where it was to have them; else null.</summary>
    public string? HopperRefusal { get; private set; }

    /// <summary>The embedded PTX for every device: names and texts.</summary>
    public static IEnumerable<(string Name, string Text)> Sources(Halves halves) => Embedded(".sm_80.ptx", halves);

    /// <summary>The embedded PTX for Hopper.</summary>
    public static IEnumerable<(string Name, string Text)> HopperSources(Halves halves) => Embedded(".sm_90a.ptx", halves);

    static IEnumerable<(string Name, string Text)> Embedded(string ending, Halves halves)
    {
        var assembly = Assembly.GetExecutingAssembly();
        bool IsOfThese(string name) => name.EndsWith(ending, StringComparison.Ordinal) && name.Contains(BrainText, StringComparison.Ordinal) == (halves == Halves.BFloat16);
        foreach (var name in assembly.GetManifestResourceNames().Where(IsOfThese).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return (name, reader.ReadToEnd());
        }
    }

    /// <summary>A kernel, allowed the shared memory it will be launched with. Thread-safe.</summary>
    /// <param name="name">Its name in the sources, the same for both kinds of halves.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    public nint Find(string name, int sharedBytes)
    {
        var function = _functions[name];
        lock (_allowed)
        {
            // Only more, never less: another plan may be launched with what it asked for.
            if (sharedBytes > _allowed.GetValueOrDefault(function, SharedWithoutAsking))
            {
                DriverCall.Check(NativeDriver.cuFuncSetAttribute(function, MaxDynamicShared, sharedBytes));
                _allowed[function] = sharedBytes;
            }
        }

        return function;
    }

    /// <summary>Whether a kernel's launches may begin before what was launched before has ended: it waits for that itself.</summary>
    /// <param name="name">Its name in the sources.</param>
    public bool BeginsEarly(string name) => _early.Contains(name);

    /// <inheritdoc/>
    public void Dispose()
    {
        Unload(0);
        _functions.Clear();
    }

    /// <summary>All kernels for sm_90a, or none: those for sm_80 compute the same where the driver does not take the others.</summary>
    bool LoadHopper(Halves halves)
    {
        var first = _modules.Count;
        var sources = HopperSources(halves).ToArray();
        foreach (var (name, text) in sources)
        {
            var code = Load(text);
            if (!s_refusals.Contains(code))
            {
                Check(name, code);
                continue;
            }

            HopperRefusal = DriverCall.ErrorName(code);
            Unload(first);
            return false;
        }

        for (var i = 0; i < sources.Length; i++)
        {
            Register(_modules[first + i], sources[i].Text);
        }

        if (DriverDevices.Version >= OldestEarlyDriver)
        {
            _early.UnionWith(sources.SelectMany(s => Names(s.Text)).Select(NameInSources));
        }

        return true;
    }

    static void Check(string name, int code)
    {
        if (code != 0)
        {
            var advice = code == DriverCall.OutOfMemory
                ? "The device has no memory left for them: close other programs that use it (nvidia-smi names them), or use another device."
                : s_refusals.Contains(code) ? "Install a newer driver." : "Install the driver anew, with all of its libraries.";
            throw new DeviceException($"The NVIDIA driver refused the kernels of {name}: {DriverCall.ErrorName(code)}. {advice}");
        }
    }

    /// <summary>Gives back the modules from one on.</summary>
    void Unload(int first)
    {
        foreach (var module in _modules[first..])
        {
            _ = NativeDriver.cuModuleUnload(module);
        }

        _modules.RemoveRange(first, _modules.Count - first);
    }

    /// <summary>Loads a text, as the last module; returns the driver's code.</summary>
    int Load(string text)
    {
        nint module;
        fixed (byte* image = Encoding.UTF8.GetBytes(text + '\0'))
        {
            var code = NativeDriver.cuModuleLoadData(out module, image);
            if (code != 0)
            {
                return code;
            }
        }

        _modules.Add(module);
        return 0;
    }

    void Register(nint module, string text)
    {
        foreach (var kernel in Names(text))
        {
            DriverCall.Check(NativeDriver.cuModuleGetFunction(out var function, module, kernel));
            _functions.Add(NameInSources(kernel), function);
        }
    }

    static string NameInSources(string kernel) => kernel.EndsWith(BrainKernel, StringComparison.Ordinal) ? kernel[..^BrainKernel.Length] : kernel;

    /// <summary>The kernels of a text.</summary>
    static IEnumerable<string> Names(string text)
    {
        const string Entry = ".entry ";
        for (var at = text.IndexOf(Entry, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Entry, at + 1, StringComparison.Ordinal))
        {
            var start = at + Entry.Length;
            yield return text[start..text.IndexOf('(', start)];
        }
    }
}
