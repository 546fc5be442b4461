namespace FramePainter.Goldens;

static class Program
{
    /// <summary><c>run FOLDER</c> runs all cases of a folder; everything else is for the test platform.</summary>
    static async Task<int> Main(string[] args)
    {
        if (args is ["run", var folder])
        {
            return GoldenRunner.RunAll(folder, Console.Out);
        }

        return args.Any(a => a is "-automated" or "@@")
            ? await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args)
            : await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions);
    }
}
