namespace FramePainter.Core.Tests.Engine;

/// <summary>Where the repository's files are, found from where the tests run.</summary>
internal static class Repository
{
    /// <summary>The folder that holds the solution.</summary>
    public static string Root { get; } = Find();

    /// <summary>A small random model in the real layout; its grid is 64.</summary>
    public static string TinyModel => Path.Combine(Root, "tests", "goldens", "models", "tiny");

    static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "FramePainter.Core.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("These tests run from a build inside the repository.");
    }
}
