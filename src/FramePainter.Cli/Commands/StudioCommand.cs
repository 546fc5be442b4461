using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;
using FramePainter.Cli.Terminal;
using FramePainter.Studio;

namespace FramePainter.Cli.Commands;

/// <summary><c>framepainter studio</c>: a local page to draw on pictures, until Ctrl+C.</summary>
static class StudioCommand
{
    static readonly Option<int> s_port = new("--port")
    {
        Description = "Port on 127.0.0.1, 0 to 65535. Default: one that is free.", HelpName = "N", CustomParser = Parsers.Integer(0, 65535), DefaultValueFactory = _ => 0,
    };

    static readonly Option<bool> s_open = new("--open") { Description = "Open the page in the default browser. While it starts, its address can be seen in the list of processes." };

    static readonly ModelOptions s_model = new();

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var command = new Command("studio", "Draw on pictures in a local page.");
        command.Options.Add(s_port);
        command.Options.Add(s_open);
        s_model.AddTo(command);
        command.SetWork(Run);
        return command;
    }

    static void Run(ParseResult parsed, CancellationToken cancel)
    {
        var settings = s_model.Settings(parsed);
        using var painter = Painter.Load(settings, cancel: cancel);
        Serve(painter, parsed, cancel).GetAwaiter().GetResult();
    }

    static async Task Serve(Painter painter, ParseResult parsed, CancellationToken cancel)
    {
        var options = new StudioOptions { Port = parsed.GetValue(s_port), ToySamples = s_model.IsToy(parsed) };
        await using var server = await StudioServer.StartAsync(painter, options, cancel);
        Console.Out.WriteLine(server.Address);
        Console.Error.WriteLine("Open this address in a browser on this computer; it is for you alone. Ctrl+C ends the Studio.");
        if (parsed.GetValue(s_open))
            Open(server.Address);

        // Ctrl+C is the Studio's ordinary end.
        await Task.Delay(Timeout.Infinite, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    static void Open(Uri address)
    {
        try
        {
            Process.Start(new ProcessStartInfo(address.AbsoluteUri) { UseShellExecute = true })?.Dispose();
        }
        catch (Win32Exception)
        {
            Console.Error.WriteLine("warning: this system has no program that opens addresses; open it by hand.");
        }
    }
}
