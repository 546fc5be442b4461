using System.CommandLine;
using BenchmarkDotNet.Running;
using FramePainter;
using FramePainter.Benchmarks.Cases;
using FramePainter.Benchmarks.Compare;

// `compare quick|full` writes the table of interleaved medians; anything else goes to BenchmarkDotNet.
if (args is not ["compare", ..])
{
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
    return 0;
}

var set = new Argument<string>("set") { Description = "quick: the shapes that decide, few rounds; full: all of them.", DefaultValueFactory = _ => "quick" };
set.AcceptOnlyFromAmong("quick", "full");
var threads = new Option<int>("--threads") { Description = "Threads of each engine.", DefaultValueFactory = _ => Environment.ProcessorCount };
var filter = new Option<string>("--filter") { Description = "Only cases with this text in their name.", DefaultValueFactory = _ => "" };
var precision = new Option<Precision>("--precision") { Description = "BFloat16: ours in bfloat16 against ours in float32.", DefaultValueFactory = _ => Precision.Float32 };
var output = new Option<DirectoryInfo?>("--out") { Description = "Where the table goes; only shown when left out." };
var compare = new Command("compare", "Times our kernels and a peer in turns.") { set, threads, filter, precision, output };
compare.SetAction(parsed =>
{
    var (full, count, rounds) = (parsed.GetValue(set) == "full", parsed.GetValue(threads), parsed.GetValue(set) == "full" ? 15 : 7);
    Comparison comparison;
    try
    {
        comparison = new Comparison(count, rounds, parsed.GetValue(precision));
    }
    catch (OptionException e)
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }

    var (rows, table) = (new List<Row>(), "");
    var name = $"{parsed.GetValue(set)}-{count}-threads{(parsed.GetValue(precision) == Precision.BFloat16 ? "-bf16" : "")}";
    foreach (var benchmark in RealShapes.All.Where(c => (full || c.Quick) && c.Name.Contains(parsed.GetValue(filter)!, StringComparison.OrdinalIgnoreCase)))
    {
        rows.Add(comparison.Run(benchmark));
        Console.Error.WriteLine($"{rows[^1].Name}: {rows[^1].Ratio:F2}x, {100 * rows[^1].OfCeiling:F0} % of the ceiling");
        table = Report.Markdown(rows, count, rounds, Ceiling.Measure(count), parsed.GetValue(precision));
        if (parsed.GetValue(output) is { } folder)
        {
            // After every case: a run that is stopped leaves the rows it has.
            folder.Create();
            File.WriteAllText(Path.Combine(folder.FullName, name + ".md"), table);
            File.WriteAllText(Path.Combine(folder.FullName, name + ".csv"), Report.Csv(rows));
        }
    }

    if (rows.Count == 0)
    {
        Console.Error.WriteLine($"No case of the set has '{parsed.GetValue(filter)}' in its name.");
        return 1;
    }

    Console.WriteLine(table);
    return 0;
});
return await new RootCommand("Benchmarks of FramePainter for .NET") { compare }.Parse(args).InvokeAsync();
