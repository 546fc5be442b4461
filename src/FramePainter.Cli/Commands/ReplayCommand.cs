using System.CommandLine;
using FramePainter.Cli.Terminal;
using FramePainter.Imaging;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter replay</c>: makes an edit again from what its PNG says of it.</summary>
static class ReplayCommand
{
    static readonly Argument<string> s_edit = new("edit") { Description = "A PNG that 'edit' wrote, with its metadata.", HelpName = "FILE" };
    static readonly Option<string> s_image = new("--image") { Description = "The picture that was edited.", HelpName = "FILE", Required = true };
    static readonly Option<string> s_out = new("--out") { Description = "The picture made again (.png, .jpg or .webp).", HelpName = "FILE", Required = true };
    static readonly Option<bool> s_overwrite = new("--overwrite") { Description = "Replace an output file that is there." };
    static readonly Option<bool> s_noMetadata = new("--no-metadata") { Description = "Leave out of the PNG how it was made." };
    static readonly ModelOptions s_model = new();

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("replay", "Make an edit again from its PNG: the same pixels with the same model, device and version.");
        command.Arguments.Add(s_edit);
        foreach (var option in new Option[] { s_image, s_out, s_overwrite, s_noMetadata })
            command.Options.Add(option);

        s_model.AddTo(command);
        command.Validators.Add(result =>
        {
            try
            {
                if (result.GetValue(s_out) is { Length: > 0 } path)
                    ImageFile.FormatOf(path);
            }
            catch (ImageException e)
            {
                result.AddError($"{s_out.Name}: {e.Message}");
            }
        });
        command.SetWork(Run);
        return command;
    }

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var (edit, path, overwrite) = (parsed.GetRequiredValue(s_edit), parsed.GetRequiredValue(s_out), parsed.GetValue(s_overwrite));
        OutputFiles.Check(path, overwrite);
        var metadata = EditFile.ReadMetadata(edit)
            ?? throw new MetadataException($"'{edit}' does not say how it was made: it was written with --no-metadata, or by a program that dropped the text.");
        var image = ImageFile.Load(parsed.GetRequiredValue(s_image));
        ImageFile.CheckSize(image.Width, image.Height, path);
        var settings = s_model.Settings(parsed) with { HashModel = metadata.ModelHashes.Count > 0 };
        var result = EditProgressDisplay.Run(metadata.Options.Steps, progress =>
        {
            using var painter = Painter.Load(settings, progress, cancel);
            return painter.Replay(image, metadata, progress, cancel);
        });
        cancel.ThrowIfCancellationRequested();
        foreach (var warning in result.Warnings)
            Console.Error.WriteLine("warning: " + warning.Message);

        OutputFiles.Write(path, overwrite, OutputFiles.Edited(result, path, !parsed.GetValue(s_noMetadata) && ImageFile.FormatOf(path) == ImageFormat.Png));
        Console.Out.WriteLine(path);
    }
}
