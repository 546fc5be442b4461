using FramePainter.Core.Tests.Weights;
using FramePainter.Tensors;
using FramePainter.Toy;
using FramePainter.Weights;

namespace FramePainter.Faults.Tests;

/// <summary>Every access to a checkpoint's files fails in turn.</summary>
public sealed class ReadFaultTests : IDisposable
{
    readonly TestFolder _folder = new();

    /// <summary>Ways in which an access fails; a short read ends before it gives anything, as where the file does.</summary>
    public enum Way
    {
        Error,
        Denied,
        Ended,
    }

    public void Dispose()
    {
        DiskReads.Inject(null);
        _folder.Dispose();
    }

    [Theory]
    [InlineData(Way.Error)]
    [InlineData(Way.Denied)]
    [InlineData(Way.Ended)]
    public void Every_access_while_a_checkpoint_is_opened(Way way)
    {
        var model = ToyModel.Folder;
        var accesses = Count(() => Checkpoint.Open(model).Dispose());
        Assert.True(accesses > 20, $"{accesses} accesses");
        var held = Ground.Held();
        var refused = 0;
        for (var n = 0; n < accesses; n++)
        {
            var (at, hit) = (n, false);
            DiskReads.Inject((path, wanted) => at-- == 0 ? Fail(way, path, wanted, ref hit) : wanted);
            try
            {
                Checkpoint.Open(model).Dispose();
            }
            catch (CheckpointException error)
            {
                refused++;
                Assert.True(error.File is not null && error.Message.Contains(error.File, StringComparison.Ordinal), $"access {n}: {error.Message}");
            }

            DiskReads.Inject(null);
            Ground.AssertHeld(held);
        }

        // Opening and asking for a length cannot end early; all else must be refused.
        Assert.True(way == Way.Ended ? refused > 0 : refused == accesses, $"{refused} of {accesses} refused");
        Checkpoint.Open(model).Dispose();
        TestContext.Current.SendDiagnosticMessage($"{way}: {refused} of {accesses} accesses refused");
    }

    [Theory]
    [InlineData(Way.Error)]
    [InlineData(Way.Denied)]
    [InlineData(Way.Ended)]
    public void Every_read_of_every_tensor_and_the_checkpoint_works_on(Way way)
    {
        using var checkpoint = Checkpoint.Open(ToyModel.Folder);
        var held = Ground.Held();
        var faults = 0;
        foreach (var name in checkpoint.TensorNames)
        {
            for (var n = 0; ; n++)
            {
                var (at, hit) = (n, false);
                DiskReads.Inject((path, wanted) => at-- == 0 ? Fail(way, path, wanted, ref hit) : wanted);
                CheckpointException? error = null;
                try
                {
                    checkpoint.Open(name).Dispose();
                }
                catch (CheckpointException e)
                {
                    error = e;
                }

                DiskReads.Inject(null);
                Assert.Equal(hit, error is not null);
                if (error is null && at >= 0)
                    break;

                faults += hit ? 1 : 0;
                Assert.True(error is null || (error.File is not null && name.EndsWith(error.Tensor!, StringComparison.Ordinal)), error?.Message);
                checkpoint.Open(name).Dispose();
            }
        }

        Ground.AssertHeld(held);
        Assert.True(faults >= checkpoint.TensorNames.Count, $"{faults} faults over {checkpoint.TensorNames.Count} tensors");
        TestContext.Current.SendDiagnosticMessage($"{way}: {faults} reads of tensors refused");
    }

    [Fact]
    public void A_painter_is_not_loaded_and_leaves_nothing_where_a_read_fails_late()
    {
        Ground.Load().Dispose();
        var accesses = Count(() => Ground.Load().Dispose());
        var held = Ground.Held();
        foreach (var n in Ground.Draw(accesses, 100))
        {
            var (at, hit) = (n, false);
            DiskReads.Inject((path, wanted) => at-- == 0 ? Fail(Way.Error, path, wanted, ref hit) : wanted);
            Assert.Throws<CheckpointException>(() => Ground.Load());
            DiskReads.Inject(null);
            Ground.AssertHeld(held, $"access {n} of {accesses}");
        }

        TestContext.Current.SendDiagnosticMessage($"{accesses} accesses while a painter is loaded");
    }

