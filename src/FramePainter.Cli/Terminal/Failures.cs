using System.CommandLine;

namespace FramePainter.Cli.Terminal;

/// <summary>What a failed command says, and with which exit code it ends.</summary>
static class Failures
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;

    /// <summary>Shows the stack trace of an error.</summary>
    public static Option<bool> Verbose { get; } = new("--verbose") { Description = "Show where an error came from.", Recursive = true };

    /// <summary>Runs a command's work off the main thread, so that Ctrl+C is heard, and turns what it throws into one line and an exit code.</summary>
    public static void SetWork(this Command command, Action<ParseResult, CancellationToken> work) =>
        command.SetAction((parsed, cancel) => Task.Run(() => Run(() => work(parsed, cancel), parsed.GetValue(Verbose)), CancellationToken.None));

    /// <summary>Reports wrong arguments.</summary>
    public static int Usage(IEnumerable<string> messages, Command command)
    {
        foreach (var message in messages)
            Console.Error.WriteLine("error: " + OneLine(message));

        var name = command is RootCommand ? "framepainter" : $"framepainter {command.Name}";
        Console.Error.WriteLine($"See '{name} --help'.");
        return WrongUsage;
    }

    static int Run(Action work, bool verbose)
    {
        try
        {
            work();
            return Done;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("error: cancelled; nothing was written.");
            return Failed;
        }
        catch (Exception e) when (e is FramePainterException or IOException or UnauthorizedAccessException or OutOfMemoryException)
        {
            Console.Error.WriteLine("error: " + (verbose ? e.ToString() : OneLine(e.Message)));
            return e is OptionException ? WrongUsage : Failed;
        }
    }

    static string OneLine(string message) => string.Join(' ', message.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
