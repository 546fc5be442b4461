using System.Text.Json;
using FramePainter.Core.Tests.Engine;

namespace FramePainter.Cuda.Tests;

/// <summary>The script for a machine with a GPU, on one without; programs of that machine are stood in for by small scripts.</summary>
[Trait("Needs", "emulator")]
public sealed class CheckOnGpuTests : IDisposable
{
    /// <summary>Stands in for the benchmarks: a table and its figures go where the fifth option says.</summary>
    const string Compares = """
        mkdir -p "$6"
        printf '# Ours (%s)\n\nMedians.\n' "${*:1:4} ${*:7}" > "$6/quick-2-threads.md"
        printf 'case,flops,ours_s\n"block, whole",4,5e-1\nlinear,2,1\n' > "$6/quick-2-threads.csv"
        """;

    readonly string _folder = Directory.CreateTempSubdirectory("check-on-gpu-").FullName;

    [Fact]
    public async Task Without_a_GPU_it_says_so_and_checks_nothing()
    {
        SkipOnGpu();
        var folder = Path.Combine(_folder, "report");
        var (code, output, errors) = await ProgramRun.Of("bash", [Path.Combine(Repository.Root, "kernels", "check-on-gpu.sh"), folder]);
        Assert.Equal("", output);
        Assert.Equal(3, code);
        Assert.StartsWith("No NVIDIA GPU", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task Where_all_parts_pass_the_report_has_their_figures()
    {
        Stand(tests: """case "$*" in *GpuReport.Kernels*) printf '{"rows": []\n}' > "$FRAMEPAINTER_REPORT/kernels.json";; esac; echo '  total: 7'""");
        var (code, output, report) = await Check(570);
        Assert.Equal(0, code);
        Assert.Contains("| goldens | passed (total 7) |", output, StringComparison.Ordinal);
        Assert.Contains("| product_of_norms | sm_80 | 40 | 0 | 1024 |", output, StringComparison.Ordinal);
        Assert.True(report.GetProperty("passed").GetBoolean());
        Assert.Equal(0, report.GetProperty("kernels").GetProperty("rows").GetArrayLength());
        Assert.Contains(report.GetProperty("ptxas").EnumerateArray(), k => k.GetProperty("kernel").GetString() == "product_of_norms");
        Assert.All(Results(report).Values, r => Assert.Matches("^(passed|skipped)", r));
    }

    [Fact]
    public async Task A_part_that_fails_leaves_the_others_and_the_summary()
    {
        Stand(tests: """case "$*" in *GoldenTests*) exit 2;; *GpuReport.Edits*) printf '{"rows": [' > "$FRAMEPAINTER_REPORT/edits.json"; exit 5;; esac""", spilled: 16);
        var (code, output, report) = await Check(570);
        Assert.Equal(1, code);
        var results = Results(report);
        Assert.Equal("FAILED: exit code 2", results["goldens"]);
        Assert.Equal("FAILED: exit code 5", results["edits"]);
        Assert.Equal("FAILED: exit code 1", results["ptxas"]);
        Assert.Equal("passed", results["border"]);
        Assert.Equal("passed", results["kernels"]);
        Assert.Contains("| product_of_norms | sm_80 | 40 | 16 | 1024 |", output, StringComparison.Ordinal);
        Assert.False(report.TryGetProperty("edits", out _), "half a file is left out");
    }

    [Fact]
    public async Task A_part_that_hangs_is_stopped_and_the_summary_is_there()
    {
        Stand(tests: """case "$*" in *BorderConformance*) trap '' TERM; sleep 300; sleep 300;; esac""", compare: Compares + "\nsleep 300");
        var (code, output, report) = await Check(34);
        Assert.Equal(1, code);
        var results = Results(report);
        Assert.StartsWith("FAILED", results["border"], StringComparison.Ordinal);
        Assert.Equal("FAILED: no time was left for it", results["edits"]);
        Assert.Contains("tables", results.Keys);
        Assert.StartsWith("FAILED: stopped after", results["processor"], StringComparison.Ordinal);
        Assert.Equal(2, report.GetProperty("processor").GetProperty("rows").GetArrayLength());
        Assert.Contains("# Check of the CUDA backend on a GPU", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_processors_kernels_are_timed_on_cores_of_their_own()
    {
        Stand(tests: "sleep 0.1", compare: Compares, flags: "avx512f avx512_bf16");
        var (code, output, report) = await Check(570);
        Assert.Equal(0, code);
        Assert.Equal("passed", Results(report)["processor"]);
        Assert.Equal("passed", Results(report)["processor_bf16"]);
        Assert.Contains("## Ours (compare quick --threads 2 )\n\nSome Processor; processors ", output, StringComparison.Ordinal);
        Assert.Contains("## Ours (compare quick --threads 2 --precision BFloat16)\n\nSome Processor; processors ", output, StringComparison.Ordinal);
        var row = report.GetProperty("processor").GetProperty("rows")[0];
        Assert.Equal("block, whole", row.GetProperty("case").GetString());
        Assert.Equal((4, 0.5), (row.GetProperty("flops").GetDouble(), row.GetProperty("ours_s").GetDouble()));
        Assert.Equal(2, report.GetProperty("processor_bf16").GetProperty("rows").GetArrayLength());

        var log = File.ReadLines(Path.Combine(_folder, "taskset.log")).Select(line => line.Split(' ')).ToLookup(words => words[0], words => words[1].Split(','));
        Assert.Equal([2, 2], log["own"].Select(own => own.Length));
        var taken = log["own"].SelectMany(own => own).ToArray();
        Assert.Equal(4, taken.Distinct().Count());
        Assert.Equal(2, log["all-else"].Count());
        Assert.Empty(log["all-else"].First().Intersect(taken));
        Assert.Equal(32, log["all-else"].Last().Length);
    }

    [Fact]
    public async Task A_comparison_that_fails_is_reported_and_fails_nothing_else()
    {
        Stand(tests: "", compare: "exit 7");
        var (code, _, report) = await Check(570);
        Assert.Equal(0, code);
        Assert.True(report.GetProperty("passed").GetBoolean());
        Assert.Equal("FAILED: exit code 7", Results(report)["processor"]);
        Assert.Equal("skipped: the processor has no AVX512-BF16", Results(report)["processor_bf16"]);
        Assert.False(report.TryGetProperty("processor", out _));
    }

    [Fact]
    public async Task Without_an_SDK_or_packed_tests_it_says_what_to_bring()
    {
        Stand(tests: "");
        File.Delete(Path.Combine(_folder, "artifacts", "check-on-gpu", "FramePainter.Cuda.Tests"));
        var (code, _, report) = await Check(570);
        Assert.Equal(1, code);
        Assert.Contains("check-on-gpu.sh pack", Results(report)["tests"], StringComparison.Ordinal);
    }

    /// <summary>On a machine with a GPU there is no emulator.</summary>
    [Fact]
    public async Task With_the_driver_no_test_calls_the_emulator()
    {
        SkipOnGpu();
        // Cases of the suite are too many; PTX is read from files, and by programs.
        string[] arguments = ["--ansi", "off", "--filter-not-trait", "Needs=emulator", "--filter-not-method", "*Conformance.Computes*", "--filter-not-class", "*PtxTests", "*PtxasTests", "*.HopperTests"];
        var (code, output, _) = await ProgramRun.Of(
            Path.Combine(AppContext.BaseDirectory, "FramePainter.Cuda.Tests"), arguments, ("FRAMEPAINTER_CUDA", "driver"), ("FRAMEPAINTER_FULL", "1"));
        Assert.Equal(2, code);
        Assert.DoesNotContain("calls the emulator", output, StringComparison.Ordinal);
        var failed = output.Split('\n').Where(line => line.StartsWith("failed FramePainter.", StringComparison.Ordinal)).ToArray();
        Assert.All((string[])["Border", "Inner", "LargeTile", "Naive", "BFloat16Conformance", "BFloat16LargeTileConformance", "BFloat16Tests", "GoldenTests", "StreamingTests", "PictureTests", "PrecisionTests", "HopperProductTests", "HopperFinishTests", "HopperAttentionTests", "GpuReport"],
            kind => Assert.Contains(failed, name => name.Contains(kind, StringComparison.Ordinal)));
        Assert.Equal(failed.Length, output.Split("The NVIDIA driver is not installed: ").Length - 1);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static void SkipOnGpu() => Assert.SkipUnless(OperatingSystem.IsLinux() && !File.Exists("/dev/nvidia0"), "Needs Linux without an NVIDIA GPU.");

    static Dictionary<string, string> Results(JsonElement report) =>
        report.GetProperty("parts").EnumerateArray().ToDictionary(p => p.GetProperty("part").GetString()!, p => p.GetProperty("result").GetString()!);

    /// <summary>A repository with the script alone, on a machine with a GPU, 32 processors, ptxas and packed tests, without SDK and PyTorch; with packed benchmarks where given.</summary>
    void Stand(string tests, int spilled = 0, string? compare = null, string flags = "avx512f")
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux.");
        foreach (var name in (string[])["check-on-gpu.sh", "ptxas.sh", "bundle.sh", "processor.sh"])
        {
            Write(Path.Combine("kernels", name), File.ReadAllText(Path.Combine(Repository.Root, "kernels", name)));
        }

        Write("kernels/ptx/norms.sm_80.ptx", "");
        Program("bin/nvidia-smi", "echo 'Some GPU, 570.1, 81559 MiB, 9.0'");
        Program("bin/dotnet", "exit 0");
        Program("bin/python3", """[ "$1" != -c ]""");
        Program("bin/ptxas", $"""
            echo "ptxas info    : Compiling entry function 'product_of_norms' for 'sm_80'"
            echo "    0 bytes stack frame, {spilled} bytes spill stores, 0 bytes spill loads"
            echo "ptxas info    : Used 40 registers, used 1 barriers, 1024 bytes smem, 432 bytes cmem[0]"
            """);
        Program("artifacts/check-on-gpu/FramePainter.Cuda.Tests", tests);
        Write("cpuinfo", $"model name\t: Some Processor\nflags\t\t: {flags}\n");
        Program("bin/taskset", $"""
            if [ "$1" = -c ]; then echo "own $2" >> '{_folder}/taskset.log'; shift 2; exec "$@"; fi
            if [ $# = 3 ]; then echo "all-else $2" >> '{_folder}/taskset.log'; else echo "pid $2's current affinity list: 0,1-31"; fi
            """);
        if (compare is not null)
        {
            Program("artifacts/compare/FramePainter.Benchmarks", compare);
        }

        void Program(string path, string body) => Write(path, "#!/bin/bash\n" + body.ReplaceLineEndings("\n") + "\n");

        void Write(string path, string content)
        {
            path = Path.Combine(_folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, content);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
    }

    async Task<(int Code, string Output, JsonElement Report)> Check(int seconds)
    {
        var path = Path.Combine(_folder, "bin") + ":" + Environment.GetEnvironmentVariable("PATH");
        var folder = Path.Combine(_folder, "report");
        var (code, output, _) = await ProgramRun.Of(
            "bash", [Path.Combine(_folder, "kernels", "check-on-gpu.sh"), folder], ("PATH", path), ("CHECK_SECONDS", $"{seconds}"), ("CHECK_CPUINFO", Path.Combine(_folder, "cpuinfo")));
        Assert.Contains(File.ReadAllText(Path.Combine(folder, "report.md")), output, StringComparison.Ordinal);
        return (code, output, JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "report.json"))).RootElement);
    }
}
