namespace FramePainter.Docs.Tests;

/// <summary>The clone that these tests look at, and what of it is made by them.</summary>
static class Repository
{
    /// <summary>Set to 1, whatever is generated is written anew; else it is compared.</summary>
    const string UpdateSwitch = "FRAMEPAINTER_UPDATE_DOCS";

    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Whether generated files are to be written.</summary>
    public static bool IsUpdating { get; } = Environment.GetEnvironmentVariable(UpdateSwitch) == "1";

    /// <summary>The full path of a file below the root.</summary>
    public static string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>Compares a generated text with its file, or writes it.</summary>
    public static void Check(string relative, string text)
    {
        var path = PathOf(relative);
        if (IsUpdating)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
            return;
        }

        Assert.True(File.Exists(path), $"{relative} is missing; docs/generate.sh makes it.");
        Assert.True(File.ReadAllText(path) == text, $"{relative} is not what it would be today; docs/generate.sh makes it anew.");
    }

    static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "FramePainter.Core.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("These tests run inside a clone of the repository.");
        }

        return folder;
    }
}
