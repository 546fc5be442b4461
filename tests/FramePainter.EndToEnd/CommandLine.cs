using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FramePainter.EndToEnd;

/// <summary>Runs the built command as a process.</summary>
static class CommandLine
{
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    /// <summary>The repository's root, found from where the tests lie.</summary>
    public static string Repository { get; } = FindRepository();

    public static Outcome Run(params string[] arguments)
    {
        using var process = Start(arguments);
        return Finish(process);
    }

    public static Process Start(params string[] arguments) => Start([], arguments);

    /// <summary>As <see cref="Start(string[])"/>, with Ctrl+C answered even where these tests themselves were started in the background, with it ignored.</summary>
    public static Process StartInForeground(params string[] arguments) => StartInForeground([], arguments);

    /// <summary>The same, with variables of its own in its environment.</summary>
    /// <param name="variables">As NAME=VALUE.</param>
    /// <param name="arguments">The arguments.</param>
    public static Process StartInForeground(string[] variables, params string[] arguments) =>
        OperatingSystem.IsLinux() ? Start(["env", "--default-signal=INT", .. variables], arguments) : Start([], arguments);

    /// <summary>Sends a process what Ctrl+C sends it.</summary>
    /// <returns>0 where it was sent.</returns>
    public static int Interrupt(int process) => Kill(process, 2);

    /// <summary>Runs the command with variables of its own in its environment.</summary>
    /// <param name="variables">As NAME=VALUE.</param>
    /// <param name="arguments">The arguments.</param>
    public static Outcome RunWith(string[] variables, params string[] arguments)
    {
        using var process = Start(["env", .. variables], arguments);
        return Finish(process);
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Kill(int process, int signal);

    static Process Start(string[] through, string[] arguments)
    {
        string[] words = [.. through, Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet"];
        var start = new ProcessStartInfo(words[0])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var word in words[1..])
            start.ArgumentList.Add(word);

        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "framepainter.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        return Process.Start(start)!;
    }

    public static Outcome Finish(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The command did not end within {s_limit}.");
        }

        return new(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "FramePainter.Core.sln")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests lie outside of the repository.");

        return folder.FullName;
    }
}

/// <summary>How a command ended.</summary>
sealed record Outcome(int ExitCode, string Output, string Error)
{
    public void AssertExit(int expected)
    {
        Assert.True(ExitCode == expected, $"exit code {ExitCode} instead of {expected}\n{Output}\n{Error}");
        Assert.DoesNotContain("\x1b", Output + Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", Error, StringComparison.Ordinal);
    }
}
