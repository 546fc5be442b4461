using System.CommandLine;
using System.Text;
using FramePainter.Cli.Terminal;
using FramePainter.Evaluation;
using FramePainter.Imaging;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter eval</c>: edits a set of pairs and measures how near the results are to their targets.</summary>
static class EvalCommand
{
    const string Csv = "figures.csv";
    const string Markdown = "figures.md";
    const string Sheet = "sheet.png";
    const string Baseline = "copy the source";
    const int SheetCell = 128;

    static readonly Option<string> s_pairs = new("--pairs")
    {
        Description = "Folder with NAME-source.png, NAME-sketch.png (or NAME-coarse.png) and NAME-target.png for every pair; or the word toy for the toy's own 24.",
        HelpName = "DIR",
        Required = true,
    };

    static readonly Option<string?> s_out = new("--out")
    {
        Description = $"Folder for {Csv} (every pair), {Markdown} (means) and {Sheet} (source, signal, target, edits). Without it the means are only shown.",
        HelpName = "DIR",
    };

    static readonly Option<IReadOnlyList<(string Name, AttentionKind Kind)>?> s_attention = new("--attention")
    {
        Description = "Kinds to compare, one or several of matching, cross-frame and temporal. Default: matching.",
        HelpName = "KIND...",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
        CustomParser = Parsers.SomeNamed(ModelOptions.AttentionKinds),
    };

    static readonly Option<string[]> s_alex = Weights("--lpips-alex", "LPIPS with AlexNet: torchvision's features.N.* and lpips' lin0 to lin4");
    static readonly Option<string[]> s_vgg16 = Weights("--lpips-vgg16", "LPIPS with VGG-16: torchvision's features.N.* and lpips' lin0 to lin4");
    static readonly Option<string[]> s_clip = Weights("--clip", "CLIP-FID: Hugging Face's clip-vit-base-patch32");
    static readonly Option<bool> s_overwrite = new("--overwrite") { Description = "Replace output files that are there." };

    static readonly Option<int> s_sheetRows = new("--sheet-rows")
    {
        Description = $"Pairs on {Sheet}, from the first on.", HelpName = "N", CustomParser = Parsers.Integer(1, 200), DefaultValueFactory = _ => 24,
    };

    static readonly EditSettings s_settings = new();
    static readonly ModelOptions s_model = new();

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("eval", "Edit a set of pairs and measure how near the results are to their targets, beside copying the source.");
        foreach (var option in new Option[] { s_pairs, s_attention, s_out, s_sheetRows, s_overwrite, s_alex, s_vgg16, s_clip })
            command.Options.Add(option);

