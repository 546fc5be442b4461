using System.Reflection;
using System.Text;

namespace FramePainter.Cuda.Driver;

/// <summary>All kernels of the package: its PTX, loaded for one context.</summary>
internal sealed unsafe class KernelLibrary : IDisposable
{
    const int MaxDynamicShared = 8;
    const int SharedWithoutAsking = 48 << 10;

    readonly List<nint> _modules = [];
    readonly Dictionary<string, nint> _functions = new(StringComparer.Ordinal);

    /// <summary>Loads what the device runs.</summary>
    /// <param name="hopper">Also the kernels for sm_90a.</param>
    public KernelLibrary(bool hopper)
    {
        try
        {
            foreach (var (name, text) in hopper ? Sources().Concat(HopperSources()) : Sources())
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
    public static IEnumerable<(string Name, string Text)> Sources() => Embedded(".sm_80.ptx");

    /// <summary>The embedded PTX for Hopper.</summary>
    public static IEnumerable<(string Name, string Text)> HopperSources() => Embedded(".sm_90a.ptx");

    static IEnumerable<(string Name, string Text)> Embedded(string ending)
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.EndsWith(ending, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return (name, reader.ReadToEnd());
        }
    }

    /// <summary>A kernel, allowed the shared memory it will be launched with.</summary>
    /// <param name="name">Its name in the sources.</param>
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
            _functions.Add(kernel, function);
        }
    }
}
