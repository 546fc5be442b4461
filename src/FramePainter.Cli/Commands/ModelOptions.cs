using System.CommandLine;
using FramePainter.Toy;

namespace FramePainter.Cli.Commands;

/// <summary>The options that choose a model, shared by the commands that load one.</summary>
sealed class ModelOptions
{
    /// <summary>Kinds of attention by the names that arguments give them.</summary>
    public static (string Name, AttentionKind Kind)[] AttentionKinds { get; } =
    [
        ("matching", AttentionKind.Matching), ("cross-frame", AttentionKind.CrossFrame), ("temporal", AttentionKind.Temporal),
    ];

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
        CustomParser = Parsers.Named(AttentionKinds),
    };

    readonly Option<Device> _device = Devices.Option();

    readonly Option<int?> _threads = new("--threads")
    {
        Description = "Worker threads. Default: all cores.",
        HelpName = "N",
        CustomParser = Parsers.OptionalInteger(1, 1024),
    };

    readonly Option<Precision> _precision = new("--precision")
    {
        Description = "Numbers of matrix products, on the processor and on NVIDIA GPUs: float32 (float16 on GPUs) or bfloat16. Default: float32.",
        HelpName = "KIND",
        CustomParser = Parsers.Named(("float32", Precision.Float32), ("bfloat16", Precision.BFloat16)),
    };

    readonly Option<WeightFormat> _weights = new("--weights")
    {
        Description = "How weights lie in memory on the processor: as-stored, half, bfloat16 or int8. Default: as-stored.",
        HelpName = "KIND",
        CustomParser = Parsers.Named(("as-stored", WeightFormat.AsStored), ("half", WeightFormat.Half), ("bfloat16", WeightFormat.BFloat16), ("int8", WeightFormat.Int8)),
    };

    readonly Option<long?> _budget = new("--memory-budget")
    {
        Description = "Most MiB that may be held, by this process on the processor, else of the device's memory; an edit that needs more is refused before it starts, with the largest size that fits.",
        HelpName = "MIB",
        CustomParser = Parsers.OptionalLong(1, 1 << 24),
    };

    readonly Option<bool> _fp16 = new("--fp16") { Description = "Take the .fp16.safetensors files where both kinds are there." };

    /// <summary>Adds the options.</summary>
    /// <param name="command">Receives them.</param>
    /// <param name="attention">Whether <c>--attention</c> is among them; a command that tries several kinds has its own.</param>
    public void AddTo(Command command, bool attention = true)
    {
        command.Options.Add(_model);
        command.Options.Add(_checkpoint);
        command.Options.Add(_fp16);
        if (attention)
            command.Options.Add(_attention);
        command.Options.Add(_device);
        command.Options.Add(_threads);
        command.Options.Add(_precision);
        command.Options.Add(_weights);
        command.Options.Add(_budget);
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
            Device = parsed.GetValue(_device)!,
            Threads = parsed.GetValue(_threads),
            Precision = parsed.GetValue(_precision),
            Weights = parsed.GetValue(_weights),
            MemoryBudget = parsed.GetValue(_budget) << 20,
        };
    }
}