        s_settings.AddTo(command);
        s_model.AddTo(command, attention: false);
        command.SetWork(Run);
        return command;
    }

    static Option<string[]> Weights(string name, string description) => new(name)
    {
        Description = $"Safetensors with the weights of {description}. May be given in several files.",
        HelpName = "FILE...",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
    };

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var (folder, overwrite) = (parsed.GetValue(s_out), parsed.GetValue(s_overwrite));
        if (folder is not null)
            OutputFolder.Check(folder, [Csv, Markdown, Sheet], overwrite);

        var pairs = PairSet.Open(parsed.GetRequiredValue(s_pairs));
        if (parsed.GetValue(s_clip) is { Length: > 0 } && pairs.Count < 2)
            throw new OptionException(s_clip.Name, $"{s_clip.Name} compares sets: it needs two pairs, and there is one.");

        var evaluator = new Evaluator
        {
            LpipsAlex = parsed.GetValue(s_alex) is { Length: > 0 } alex ? Lpips.Load(LpipsNetwork.Alex, alex) : null,
            LpipsVgg16 = parsed.GetValue(s_vgg16) is { Length: > 0 } vgg16 ? Lpips.Load(LpipsNetwork.Vgg16, vgg16) : null,
            Clip = parsed.GetValue(s_clip) is { Length: > 0 } clip ? ClipVisionTower.Load(clip) : null,
        };
        var run = new Series(parsed, pairs, folder is null ? 0 : Math.Min(parsed.GetValue(s_sheetRows), pairs.Count));
        var figures = run.Measure(evaluator, cancel);
        if (folder is not null)
            Write(folder, overwrite, figures, run.SheetRows, cancel);

        var means = EvaluationTable.Means(figures);
        var table = new PlainTable([.. means[0]]);
        foreach (var row in means.Skip(1))
            table.Add([.. row]);

        table.Write();
    }

    static void Write(string folder, bool overwrite, IReadOnlyList<MethodFigures> figures, IReadOnlyList<IReadOnlyList<PixelImage>> rows, CancellationToken cancel)
    {
        using var sheet = new MemoryStream();
        ImageFile.Save(ContactSheet.Compose(rows, SheetCell), sheet, ImageFormat.Png);
        var paths = OutputFolder.Write(
            folder,
            [(Csv, Encoding.UTF8.GetBytes(EvaluationTable.Csv(figures))), (Markdown, Encoding.UTF8.GetBytes(EvaluationTable.Markdown(figures))), (Sheet, sheet.ToArray())],
            overwrite,
            cancel);
        foreach (var path in paths)
            Console.Error.WriteLine($"wrote {path}");
    }

    /// <summary>Every kind's edits of every pair; the first few pairs' pictures are kept for the sheet.</summary>
    sealed class Series(ParseResult parsed, IReadOnlyList<EvalPair> pairs, int sheetRows)
    {
        readonly List<List<PixelImage>> _rows = [.. Enumerable.Range(0, sheetRows).Select(_ => new List<PixelImage>())];

        /// <summary>Source, signal, target and edits of the first pairs.</summary>
        public IReadOnlyList<IReadOnlyList<PixelImage>> SheetRows => _rows;

        public IReadOnlyList<MethodFigures> Measure(Evaluator evaluator, CancellationToken cancel)
        {
            // Pictures are looked at before the model is loaded: a long run should not end at a file that cannot be read.
            var figures = new List<MethodFigures> { evaluator.Measure(Baseline, Sources(), cancel) };
            var (kinds, settings) = (parsed.GetValue(s_attention) ?? [ModelOptions.AttentionKinds[0]], s_model.Settings(parsed));
            var steps = s_settings.Options(parsed, default, default).Steps;
            return EditProgressDisplay.Run(kinds.Count * pairs.Count * steps, display =>
            {
                var progress = new SeriesProgress(display, kinds.Count * pairs.Count);
                foreach (var (name, kind) in kinds)
                {
                    using var painter = Painter.Load(settings with { Attention = kind }, progress, cancel);
                    figures.Add(evaluator.Measure(name, Edits(painter, progress, cancel), cancel));
                }

                return figures;
            });
        }

        IEnumerable<JudgedPair> Sources()
        {
            for (var i = 0; i < pairs.Count; i++)
            {
                var (input, target) = (pairs[i].Input(), pairs[i].Target());
                if (input.Image.Width != target.Width || input.Image.Height != target.Height)
                    throw new ImageException($"Pair '{pairs[i].Name}' has a source of {input.Image} and a target of {target}; they must be of one size.");

                Keep(i, input.Image, input.Signal, target);
                yield return new(pairs[i].Name, input.Image, target);
            }
        }

        IEnumerable<JudgedPair> Edits(Painter painter, SeriesProgress progress, CancellationToken cancel)
        {
            for (var i = 0; i < pairs.Count; i++)
            {
                var input = pairs[i].Input();
                var options = s_settings.Options(parsed, input.Seed, input.Draws) with { Progress = progress };
                var edited = painter.Edit(input.Image, input.ToSignal(), options, cancel).Edited;
                progress.Next();
                Keep(i, edited);
                yield return new(pairs[i].Name, edited, pairs[i].Target());
            }
        }

        void Keep(int pair, params ReadOnlySpan<PixelImage> pictures)
        {
            if (pair < _rows.Count)
                _rows[pair].AddRange(pictures);
        }
    }
}
