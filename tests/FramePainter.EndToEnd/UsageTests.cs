namespace FramePainter.EndToEnd;

public sealed class UsageTests
{
    [Theory]
    [InlineData("edit", "--image")]
    [InlineData("edit --image a.png --sketch b.png", "--out")]
    [InlineData("edit --image a.png --out c.png", "--sketch or --coarse")]
    [InlineData("edit --image a.png --sketch b.png --coarse b.png --out c.png", "one signal")]
    [InlineData("edit --sample 007 --image a.png --out c.png", "--sample")]
    [InlineData("edit --sample 999 --out c.png", "999")]
    [InlineData("edit --sample 007 --out c.gif", ".gif")]
    [InlineData("edit --sample 007 --out c.png --side-by-side ./c.png", "Two outputs")]
    [InlineData("edit --sample 007 --out c.png --dump ./c.png", "Two outputs")]
    [InlineData("edit --sample 007 --out c.png --steps 0", "--steps")]
    [InlineData("edit --sample 007 --out c.png --steps many", "--steps")]
    [InlineData("edit --sample 007 --out c.png --guidance NaN", "--guidance")]
    [InlineData("edit --sample 007 --out c.png --control-scale -1", "--control-scale")]
    [InlineData("edit --sample 007 --out c.png --seed 99999999999999999999", "--seed")]
    [InlineData("edit --sample 007 --out c.png --size 64", "--size")]
    [InlineData("edit --sample 007 --out c.png --size 0x64", "--size")]
    [InlineData("edit --sample 007 --out c.png --size 65x64", "65×64")]
    [InlineData("edit --sample 007 --out c.png --decay linear", "inv-square")]
    [InlineData("edit --sample 007 --out c.png --threads 0", "--threads")]
    [InlineData("edit --sample 007 --out c.png --device gpu", "cuda:N")]
    [InlineData("edit --sample 007 --out c.png --device cuda:-1", "cuda:N")]
    [InlineData("edit --sample 007 --out c.png --device cpu:0", "cuda:N")]
    [InlineData("edit --sample 007 --out c.png --checkpoint x", "--model")]
    [InlineData("edit --sample 007 --out c.png --unknown", "--unknown")]
    [InlineData("eval", "--pairs")]
    [InlineData("eval --pairs toy --attention matching self", "self")]
    [InlineData("eval --pairs toy --attention matching matching", "twice")]
    [InlineData("eval --pairs toy --sheet-rows 0", "--sheet-rows")]
    [InlineData("make-checkpoint --preset huge --out x", "svd-xt")]
    [InlineData("make-checkpoint --preset tiny", "--out")]
    [InlineData("inspect", "FILE-OR-DIR")]
    [InlineData("bench --repeat -1", "--repeat")]
    [InlineData("paint", "paint")]
    public void Wrong_arguments_exit_2_and_name_what_is_wrong(string arguments, string named)
    {
        var outcome = CommandLine.Run(arguments.Split(' '));
        outcome.AssertExit(2);
        Assert.Contains("error: ", outcome.Error, StringComparison.Ordinal);
        Assert.Contains(named, outcome.Error, StringComparison.Ordinal);
        Assert.False(File.Exists("c.png"));
    }

    [Theory]
    [InlineData("edit --image _ --sketch b.png --out c.png", "--image")]
    [InlineData("edit --sample 007 --out _", "--out")]
    [InlineData("edit --sample 007 --out c.png --side-by-side _", "--side-by-side")]
    [InlineData("edit --sample 007 --out c.png --dump _", "--dump")]
    [InlineData("edit --sample 007 --out c.png --model _", "--model")]
    [InlineData("edit --sample _ --out c.png", "--sample")]
    [InlineData("replay _ --image a.png --out c.png", "edit")]
    [InlineData("replay a.png --image a.png --out _", "--out")]
    [InlineData("inspect _", "FILE-OR-DIR")]
    [InlineData("verify _ --hashes a.txt", "DIR")]
    [InlineData("verify a --hashes _", "--hashes")]
    [InlineData("make-checkpoint --preset tiny --out _", "--out")]
    [InlineData("eval --pairs toy --out _", "--out")]
    [InlineData("eval --pairs toy --clip a.safetensors _", "--clip")]
    public void An_empty_path_exits_2_in_one_line(string arguments, string named)
    {
        var outcome = CommandLine.Run([.. arguments.Split(' ').Select(a => a == "_" ? "" : a)]);
        outcome.AssertExit(2);
        var error = Assert.Single(outcome.Error.Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
        Assert.StartsWith($"error: {named} is empty", error, StringComparison.Ordinal);
        Assert.False(File.Exists("c.png"));
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("edit --help")]
    [InlineData("eval --help")]
    [InlineData("--version")]
    public void Help_exits_0(string arguments) => CommandLine.Run(arguments.Split(' ')).AssertExit(0);
}
