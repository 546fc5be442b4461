using System.CommandLine;
using FramePainter.Cli.Commands;
using FramePainter.Cli.Terminal;

var root = new RootCommand(
    """
    FramePainter (arXiv 2501.08225): edit a picture by a sketch.
    Exit codes: 0 done; 1 failed or cancelled (Ctrl+C), with no partial output file; 2 wrong arguments.
    """);
root.Options.Add(Failures.Verbose);
root.Subcommands.Add(EditCommand.Create());
root.Subcommands.Add(EvalCommand.Create());
root.Subcommands.Add(ReplayCommand.Create());
root.Subcommands.Add(InspectCommand.Create());
root.Subcommands.Add(VerifyCommand.Create());
root.Subcommands.Add(EstimateCommand.Create());
root.Subcommands.Add(MakeCheckpointCommand.Create());
root.Subcommands.Add(BenchCommand.Create());
root.Subcommands.Add(StudioCommand.Create());
foreach (var command in root.Subcommands)
    command.Validators.Add(Parsers.RefuseEmpty);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
    return Failures.Usage(parsed.Errors.Select(e => e.Message), parsed.CommandResult.Command);

var invocation = new InvocationConfiguration
{
    EnableDefaultExceptionHandler = false,
    // After Ctrl+C a command has this long to leave the tile it works on and remove what it wrote.
    ProcessTerminationTimeout = TimeSpan.FromSeconds(30),
};
return await parsed.InvokeAsync(invocation);
