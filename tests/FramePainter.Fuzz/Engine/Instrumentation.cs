namespace FramePainter.Fuzz.Engine;

/// <summary>Instruments assemblies in place.</summary>
internal static class Instrumentation
{
    /// <summary>Instruments an assembly.</summary>
    public static void Apply(string path)
    {
        Environment.SetEnvironmentVariable("SHARPFUZZ_ENABLE_ON_BRANCH_CALLBACK", "1");
        var types = SharpFuzz.Fuzzer.Instrument(path, name => name.StartsWith("FramePainter.", StringComparison.Ordinal), SharpFuzz.Options.Value);
        Console.WriteLine($"{Path.GetFileName(path)}: {types.Count()} types instrumented");
    }
}
