using FramePainter.Backends.Cpu;
using FramePainter.Goldens;

var root = args.Length > 0 ? args[0] : GoldenCase.DefaultRoot();
if (!Directory.Exists(root))
{
    Console.Error.WriteLine($"error: there is no folder '{root}'");
    Console.WriteLine("0 passed, 1 failed");
    return 1;
}

using var backend = new CpuBackend(Environment.ProcessorCount);
var runner = new GoldenRunner(backend);
var (passed, failed) = (0, 0);
foreach (var name in GoldenCase.Names(root))
{
    var verdict = runner.Run(root, name);
    Console.WriteLine(verdict);
    _ = verdict.Passed ? passed++ : failed++;
}

Console.WriteLine($"{passed} passed, {failed} failed");
return failed == 0 && passed > 0 ? 0 : 1;
