using FramePainter.Core.Tests.Weights;
using FramePainter.Toy;
using FramePainter.Weights;

namespace FramePainter.Faults.Tests;

/// <summary>What people commonly do wrong with checkpoints is named with what to do, in one table.</summary>
public sealed class MistakeTests : IDisposable
{
    const string Vae = "svd/vae/diffusion_pytorch_model.safetensors";
    const string UNet = "framepainter/unet_diffusion_pytorch_model.safetensors";

    readonly TestFolder _folder = new();

    public MistakeTests() => _folder.CopyFrom(ToyModel.Folder);

    public void Dispose()
    {
        DiskReads.Inject(null);
        _folder.Dispose();
    }

    /// <summary>The mistake, the folder that is opened, and what the message must say: the thing, then what to do.</summary>
    public static TheoryData<string, string, string, string> Mistakes() => new()
    {
        { "pointer", "", "Git LFS pointer", "git lfs pull" },
        { "truncated", "", "truncated", "Was the download cut short?" },
        { "empty", "", "is empty", "Was the download cut short?" },
        { "zip", "", "zip archive", "convert it to safetensors" },
        { "pickle", "", "Python pickle", "convert it to safetensors" },
        { "bin", "", "diffusion_pytorch_model.bin", "convert to safetensors" },
        { "ckpt", "", "diffusion_pytorch_model.ckpt", "convert to safetensors" },
        { "pt", "", "diffusion_pytorch_model.pt", "convert to safetensors" },
        { "page", "", "web page", "sign-in or licence page" },
        { "none", "svd/vae", "no model folder", "looks right" },
        { "none", "..", "no model folder", "looks right" },
        { "none", "svd", "without FramePainter's own weights", "They are in" },
        { "none", "framepainter", "holds FramePainter's own weights", "stable-video-diffusion-img2vid-xt-1-1 is needed" },
        { "other", "", "another model", "StableVideoDiffusionPipeline" },
        { "plain", "", "Nothing but matching attention is missing", "Put FramePainter's unet_diffusion_pytorch_model.safetensors in its place" },
        { "fp16", "", "shards that are not beside it", "--fp16" },
        { "denied", "", "cannot be read", "may be read by this user" },
        { "lost", "", "can no longer be read", "disk or network path" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_named_with_what_to_do(string mistake, string opened, string thing, string remedy)
    {
        Make(mistake);
        var held = Ground.Held();
        var folder = opened == ".." ? Directory.CreateDirectory(_folder["outer"]).FullName : Path.Combine(_folder.Root, opened);
        if (opened == "..")
        {
            Directory.Move(_folder["svd"], _folder["outer/model"]);
            Directory.Delete(_folder["framepainter"], recursive: true);
        }

        var error = Assert.Throws<CheckpointException>(() => Painter.Load(new PainterOptions { Model = folder, Device = Device.Cpu, Threads = 1 }));
        Assert.Contains(thing, error.Message, StringComparison.Ordinal);
        Assert.Contains(remedy, error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.File);
        Ground.AssertHeld(held, mistake);
    }

    void Make(string mistake)
    {
        var vae = _folder[Vae];
        switch (mistake)
        {
            case "pointer": _folder.Write(Vae, "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 195531910\n"); break;
            case "truncated": File.WriteAllBytes(vae, File.ReadAllBytes(vae)[..^100]); break;
            case "empty": File.WriteAllBytes(vae, []); break;
            case "zip": _folder.Write(Vae, "PK\u0003\u0004 archive/data.pkl"); break;
            case "pickle": File.WriteAllBytes(vae, [0x80, 2, (byte)'}', (byte)'q', 0, .. new byte[16]]); break;
            case "bin" or "ckpt" or "pt": File.Move(vae, Path.ChangeExtension(vae, mistake)); break;
            case "page": _folder.Write(Vae, "<!DOCTYPE html><html><title>Sign in</title></html>"); break;
            case "other": _folder.Write("svd/model_index.json", """{"_class_name":"StableDiffusionXLPipeline"}"""); break;
            case "plain": Plain(); break;
            case "fp16":
                _folder.Write(Vae + ".index.json", """{"weight_map":{"a":"diffusion_pytorch_model-00001-of-00002.safetensors","b":"diffusion_pytorch_model-00002-of-00002.safetensors"}}""");
                File.Move(vae, _folder["svd/vae/diffusion_pytorch_model.fp16.safetensors"]);
                break;
            case "denied":
                // Tests run as root too, whom no mode of a file keeps out.
                DiskReads.Inject((path, wanted) => path == vae ? throw new UnauthorizedAccessException($"Access to the path '{path}' is denied.") : wanted);
                break;
            case "lost":
                var reads = 0;
                DiskReads.Inject((path, wanted) => path == vae && wanted > 0 && reads++ > 20 ? throw new IOException($"Stale file handle : '{path}'") : wanted);
                break;
        }
    }

    /// <summary>SVD's own U-Net in the place of FramePainter's.</summary>
    void Plain()
    {
        var tensors = Checkpoint.Inspect(_folder[UNet]).Tensors.Where(t => !t.Name.Contains("sparse_attention", StringComparison.Ordinal)).Select(t => (t.Name, t.Shape)).ToArray();
        _folder.WriteHollow(UNet, tensors);
    }
}
