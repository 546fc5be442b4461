using System.CommandLine;

namespace FramePainter.Cli.Commands;

/// <summary>The options that say how an edit is made, shared by the commands that edit.</summary>
sealed class EditSettings
{
    readonly Option<int> _steps = new("--steps")
    {
        Description = "Denoising steps, 1 to 1000.", HelpName = "N", CustomParser = Parsers.Integer(1, 1000), DefaultValueFactory = _ => 25,
    };

    readonly Option<long?> _seed = new("--seed")
    {
        Description = "Seed of the noise, as torch.manual_seed takes it. Default: 3413.", HelpName = "N", CustomParser = Parsers.OptionalLong(long.MinValue, long.MaxValue),
    };

    readonly Option<float> _controlScale = new("--control-scale")
    {
        Description = "Strength of the signal, 0 to 10.", HelpName = "X", CustomParser = Parsers.Number(0, 10), DefaultValueFactory = _ => 0.8f,
    };

    readonly Option<float> _guidance = new("--guidance")
    {
        Description = "Classifier-free guidance, 0 to 100; below 1 there is none.", HelpName = "X", CustomParser = Parsers.Number(0, 100), DefaultValueFactory = _ => 3f,
    };

    readonly Option<GuidanceDecay> _decay = new("--decay")
    {
        Description = "How guidance changes over the steps: inv-square or none. Default: inv-square.",
        HelpName = "KIND",
        CustomParser = Parsers.Named(("inv-square", GuidanceDecay.InverseSquare), ("none", GuidanceDecay.None)),
    };

    readonly Option<float> _skip = new("--skip-unconditional-below")
    {
        Description = "Lossy: steps whose guidance weight is below X compute one half of two. Default: 0, none.", HelpName = "X", CustomParser = Parsers.Number(0, 100), DefaultValueFactory = _ => 0f,
    };

    readonly Option<int> _refresh = new("--refresh-deep-every")
    {
        Description = "Lossy: deep features are computed anew every N steps and reused between. Default: 1, in every step.", HelpName = "N", CustomParser = Parsers.Integer(1, 1000), DefaultValueFactory = _ => 1,
    };

    readonly Option<(int Width, int Height)?> _size = new("--size")
    {
        Description = "Size to work in; the result has the picture's own size. Default: the picture's.", HelpName = "WxH", CustomParser = Parsers.Size,
    };

    readonly Option<Fit> _fit = new("--fit")
    {
        Description = "How the picture is brought to the working size: stretch or pad. Default: stretch.",
        HelpName = "KIND",
        CustomParser = Parsers.Named(("stretch", Fit.Stretch), ("pad", Fit.Pad)),
    };

    readonly Option<DrawPrecision?> _draws = new("--draws")
    {
        Description = "Precision in which noise is drawn: float16 (the original app) or float32. Default: float16.",
        HelpName = "KIND",
        CustomParser = Parsers.Named<DrawPrecision?>(("float16", DrawPrecision.Float16), ("float32", DrawPrecision.Float32)),
    };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _steps, _seed, _controlScale, _guidance, _decay, _skip, _refresh, _size, _fit, _draws })
            command.Options.Add(option);
    }

    /// <summary>What the arguments ask for.</summary>
    /// <param name="parsed">The arguments.</param>
    /// <param name="seed">The seed where none is given.</param>
    /// <param name="draws">The precision of the noise where none is given.</param>
    public EditOptions Options(ParseResult parsed, long seed, DrawPrecision draws) => new()
    {
        Steps = parsed.GetValue(_steps),
        Seed = parsed.GetValue(_seed) ?? seed,
        ControlScale = parsed.GetValue(_controlScale),
        Guidance = parsed.GetValue(_guidance),
        Decay = parsed.GetValue(_decay),
        SkipUnconditionalBelow = parsed.GetValue(_skip),
        RefreshDeepFeaturesEvery = parsed.GetValue(_refresh),
        Size = parsed.GetValue(_size),
        Fit = parsed.GetValue(_fit),
        Draws = parsed.GetValue(_draws) ?? draws,
    };
}