    [Fact]
    public void Reads_may_come_in_pieces_of_one_byte()
    {
        var name = "control.conv_in.weight";
        var file = Path.Combine(ToyModel.CheckpointFolder, "encoder_diffusion_pytorch_model.safetensors");
        using var whole = Checkpoint.Open(ToyModel.Folder);
        name = whole.TensorNames.Where(n => n.StartsWith("control.", StringComparison.Ordinal)).MaxBy(n => n.Length)!;
        DiskReads.Inject((path, wanted) => path == file ? Math.Min(wanted, 1) : wanted);
        using var pieces = Checkpoint.Open(ToyModel.Folder);
        using var slow = pieces.Open(name);
        DiskReads.Inject(null);
        using var quick = whole.Open(name);
        Assert.Equal(quick.View.ToArray(), slow.View.ToArray());
    }

    [Fact]
    public void A_file_that_shrinks_while_a_tensor_is_read_is_named()
    {
        var path = _folder.WriteFloats("a.safetensors", ("a", new Shape(8)), ("b", new Shape(8)));
        using var file = FramePainter.Weights.Safetensors.SafetensorsFile.Open(path);
        var held = Ground.Held();
        DiskReads.Inject((_, wanted) =>
        {
            if (wanted > 0)
                Shorten(path, 40);

            return wanted;
        });
        var error = Assert.Throws<CheckpointException>(() => file.OpenTensor("b"));
        DiskReads.Inject(null);
        Assert.Equal((path, "b"), (error.File, error.Tensor));
        Assert.Contains("was shortened to", error.Message, StringComparison.Ordinal);
        Ground.AssertHeld(held);
    }

    [Fact]
    public void A_file_that_is_written_to_while_it_is_open_is_refused()
    {
        var path = _folder.WriteFloats("a.safetensors", ("a", new Shape(8)));
        using var file = FramePainter.Weights.Safetensors.SafetensorsFile.Open(path);
        file.OpenTensor("a").Dispose();
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.Seek(-1, SeekOrigin.End);
            stream.WriteByte(1);
        }

        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddSeconds(5));
        Assert.Contains("written to while it was open", Assert.Throws<CheckpointException>(() => file.OpenTensor("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_replaced_or_deleted_while_it_is_open_stays_the_one_that_was_opened()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows refuses to replace an open file.");
        var path = _folder.WriteFloats("a.safetensors", ("a", new Shape(4)));
        var other = _folder.WriteFloats("b.safetensors", ("c", new Shape(64)));
        using var file = FramePainter.Weights.Safetensors.SafetensorsFile.Open(path);
        File.Move(other, path, overwrite: true);
        using (var tensor = file.OpenTensor("a"))
            Assert.Equal(new float[4], tensor.View.ToArray());

        File.Delete(path);
        using (var tensor = file.OpenTensor("a"))
            Assert.Equal(4, tensor.View.Shape.Count);
    }

    static int Count(Action work)
    {
        var accesses = 0;
        DiskReads.Inject((_, wanted) =>
        {
            accesses++;
            return wanted;
        });
        work();
        DiskReads.Inject(null);
        return accesses;
    }

    static int Fail(Way way, string path, int wanted, ref bool hit)
    {
        hit = way != Way.Ended || wanted > 0;
        return way switch
        {
            Way.Error => throw new IOException($"Input/output error : '{path}'"),
            Way.Denied => throw new UnauthorizedAccessException($"Access to the path '{path}' is denied."),
            _ => 0,
        };
    }

    static void Shorten(string path, long bytes)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        stream.SetLength(bytes);
    }
}
