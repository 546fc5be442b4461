using System.Diagnostics;

namespace FramePainter.Packages.Tests;

/// <summary>All packages, made once, in a folder that serves as a feed.</summary>
public sealed class Feed : IDisposable
{
    /// <summary>A version that no feed has.</summary>
    public const string Version = "0.0.1-packed";

    public Feed()
    {
        Run(Root, "dotnet", "pack", "FramePainter.Core.sln", "-c", "Release", "--no-build", "-o", Path, $"-p:Version={Version}", "-v", "quiet");
    }

    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A folder for what the tests make.</summary>
    public string Work { get; } = Directory.CreateTempSubdirectory("framepainter-packages-").FullName;

    /// <summary>The folder with the packages.</summary>
    public string Path => System.IO.Path.Combine(Work, "feed");

    /// <summary>The file of a package.</summary>
    public string FileOf(string id, string extension = "nupkg") => System.IO.Path.Combine(Path, $"{id}.{Version}.{extension}");

    public void Dispose() => Directory.Delete(Work, recursive: true);

    /// <summary>Runs a command and gives what it wrote.</summary>
    public static string Run(string folder, string command, params string[] arguments)
    {
        var start = new ProcessStartInfo(command, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = folder };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command} {string.Join(' ', arguments)} ended with {process.ExitCode}: {output}{error.Result}");
        return output;
    }

    static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "FramePainter.Core.sln")))
        {
            folder = System.IO.Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("These tests run inside a clone of the repository.");
        }

        return folder;
    }
}
