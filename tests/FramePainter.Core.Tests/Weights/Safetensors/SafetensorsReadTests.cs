using FramePainter.Weights;
using FramePainter.Weights.Safetensors;

namespace FramePainter.Core.Tests.Weights.Safetensors;

/// <summary>Reads that the system refuses, or that give less than the file had.</summary>
public sealed class SafetensorsReadTests : IDisposable
{
    readonly TestFolder _folder = new();
    readonly string _path;

    public SafetensorsReadTests() => _path = _folder.WriteSafetensors("a", """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", 4);

    public void Dispose()
    {
        DiskReads.Inject(null);
        _folder.Dispose();
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_named()
    {
        DiskReads.Inject((_, _) => throw new IOException("the disk is gone"));
        Refused(() => SafetensorsFile.Open(_path), "the disk is gone");
        DiskReads.Inject((_, _) => throw new UnauthorizedAccessException("not yours"));
        Refused(() => SafetensorsFile.Open(_path), "not yours");
    }

    [Fact]
    public void A_header_that_ends_early_is_named()
    {
        DiskReads.Inject((_, wanted) => (wanted + 1) / 2);
        using (SafetensorsFile.Open(_path))
        {
            // Half of what is wanted is no end: the rest is asked for again.
        }

        DiskReads.Inject((_, _) => 0);
        Refused(() => SafetensorsFile.Open(_path), "ended at byte 0 while its header was read");
    }

    [Fact]
    public void A_tensor_that_can_no_longer_be_read_is_named()
    {
        using var file = SafetensorsFile.Open(_path);
        DiskReads.Inject((_, _) => throw new IOException("the network is gone"));
        Refused(() => file.OpenTensor("a"), "the network is gone");
        DiskReads.Inject((_, _) => throw new UnauthorizedAccessException("not any more"));
        Refused(() => file.OpenTensor("a"), "not any more");
        DiskReads.Inject(null);
        using (file.OpenTensor("a"))
        {
            File.SetLastWriteTimeUtc(_path, DateTime.UtcNow.AddHours(1));
        }

        Refused(() => file.OpenTensor("a"), "written to while it was open");
    }

    void Refused(Action open, string message)
    {
        var error = Assert.Throws<CheckpointException>(open);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(_path, error.File);
    }
}
