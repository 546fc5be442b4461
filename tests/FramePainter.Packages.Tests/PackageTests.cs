using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Xml.Linq;
using FramePainter.Imaging;
using FramePainter.Toy;

namespace FramePainter.Packages.Tests;

/// <summary>The packages as a stranger gets them.</summary>
public sealed class PackageTests(Feed feed, ITestOutputHelper output) : IClassFixture<Feed>
{
    const long Megabyte = 1_000_000;

    /// <summary>Every package with the most that it may weigh, in MB; the tool carries codecs for every system.</summary>
    public static TheoryData<string, double> Packages => new()
    {
        { "FramePainter.Core", 2 },
        { "FramePainter.Imaging", 0.2 },
        { "FramePainter.Toy", 12 },
        { "FramePainter.Evaluation", 0.3 },
        { "FramePainter.Extensions.AI", 0.2 },
        { "FramePainter.Studio", 0.5 },
        { "FramePainter.Ilgpu", 0.5 },
        { "FramePainter.Cuda", 4 },
        { "FramePainter.Cli", 70 },
    };

    [Fact]
    public void There_are_these_packages_and_no_others() => Assert.Equal(
        Packages.Select(p => p.Data.Item1).Order(StringComparer.Ordinal),
        Directory.EnumerateFiles(feed.Path, "*.nupkg").Select(f => Path.GetFileName(f).Replace($".{Feed.Version}.nupkg", "", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Packages))]
    public void A_package_is_complete(string id, double most)
    {
        var file = feed.FileOf(id);
        var size = new FileInfo(file).Length;
        output.WriteLine($"{id}: {size / (double)Megabyte:F2} MB");
        Assert.InRange(size, 1000, most * Megabyte);

        using var package = ZipFile.OpenRead(file);
        var names = package.Entries.Select(e => e.FullName).ToHashSet(StringComparer.Ordinal);
        Assert.Contains("README.md", names);
        Assert.Contains("icon.png", names);
        using var stream = package.GetEntry($"{id}.nuspec")!.Open();
        var metadata = XDocument.Load(stream).Root!.Elements().Single(e => e.Name.LocalName == "metadata").Elements().ToLookup(e => e.Name.LocalName, e => e.Value);
        Assert.Equal(("MIT", "README.md", "icon.png"), (metadata["license"].Single(), metadata["readme"].Single(), metadata["icon"].Single()));
        Assert.True(metadata["description"].Single().Length > 40);
        Assert.NotEmpty(metadata["tags"].Single());
        using var symbols = ZipFile.OpenRead(feed.FileOf(id, "snupkg"));
        Assert.Contains(symbols.Entries, e => e.Name.EndsWith(".pdb", StringComparison.Ordinal));
        if (id != "FramePainter.Cli")
        {
            Assert.Contains($"lib/net10.0/{id}.dll", names);
            Assert.Contains($"lib/net10.0/{id}.xml", names);
        }
    }

    [Fact]
    public void The_README_lists_their_sizes()
    {
        var listed = File.ReadLines(Path.Combine(Feed.Root, "README.md"))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .Where(cells => cells.Length == 2 && cells[0].StartsWith("FramePainter.", StringComparison.Ordinal))
            .ToDictionary(cells => cells[0].Split(' ')[0], cells => double.Parse(cells[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
        foreach (var (id, _) in Packages.Select(p => p.Data))
        {
            var size = new FileInfo(feed.FileOf(id)).Length / (double)Megabyte;
            Assert.InRange(listed[id], (size * 0.85) - 0.01, (size * 1.15) + 0.01);
        }
    }

    [Fact]
    public void A_fresh_program_edits_a_picture_with_the_packages()
    {
        var folder = Directory.CreateDirectory(Path.Combine(feed.Work, "fresh")).FullName;
        File.WriteAllText(Path.Combine(folder, "fresh.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <NuGetAudit>false</NuGetAudit>
                <RestoreAdditionalProjectSources>{feed.Path}</RestoreAdditionalProjectSources>
                <RestorePackagesPath>{Path.Combine(feed.Work, "restored")}</RestorePackagesPath>
                <RestoreFallbackFolders>{Cache()}</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="FramePainter.Core" Version="{Feed.Version}" />
                <PackageReference Include="FramePainter.Imaging" Version="{Feed.Version}" />
                <PackageReference Include="FramePainter.Toy" Version="{Feed.Version}" />
              </ItemGroup>
            </Project>
            """);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), """
            using FramePainter;
            using FramePainter.Imaging;
            using FramePainter.Toy;

            var sample = ToyModel.Samples[0];
            using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder });
            var result = painter.Edit(ImageFile.Load(sample.Source.Span), Signal.Sketch(ImageFile.Load(sample.Sketch.Span)), new EditOptions { Steps = 3 });
            ImageFile.Save(result.Edited, "edited.png");
            Console.WriteLine(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(result.Edited.ToRgb().Pixels)));
            """);
        var lines = Feed.Run(folder, "dotnet", "run", "-c", "Release").Split('\n', StringSplitOptions.RemoveEmptyEntries);

        var sample = ToyModel.Samples[0];
        using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Device = Device.Cpu });
        var expected = painter.Edit(
            ImageFile.Load(sample.Source.Span), Signal.Sketch(ImageFile.Load(sample.Sketch.Span)), new EditOptions { Steps = 3 }, TestContext.Current.CancellationToken);
        Assert.Equal(Convert.ToHexString(SHA256.HashData(expected.Edited.ToRgb().Pixels)), lines[^1].Trim());
        Assert.Equal(expected.Edited.ToRgb().Pixels.ToArray(), ImageFile.Load(Path.Combine(folder, "edited.png")).ToRgb().Pixels.ToArray());
    }

    [Fact]
    public void The_tool_installs_from_the_feed_and_edits()
    {
        var folder = Directory.CreateDirectory(Path.Combine(feed.Work, "tool")).FullName;
        Feed.Run(folder, "dotnet", "tool", "install", "FramePainter.Cli", "--tool-path", folder, "--add-source", feed.Path, "--version", Feed.Version);
        var tool = Path.Combine(folder, OperatingSystem.IsWindows() ? "framepainter.exe" : "framepainter");
        Feed.Run(folder, tool, "edit", "--sample", "007", "--steps", "2", "--out", "edited.png");
        Assert.Equal(64, ImageFile.Load(Path.Combine(folder, "edited.png")).Width);
    }

    /// <summary>Where packages of other makers lie already.</summary>
    static string Cache() => Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}
