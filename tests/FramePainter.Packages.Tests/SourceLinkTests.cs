using System.IO.Compression;
using System.Text;
using System.Xml.Linq;

namespace FramePainter.Packages.Tests;

/// <summary>
/// What packages say of their sources, once the repository has a remote: a project of one class is packed by the settings that all packages share,
/// in a clone made for it.
/// </summary>
public sealed class SourceLinkTests : IDisposable
{
    const string Remote = "https://github.com/example/framepainter";

    readonly string _clone = Directory.CreateTempSubdirectory("framepainter-clone-").FullName;

    public void Dispose() => Directory.Delete(_clone, recursive: true);

    [Fact]
    public void Packages_of_a_clone_with_a_remote_lead_to_their_sources_and_are_validated()
    {
        foreach (var file in new[] { "Directory.Build.props", "Directory.Packages.props", "global.json", "nuget.config", "README.md", ".editorconfig", ".gitattributes", "src/Directory.Build.props", "docs/images/icon.png" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_clone, file))!);
            File.Copy(Path.Combine(Feed.Root, file), Path.Combine(_clone, file));
        }

        var project = Directory.CreateDirectory(Path.Combine(_clone, "src", "Linked")).FullName;
        File.WriteAllText(Path.Combine(project, "Linked.csproj"), """<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><IsPackable>true</IsPackable><Description>Linked.</Description></PropertyGroup></Project>""");
        File.WriteAllText(Path.Combine(project, "Thing.cs"), "namespace Linked;\n\n/// <summary>A thing.</summary>\npublic static class Thing\n{\n    /// <summary>Its number.</summary>\n    public static int Number() => 1;\n}\n");
        Feed.Run(_clone, "git", "init", "-q");
        Feed.Run(_clone, "git", "add", ".");
        Feed.Run(_clone, "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "One class");
        // Nothing to lead to yet: nothing is linked, and nothing is warned of.
        Assert.Equal("false", Feed.Run(project, "dotnet", "msbuild", "-getProperty:EnableSourceLink").Trim());
        Feed.Run(_clone, "git", "remote", "add", "origin", _clone);
        Assert.Equal("false", Feed.Run(project, "dotnet", "msbuild", "-getProperty:EnableSourceLink").Trim());
        Feed.Run(_clone, "git", "remote", "set-url", "origin", Remote + ".git");
        var commit = Feed.Run(_clone, "git", "rev-parse", "HEAD").Trim();
        Feed.Run(project, "dotnet", "pack", "-c", "Release", "-o", _clone, "-v", "quiet");

        using var package = ZipFile.OpenRead(Path.Combine(_clone, "Linked.0.1.0.nupkg"));
        using var specification = package.GetEntry("Linked.nuspec")!.Open();
        var repository = XDocument.Load(specification).Descendants().Single(e => e.Name.LocalName == "repository");
        Assert.Equal(("git", commit), (repository.Attribute("type")!.Value, repository.Attribute("commit")!.Value));
        Assert.StartsWith(Remote, repository.Attribute("url")!.Value, StringComparison.Ordinal);

        using var symbols = ZipFile.OpenRead(Path.Combine(_clone, "Linked.0.1.0.snupkg"));
        using var stream = symbols.Entries.Single(e => e.Name == "Linked.pdb").Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        Assert.Contains($"https://raw.githubusercontent.com/example/framepainter/{commit}/*", Encoding.UTF8.GetString(bytes.ToArray()), StringComparison.Ordinal);

        Assert.Equal("true", Feed.Run(project, "dotnet", "msbuild", "-getProperty:EnablePackageValidation").Trim());
    }
}
