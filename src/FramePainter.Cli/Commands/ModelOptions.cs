using System.CommandLine;
using FramePainter.Toy;

namespace FramePainter.Cli.Commands;

/// <summary>The options that choose a model, shared by the commands that load one.</summary>
sealed class ModelOptions
{
    readonly Option<string?> _model = new("--model")
    {
        Description = "Folder of stable-video-diffusion-img2vid-xt-1-1 (unet/, vae/, image_encoder/, ...), or a folder that holds svd/ and framepainter/. Default: the embedded toy.",
        HelpName = "DIR",
    };

    readonly Option<string?> _checkpoint = new("--checkpoint")
    {
        Description = "Folder with FramePainter's two files (unet_... and encoder_diffusion_pytorch_model.safetensors).",
        HelpName = "DIR",
    };

    readonly Option<AttentionKind> _attention = new("--attention")
    {
        Description = "How the edit looks at the source: matching (the paper's), cross-frame or temporal. Default: matching.",
        HelpName = "KIND",
        CustomParser = Parsers.Named(
            ("matching", AttentionKind.Matching), ("cross-frame", AttentionKind.CrossFrame), ("temporal", AttentionKind.Temporal)),
    };

    readonly Option<int?> _threads = new("--threads")
    {
        Description = "Worker threads. Default: all cores.",
        HelpName = "N",
        CustomParser = Parsers.OptionalInteger(1, 1024),
    };

    readonly Option<bool> _fp16 = new("--fp16") { Description = "Take the .fp16.safetensors files where both kinds are there." };

    public void AddTo(Command command)
    {
        command.Options.Add(_model);
        command.Options.Add(_checkpoint);
        command.Options.Add(_fp16);
        command.Options.Add(_attention);
        command.Options.Add(_threads);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_checkpoint) is not null && result.GetValue(_model) is null)
                result.AddError("--checkpoint needs --model beside it.");
        });
    }

    /// <summary>Whether the arguments ask for no model, which means the toy.</summary>
    public bool IsToy(ParseResult parsed) => parsed.GetValue(_model) is null;

    /// <summary>What the arguments ask to load; says so where it is the toy.</summary>
    public PainterOptions Settings(ParseResult parsed)
    {
        var model = parsed.GetValue(_model);
        if (IsToy(parsed))
        {
            Console.Error.WriteLine("No --model given: using the embedded toy, trained on synthetic 64x64 shapes; it knows nothing else.");
            model = ToyModel.Folder;
        }

        return new PainterOptions
        {
            Model = model!,
            Checkpoint = parsed.GetValue(_checkpoint),
            PreferFp16 = parsed.GetValue(_fp16),
            Attention = parsed.GetValue(_attention),
            Threads = parsed.GetValue(_threads),
        };
    }
}
