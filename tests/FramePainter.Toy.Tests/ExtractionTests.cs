using System.Security.Cryptography;

namespace FramePainter.Toy.Tests;

public sealed class ExtractionTests : IDisposable
{
    readonly string _cache = Directory.CreateTempSubdirectory("framepainter-toy-").FullName;

    public void Dispose() => Directory.Delete(_cache, recursive: true);

    [Fact]
    public void Every_extracted_file_is_the_embedded_one()
    {
        var folder = ToyModel.Extract(_cache);
        Assert.Equal(Embedded(), OnDisk(folder));
    }

    [Fact]
    public void The_layout_is_that_of_a_real_checkpoint()
    {
        var folder = ToyModel.Extract(_cache);
        foreach (var path in new[]
        {
            "svd/unet/config.json", "svd/vae/config.json", "svd/vae/diffusion_pytorch_model.safetensors", "svd/image_encoder/config.json",
            "svd/image_encoder/model.safetensors", "svd/scheduler/scheduler_config.json", "svd/feature_extractor/preprocessor_config.json",
            "framepainter/unet_diffusion_pytorch_model.safetensors", "framepainter/encoder_diffusion_pytorch_model.safetensors",
        })
        {
            Assert.True(File.Exists(Path.Combine(folder, path)), path);
        }
    }

    [Fact]
    public void A_second_call_writes_nothing()
    {
        var folder = ToyModel.Extract(_cache);
        var old = new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc);
        foreach (var file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, old);

        Assert.Equal(folder, ToyModel.Extract(_cache));
        Assert.All(Directory.GetFiles(folder, "*", SearchOption.AllDirectories), file => Assert.Equal(old, File.GetLastWriteTimeUtc(file)));
    }

    [Fact]
    public void Concurrent_calls_agree_and_leave_nothing_behind()
    {
        const int Callers = 8;
        var folders = new string[Callers];
        using var start = new Barrier(Callers);
        var threads = Enumerable.Range(0, Callers).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            folders[i] = ToyModel.Extract(_cache);
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());

        var folder = Assert.Single(folders.Distinct(StringComparer.Ordinal));
        Assert.Equal(Embedded(), OnDisk(folder));
        Assert.Equal([folder], Directory.GetFileSystemEntries(_cache));
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("truncated")]
    [InlineData("flipped")]
    [InlineData("longer")]
    public void A_damaged_cache_is_repaired(string damage)
    {
        var folder = ToyModel.Extract(_cache);
        var victim = Path.Combine(folder, "svd", "vae", "diffusion_pytorch_model.safetensors");
        var bytes = File.ReadAllBytes(victim);
        switch (damage)
        {
            case "missing": File.Delete(victim); break;
            case "truncated": File.WriteAllBytes(victim, bytes[..^1]); break;
            case "longer": File.WriteAllBytes(victim, [.. bytes, 0]); break;
            default:
                bytes[^100] ^= 1;
                File.WriteAllBytes(victim, bytes);
                break;
        }

        Assert.Equal(folder, ToyModel.Extract(_cache));
        Assert.Equal(Embedded(), OnDisk(folder));
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_a_typed_error_that_names_it()
    {
        var file = Path.Combine(_cache, "a-file");
        File.WriteAllText(file, "in the way");

        var error = Assert.Throws<CheckpointException>(() => ToyModel.Extract(file));
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(file, error.File, StringComparison.Ordinal);
    }

    [Fact]
    public void A_home_that_cannot_be_written_is_a_typed_error_that_says_what_to_do()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the system itself says where such data go.");
        const string Variable = "XDG_DATA_HOME";
        var before = Environment.GetEnvironmentVariable(Variable);
        // Nobody can make a folder there, not even root.
        Environment.SetEnvironmentVariable(Variable, "/proc/nowhere/data");
        try
        {
            Assert.Contains("give a cache folder", Assert.Throws<CheckpointException>(() => ToyModel.Folder).Message, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, before);
        }
    }

    static SortedDictionary<string, string> Embedded()
    {
        var assembly = typeof(ToyModel).Assembly;
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(n => n.StartsWith("model/", StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            files.Add(name["model/".Length..], Convert.ToHexString(SHA256.HashData(stream)));
        }

        Assert.NotEmpty(files);
        return files;
    }

    static SortedDictionary<string, string> OnDisk(string folder) => new(
        Directory.GetFiles(folder, "*", SearchOption.AllDirectories).ToDictionary(
            file => Path.GetRelativePath(folder, file).Replace('\\', '/'),
            file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file))),
            StringComparer.Ordinal),
        StringComparer.Ordinal);
}
