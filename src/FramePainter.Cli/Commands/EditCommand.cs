using System.CommandLine;
using System.CommandLine.Parsing;
using FramePainter.Cli.Terminal;
using FramePainter.Imaging;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter edit</c>: a picture and a signal in, the edited picture out.</summary>
static class EditCommand
{
    static readonly Option<string?> s_image = File("--image", "The picture to edit (PNG, JPEG or WebP).");
    static readonly Option<string?> s_sketch = File("--sketch", "White strokes on black (or on nothing), of any size: where things should go.");
    static readonly Option<string?> s_coarse = File("--coarse", "Instead of a sketch: the picture itself, roughly changed.");
    static readonly Option<string?> s_out = File("--out", "The edited picture (.png, .jpg or .webp); a PNG also says how it was made.");
    static readonly Option<string?> s_dump = File("--dump", "Also write final latents and both decoded frames as safetensors.");
    static readonly Option<string?> s_strip = File("--side-by-side", "Also write picture, signal and edit in one row.");
    static readonly Option<bool> s_overwrite = new("--overwrite") { Description = "Replace output files that are there." };

    static readonly Option<bool> s_noMetadata = new("--no-metadata")
    {
        Description = "Leave out of the PNG how it was made (options, seed, signal, SHA-256 of the weights); 'replay' needs it.",
    };

    static readonly Option<string?> s_sample = new("--sample")
    {
        Description = "Edit one of the toy's samples, 000 to 023, instead of --image and --sketch; by default with its own seed and float32 draws.",
        HelpName = "NNN",
    };

    static readonly EditSettings s_settings = new();

    static readonly ModelOptions s_model = new();

    /// <summary>The command with its options and checks.</summary>
    public static Command Create()
    {
        var command = new Command("edit", "Edit a picture by a sketch or a coarse edit.");
        foreach (var option in new Option[]
        {
            s_image, s_sketch, s_coarse, s_sample, s_out, s_strip, s_dump, s_overwrite, s_noMetadata,
        })
        {
            command.Options.Add(option);
        }

        s_settings.AddTo(command);
        s_model.AddTo(command);
        command.Validators.Add(Validate);
        command.SetWork(Run);
        return command;
    }

    static Option<string?> File(string name, string description) => new(name) { Description = description, HelpName = "FILE" };

    static void Validate(CommandResult result)
    {
        var inputs = new Option[] { s_image, s_sketch, s_coarse }.Where(o => result.GetResult(o) is { Implicit: false }).Select(o => o.Name).ToList();
        if (result.GetValue(s_sample) is { } sample)
        {
            if (inputs.Count > 0)
                result.AddError($"--sample brings its own picture and sketch: leave out {string.Join(" and ", inputs)}.");
            if (EditInput.Sample(sample) is null)
                result.AddError($"There is no sample '{sample}'; 000 to {EditInput.LastSample} are there.");
        }
        else
        {
            if (result.GetValue(s_image) is null)
                result.AddError("--image is missing: give the picture to edit (or --sample).");
            if (result.GetValue(s_sketch) is null == result.GetValue(s_coarse) is null)
                result.AddError("Give one signal: --sketch or --coarse.");
        }

        if (result.GetValue(s_out) is null)
            result.AddError("--out is missing: give the file for the edited picture.");

        foreach (var option in new[] { s_out, s_strip })
        {
            if (result.GetValue(option) is not { Length: > 0 } path)
                continue;
            try
            {
                ImageFile.FormatOf(path);
            }
            catch (ImageException e)
            {
                result.AddError($"{option.Name}: {e.Message}");
            }
        }

        if (OutputFiles.Twice(new[] { s_out, s_strip, s_dump }.Select(o => result.GetValue(o)).Where(p => p is { Length: > 0 })!) is { } twice)
            result.AddError($"Two outputs are '{twice}': give each a file of its own.");
    }

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var outputs = new[] { s_out, s_strip, s_dump }.Select(o => parsed.GetValue(o)).ToList();
        var overwrite = parsed.GetValue(s_overwrite);
        foreach (var path in outputs.OfType<string>())
            OutputFiles.Check(path, overwrite);

        var input = EditInput.Load(parsed.GetValue(s_sample), parsed.GetValue(s_image), parsed.GetValue(s_sketch), parsed.GetValue(s_coarse));
        var options = s_settings.Options(parsed, input.Seed, input.Draws);
        ImageFile.CheckSize(input.Image.Width, input.Image.Height, outputs[0]!);
        if (outputs[1] is { } strip)
        {
            var (width, height) = SideBySide.SizeOf([input.Image, input.Signal, input.Image]);
            ImageFile.CheckSize(width, height, strip);
        }

        var metadata = !parsed.GetValue(s_noMetadata) && ImageFile.FormatOf(outputs[0]!) == ImageFormat.Png;
        var settings = s_model.Settings(parsed) with { HashModel = metadata };
        var result = EditProgressDisplay.Run(options.Steps, progress =>
        {
            using var painter = Painter.Load(settings, progress, cancel);
            return painter.Edit(input.Image, input.ToSignal(), options with { Progress = progress }, cancel);
        });
        cancel.ThrowIfCancellationRequested();
        Write(outputs, overwrite, metadata, input, result, options);
    }

    static void Write(List<string?> outputs, bool overwrite, bool metadata, EditInput input, EditResult result, EditOptions options)
    {
        // All of them are made before any is written.
        var edited = OutputFiles.Edited(result, outputs[0]!, metadata);
        var row = outputs[1] is null ? null : ImageFile.Encode(SideBySide.Compose(input.Image, input.Signal, result.Edited), outputs[1]!);
        OutputFiles.Write(outputs[0]!, overwrite, edited);
        if (row is not null)
            OutputFiles.Write(outputs[1]!, overwrite, row);
        if (outputs[2] is { } dump)
            EditDump.Write(dump, result, options);

        foreach (var path in outputs.OfType<string>())
            Console.Out.WriteLine(path);
    }
}
