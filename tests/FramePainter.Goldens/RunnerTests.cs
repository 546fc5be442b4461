using System.Text.Json;
using FramePainter.Tensors;

namespace FramePainter.Goldens;

/// <summary>The runner's own rules: a lenient judge would make every case worthless.</summary>
public sealed class RunnerTests
{
    [Theory]
    [InlineData("{\"relative_l2\": 0.1}", new[] { 3f, 4f }, new[] { 3f, 4.4f }, true)]
    [InlineData("{\"relative_l2\": 0.1}", new[] { 3f, 4f }, new[] { 3f, 4.6f }, false)]
    [InlineData("{\"relative_l2\": 0.1, \"max_abs\": 0.3}", new[] { 3f, 4f }, new[] { 3f, 4.4f }, false)]
    [InlineData("{\"relative_l2\": 0.1}", new[] { 3f, 4f }, new[] { 3f, float.NaN }, false)]
    [InlineData("{\"relative_l2\": 0.1}", new[] { 0f, 0f }, new[] { 0f, 1e-9f }, false)]
    [InlineData("{\"relative_l2\": 0.1}", new[] { 0f, 0f }, new[] { 0f, 0f }, true)]
    [InlineData("{\"relative_l2\": 0.1}", new[] { 1f, float.PositiveInfinity }, new[] { 1f, float.PositiveInfinity }, true)]
    [InlineData("{\"relative_l2\": 0.1}", new[] { 1f, float.PositiveInfinity }, new[] { 1f, 1f }, false)]
    [InlineData("{\"exact\": true}", new[] { 0f }, new[] { -0f }, false)]
    public void Tolerances_mean_what_the_format_says(string tolerance, float[] want, float[] got, bool passes) =>
        Assert.Equal(passes, Compare(tolerance, "x", GoldenTensor.Of(want, want.Length), GoldenTensor.Of(got, got.Length)).Passed);

    [Theory]
    [InlineData(new byte[] { 9, 9, 9, 9 }, true)]
    [InlineData(new byte[] { 10, 9, 9, 9 }, true)]
    [InlineData(new byte[] { 10, 8, 9, 9 }, false)]
    [InlineData(new byte[] { 11, 9, 9, 9 }, false)]
    public void Frames_may_be_off_by_one_on_their_share_only(byte[] got, bool passes) =>
        Assert.Equal(passes, Compare("{\"relative_l2\": 0, \"frames_off_by_one\": 0.25}", "frames", Bytes([9, 9, 9, 9]), Bytes(got)).Passed);

    [Fact]
    public void A_missing_output_and_a_wrong_shape_fail()
    {
        Assert.False(Compare("{\"relative_l2\": 1}", "x", GoldenTensor.Of([1], 1), null).Passed);
        Assert.False(Compare("{\"relative_l2\": 1}", "x", GoldenTensor.Of([1], 1), GoldenTensor.Of([1], 1, 1)).Passed);
    }

    [Fact]
    public void An_unknown_kind_fails_by_name_and_others_still_run()
    {
        var root = Directory.CreateTempSubdirectory("goldens");
        try
        {
            WriteCase(root, "a", "ufo");
            WriteCase(root, "b", "scheduler");
            using var output = new StringWriter();
            Assert.Equal(1, GoldenRunner.RunAll(root.FullName, output));
            Assert.Contains("FAIL  a: kind 'ufo' is unknown", output.ToString(), StringComparison.Ordinal);
            Assert.Contains("FAIL  b: ", output.ToString(), StringComparison.Ordinal);
            Assert.EndsWith("0 passed, 2 failed" + Environment.NewLine, output.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    [Fact]
    public void An_empty_folder_is_no_success()
    {
        var root = Directory.CreateTempSubdirectory("goldens");
        using var output = new StringWriter();
        Assert.Equal(1, GoldenRunner.RunAll(root.FullName, output));
        root.Delete();
    }

    [Fact]
    public void Layouts_turn_back_and_forth()
    {
        float[] values = [.. Enumerable.Range(0, 2 * 3 * 2 * 2).Select(i => (float)i)];
        var tensor = GoldenTensor.Of(values, 1, 2, 3, 2, 2);
        Assert.Equal([0, 4, 8, 1, 5, 9], tensor.ChannelsLast()[..6]);
        Assert.Equal(values, GoldenTensor.FromChannelsLast(tensor.ChannelsLast(), 1, 2, 3, 2, 2).Floats());
    }

    static GoldenVerdict Compare(string tolerance, string name, GoldenTensor want, GoldenTensor? got)
    {
        using var json = JsonDocument.Parse(tolerance);
        var outputs = new GoldenOutputs();
        if (got is not null)
        {
            outputs.Add(name, got);
        }

        return GoldenVerdict.Compare(json.RootElement, new GoldenOutputs { [name] = want }, outputs);
    }

    static GoldenTensor Bytes(byte[] bytes) => new(DType.U8, new Shape(bytes.Length), bytes);

    static void WriteCase(DirectoryInfo root, string name, string kind) => File.WriteAllText(
        Path.Combine(root.CreateSubdirectory(name).FullName, "case.json"),
        $$$"""{"format": 1, "kind": "{{{kind}}}", "about": "", "args": {}, "tolerance": {"relative_l2": 0}}""");
}
