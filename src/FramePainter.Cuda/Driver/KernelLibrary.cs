using System.Reflection;
using System.Text;

namespace FramePainter.Cuda.Driver;

/// <summary>The package's kernels for one kind of halves: its PTX, loaded for one context.</summary>
internal sealed unsafe class KernelLibrary : IDisposable
{
    const int MaxDynamicShared = 8;
    const int SharedWithoutAsking = 48 << 10;

    /// <summary>In the names of texts of bfloat16.</summary>
    const string BrainText = ".bf16.";

    /// <summary>What names of kernels end with in these: a profiler shows it.</summary>
    const string BrainKernel = "_bf16";

    readonly List<nint> _modules = [];
    readonly Dictionary<string, nint> _functions = new(StringComparer.Ordinal);

    /// <summary>Loads what the device runs.</summary>
    /// <param name="hopper">Also the kernels for sm_90a.</param>
    /// <param name="halves">Of which kind.</param>
    public KernelLibrary(bool hopper, Halves halves)
    {
        try
        {
            foreach (var (name, text) in hopper ? Sources(halves).Concat(HopperSources(halves)) : Sources(halves))
            {
                Load(name, text);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

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

    /// <summary>A kernel, allowed the shared memory it will be launched with.</summary>
    /// <param name="name">Its name in the sources, the same for both kinds of halves.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a block.</param>
    public nint Find(string name, int sharedBytes)
    {
        var function = _functions[name];
        if (sharedBytes > SharedWithoutAsking)
        {
            DriverCall.Check(NativeDriver.cuFuncSetAttribute(function, MaxDynamicShared, sharedBytes));
        }

        return function;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var module in _modules)
        {
            _ = NativeDriver.cuModuleUnload(module);
        }

        _modules.Clear();
        _functions.Clear();
    }

    void Load(string name, string text)
    {
        nint module;
        fixed (byte* image = Encoding.UTF8.GetBytes(text + '\0'))
        {
            var code = NativeDriver.cuModuleLoadData(out module, image);
            if (code != 0)
            {
                throw new DeviceException($"The NVIDIA driver refused the kernels of {name}: {DriverCall.ErrorName(code)}. Install a newer driver.");
            }
        }

        _modules.Add(module);
        const string Entry = ".entry ";
        for (var at = text.IndexOf(Entry, StringComparison.Ordinal); at >= 0; at = text.IndexOf(Entry, at + 1, StringComparison.Ordinal))
        {
            var start = at + Entry.Length;
            var kernel = text[start..text.IndexOf('(', start)];
            DriverCall.Check(NativeDriver.cuModuleGetFunction(out var function, module, kernel));
            _functions.Add(kernel.EndsWith(BrainKernel, StringComparison.Ordinal) ? kernel[..^BrainKernel.Length] : kernel, function);
        }
    }
}
