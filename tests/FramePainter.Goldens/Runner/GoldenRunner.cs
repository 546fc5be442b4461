namespace FramePainter.Goldens;

/// <summary>Runs a folder of cases.</summary>
internal static class GoldenRunner
{
    /// <summary>Where the cases are: FRAMEPAINTER_GOLDENS, else tests/goldens of the repository around the program.</summary>
    public static string DefaultFolder()
    {
        if (Environment.GetEnvironmentVariable("FRAMEPAINTER_GOLDENS") is { Length: > 0 } folder)
        {
            return folder;
        }

        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "FramePainter.Core.sln")))
            {
                return Path.Combine(at.FullName, "tests", "goldens");
            }
        }

        throw new DirectoryNotFoundException("There is no repository around the program: set FRAMEPAINTER_GOLDENS to the folder of the cases.");
    }

    /// <summary>Runs all cases, one line each, and closes with <c>N passed, N failed</c>.</summary>
    /// <param name="folder">The folder of the cases.</param>
    /// <param name="output">Receives the lines.</param>
    /// <returns>The exit code: 0 when there were cases and none failed.</returns>
    public static int RunAll(string folder, TextWriter output)
    {
        var (passed, failed) = (0, 0);
        foreach (var golden in Directory.Exists(folder) ? GoldenCase.Discover(folder) : [])
        {
            var verdict = GoldenKinds.Run(golden);
            output.WriteLine($"{(verdict.Passed ? "pass" : "FAIL")}  {golden.Name}: {verdict.Text}");
            (passed, failed) = verdict.Passed ? (passed + 1, failed) : (passed, failed + 1);
        }

        if (passed + failed == 0)
        {
            output.WriteLine($"There are no cases in '{folder}'.");
        }

        output.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 && passed > 0 ? 0 : 1;
    }
}
