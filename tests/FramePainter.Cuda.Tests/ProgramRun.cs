using System.Diagnostics;

namespace FramePainter.Cuda.Tests;

/// <summary>Runs a program to its end.</summary>
internal static class ProgramRun
{
    /// <summary>Its exit code and what it wrote.</summary>
    /// <param name="program">A name on the PATH, or a path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="environment">Variables besides this process's own.</param>
    public static async Task<(int Code, string Output, string Errors)> Of(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await errors);
    }
}
