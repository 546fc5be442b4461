using System.Security.Cryptography;
using FramePainter.Core.Tests.Weights;
using FramePainter.EndToEnd;
using FramePainter.Toy;
using FramePainter.Weights;

namespace FramePainter.Faults.Tests;

/// <summary>Which weights made a result: hashes in the background, remembered, and compared with a list.</summary>
public sealed class HashTests : IDisposable
{
    readonly TestFolder _folder = new();

    public HashTests() => _folder.CopyFrom(ToyModel.Folder);

    public void Dispose()
    {
        DiskReads.Inject(null);
        _folder.Dispose();
    }

    [Fact]
    public void Results_name_the_weights_that_made_them()
    {
        using var painter = Painter.Load(new PainterOptions { Model = _folder.Root, Device = Device.Cpu, Threads = 2, HashModel = true });
        var hashes = painter.Edit(Ground.Picture(), Ground.Sketch(), Ground.OneStep).Metadata.ModelHashes;
        Assert.Equal(
            Weights().Select(f => $"{f.Part}/{Path.GetFileName(f.Path)} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(f.Path)))}").Order(StringComparer.Ordinal),
            hashes.Select(h => $"{h.Key} {h.Value}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_hash_is_computed_once_for_a_file_as_it_is_and_anew_when_it_changes()
    {
        var (cache, file) = (new HashCache(_folder["cache/hashes.txt"]), Weights()[0].Path);
        var first = Of(out var read);
        Assert.Equal(new FileInfo(file).Length, read);
        Assert.Equal(first, Of(out read));
        Assert.Equal(0, read);
        Assert.Equal(first, new HashCache(_folder["cache/hashes.txt"]).Of(file, CancellationToken.None));

        var bytes = File.ReadAllBytes(file);
        bytes[^1] ^= 1;
        File.WriteAllBytes(file, bytes);
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddSeconds(3));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), Of(out read));
        Assert.Equal(bytes.Length, read);

        // What does not look like the cache is not trusted, and is written anew.
        foreach (var broken in new[] { "", "nonsense\n", new string('0', 64) + " 1 2 elsewhere\n", new string('z', 64) + $" {bytes.Length} 5 {file}\n" })
        {
            File.WriteAllText(_folder["cache/hashes.txt"], broken);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), Of(out read));
            Assert.Equal(bytes.Length, read);
        }

        Assert.Single(Directory.EnumerateFiles(_folder["cache"]));
        var nowhere = new HashCache(Path.Combine(file, "hashes.txt"));
        Assert.Equal(first.Length, nowhere.Of(file, CancellationToken.None).Length);

        string Of(out long read)
        {
            var sum = 0L;
            DiskReads.Inject((path, wanted) =>
            {
                sum += wanted > 0 ? Math.Min(wanted, Math.Max(0, new FileInfo(path).Length - sum)) : 0;
                return wanted;
            });
            var hash = cache.Of(file, CancellationToken.None);
            DiskReads.Inject(null);
            read = sum;
            return hash;
        }
    }

    [Fact]
    public void A_file_that_can_no_longer_be_read_fails_the_edit_by_name_and_a_painter_ends_while_it_hashes()
    {
        using (var identity = new ModelIdentity([new CheckpointFile("unet", _folder["gone.safetensors"], 5)], cache: null))
        {
            Assert.Contains("gone.safetensors", Assert.Throws<CheckpointException>(() => identity.Wait(CancellationToken.None)).Message, StringComparison.Ordinal);
        }

        using (var stream = File.Create(_folder["large"]))
            stream.SetLength(20L << 30);

        var clock = System.Diagnostics.Stopwatch.StartNew();
        new ModelIdentity([new CheckpointFile("unet", _folder["large"], 20L << 30)], cache: null).Dispose();
        using var cancelled = new CancellationTokenSource(50);
        using var waiting = new ModelIdentity([new CheckpointFile("unet", _folder["large"], 20L << 30)], cache: null);
        Assert.Throws<OperationCanceledException>(() => waiting.Wait(cancelled.Token));
    }

    [Fact]
    public void The_command_compares_a_folder_with_a_list()
    {
        var list = _folder.Write("sums", "# published\n\n" + string.Join('\n', Weights().Select((f, i) => $"{Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f.Path)))} {(i % 2 == 0 ? ' ' : '*')}{(i % 2 == 0 ? "./" : "")}{Path.GetRelativePath(_folder.Root, f.Path)}")) + "\r\n");
        var outcome = CommandLine.Run("verify", _folder.Root, "--hashes", list);
        outcome.AssertExit(0);
        Assert.Contains("4 files are those of the list.", outcome.Output, StringComparison.Ordinal);

        var vae = _folder["svd/vae/diffusion_pytorch_model.safetensors"];
        var bytes = File.ReadAllBytes(vae);
        bytes[^1] ^= 1;
        File.WriteAllBytes(vae, bytes);
        File.Move(_folder["framepainter/encoder_diffusion_pytorch_model.safetensors"], _folder["framepainter/renamed.safetensors"]);
        outcome = CommandLine.Run("verify", _folder.Root, "--hashes", list);
        outcome.AssertExit(1);
        foreach (var line in new[]
        {
            "svd/vae/diffusion_pytorch_model.safetensors\tdifferent", "framepainter/encoder_diffusion_pytorch_model.safetensors\tmissing",
            "framepainter/renamed.safetensors\tnot listed", "framepainter/unet_diffusion_pytorch_model.safetensors\tsame",
        })
        {
            Assert.Contains(line, outcome.Output, StringComparison.Ordinal);
        }

        Assert.Contains("3 of 5 files", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0123  a", "Line 1", "sha256sum")]
    [InlineData("# fine\nZZZZ456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  a", "Line 2", "sha256sum")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  ../a", "../a", "not within the folder")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  a/..\\..\\b", "a/../../b", "not within the folder")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  /etc/hosts", "/etc/hosts", "not within the folder")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  a\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef  ./a", "Line 2", "a second time")]
    public void A_list_that_is_none_is_refused(string text, string where, string why)
    {
        var error = Assert.Throws<CheckpointException>(() => WeightHashes.Verify(_folder.Root, _folder.Write("sums", text)));
        Assert.Contains(where, error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_lists_and_folders_are_named()
    {
        Assert.Contains("nowhere", Assert.Throws<CheckpointException>(() => WeightHashes.Verify(_folder["nowhere"], _folder["sums"])).Message, StringComparison.Ordinal);
        Assert.Contains("sums", Assert.Throws<CheckpointException>(() => WeightHashes.Verify(_folder.Root, _folder["sums"])).Message, StringComparison.Ordinal);
    }

    IReadOnlyList<CheckpointFile> Weights()
    {
        using var checkpoint = Checkpoint.Open(_folder.Root);
        return checkpoint.Files;
    }
}
