using System.Runtime.InteropServices;

namespace FramePainter.EndToEnd;

public sealed class StudioCommandTests
{
    [Fact]
    public async Task Without_a_program_that_opens_addresses_the_page_is_served_all_the_same()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Elsewhere the system itself opens addresses.");

        var folder = Directory.CreateTempSubdirectory("framepainter-studio-").FullName;
        try
        {
            // A path to search with nothing but what runs the command.
            var host = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
            File.CreateSymbolicLink(Path.Combine(folder, "dotnet"), host);
            using var process = CommandLine.StartInForeground([$"PATH={folder}"], "studio", "--open");
            var cancel = TestContext.Current.CancellationToken;
            string? line;
            do
            {
                line = await process.StandardError.ReadLineAsync(cancel);
            }
            while (line?.StartsWith("warning: ", StringComparison.Ordinal) == false);

            Assert.NotNull(line);
            var address = await process.StandardOutput.ReadLineAsync(cancel);
            using var http = new HttpClient();
            Assert.Contains("<html", await http.GetStringAsync(new Uri(address!), cancel), StringComparison.Ordinal);
            Assert.Equal(0, CommandLine.Interrupt(process.Id));
            CommandLine.Finish(process).AssertExit(0);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
