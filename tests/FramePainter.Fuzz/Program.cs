using System.CommandLine;
using System.Diagnostics;
using System.Security.Cryptography;
using FramePainter;
using FramePainter.Fuzz.Engine;
using FramePainter.Fuzz.Targets;

// tests/fuzz.sh instruments a copy of the assemblies first, then starts `run` there.
var assemblies = new Argument<FileInfo[]>("assemblies");
var instrument = new Command("instrument", "Instruments assemblies in place.") { assemblies };
instrument.SetAction(parsed => Array.ForEach(parsed.GetValue(assemblies)!, file => Instrumentation.Apply(file.FullName)));

var name = new Argument<string>("target");
name.AcceptOnlyFromAmong([.. FuzzTargets.All.Keys]);
var seconds = new Argument<int>("seconds") { DefaultValueFactory = _ => 60 };
var inputs = new Option<long>("--inputs") { Description = "Stop after so many inputs.", DefaultValueFactory = _ => long.MaxValue };
var seed = new Option<int>("--seed") { DefaultValueFactory = _ => 1 };
var corpus = new Option<DirectoryInfo>("--corpus") { Description = "Folder of corpora, one folder a target; inputs that reach something new are added.", Required = true };
var run = new Command("run", "Fuzzes one target.") { name, seconds, inputs, seed, corpus };
run.SetAction(parsed =>
{
    // Instrumented code counts from its first call on, a target's constructor included.
    var map = new CoverageMap();
    var target = FuzzTargets.All[parsed.GetValue(name)!]();
    using var owned = target as IDisposable;
    var folder = Directory.CreateDirectory(Path.Combine(parsed.GetValue(corpus)!.FullName, target.Name));
    using var watchdog = new Watchdog(Path.Combine(folder.FullName, "find-endless"));
    var fuzzer = new Fuzzer(target, map, watchdog, parsed.GetValue(seed));
    var start = Stopwatch.GetTimestamp();
    fuzzer.Run(folder.EnumerateFiles().OrderBy(f => f.Name, StringComparer.Ordinal).Select(f => File.ReadAllBytes(f.FullName)).ToList(), TimeSpan.FromSeconds(parsed.GetValue(seconds)), parsed.GetValue(inputs));
    string[] instrumented = [.. new[] { typeof(Painter), typeof(FramePainter.Imaging.ImageFile), typeof(FramePainter.Native.Exports), typeof(FramePainter.Studio.StudioServer) }.Select(t => t.Assembly.Location)];
    var (reached, all) = (Branches.Reached(target, fuzzer.Corpus), Branches.All(target, instrumented));
    Console.WriteLine($"{target.Name}: {fuzzer.Inputs:N0} inputs in {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s, {fuzzer.Edges} edges, {reached} of {all} branches, {fuzzer.Corpus.Count} inputs kept, {fuzzer.Finds.Count} finds");
    foreach (var input in fuzzer.Corpus)
    {
        File.WriteAllBytes(Path.Combine(folder.FullName, Convert.ToHexStringLower(SHA256.HashData(input))[..16]), input);
    }

    foreach (var (find, input, what) in fuzzer.Finds)
    {
        var path = Path.Combine(folder.FullName, $"find-{find}");
        File.WriteAllBytes(path, input);
        Console.WriteLine($"find {path}:\n{what}\n");
    }

    return fuzzer.Finds.Count == 0 ? 0 : 1;
});
return await new RootCommand("Fuzzes what reads bytes from strangers.") { instrument, run }.Parse(args).InvokeAsync();
