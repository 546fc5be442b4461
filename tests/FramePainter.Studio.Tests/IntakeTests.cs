using System.Buffers.Binary;
using System.Net.Http.Headers;
using FramePainter.Toy;

namespace FramePainter.Studio.Tests;

/// <summary>What the Studio does not take in.</summary>
[Collection(StudioGroup.Name)]
public sealed class IntakeTests(StudioFixture fixture)
{
    static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_huge_upload_is_refused(bool chunked)
    {
        await using var server = await fixture.Start(new StudioOptions { MaxUploadBytes = 64 << 10 });
        using var client = new Client(server);
        using var content = Client.Picture(new byte[65 << 10]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/sessions") { Content = content };
        request.Headers.TransferEncodingChunked = chunked;
        using var answer = await client.Http.SendAsync(request, Cancel);
        await Client.AssertProblem(answer, 413, "too-many-bytes");
    }

    [Fact]
    public async Task Pixels_are_counted_before_they_are_decoded()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        using var content = Client.Picture(Bomb(16384, 16384));
        var before = GC.GetTotalAllocatedBytes();
        using var answer = await client.Http.PostAsync("/api/sessions", content, Cancel);
        await Client.AssertProblem(answer, 413, "too-many-pixels");
        Assert.True(GC.GetTotalAllocatedBytes() - before < 64 << 20, "Memory was taken for the promised pixels.");

        var id = await client.Open();
        using var edit = await client.Edit(id, new { sketch = Bomb(16384, 16384) });
        await Client.AssertProblem(edit, 413, "too-many-pixels");
    }

    [Fact]
    public async Task A_picture_over_the_painter_s_limit_is_refused()
    {
        using var painter = Painter.Load(new PainterOptions { Model = ToyModel.Folder, Limits = new EditLimits { PicturePixels = (64 * 64) - 1 } }, cancel: Cancel);
        await using var server = await StudioServer.StartAsync(painter, cancel: Cancel);
        using var client = new Client(server);
        using var content = Client.Picture(StudioFixture.Sample.Source.ToArray());
        using var answer = await client.Http.PostAsync("/api/sessions", content, Cancel);
        await Client.AssertProblem(answer, 413, "too-many-pixels");
        Assert.Contains("EditLimits.PicturePixels", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/html")]
    [InlineData("image/gif")]
    [InlineData("multipart/form-data")]
    public async Task Another_type_is_refused(string type)
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        using var content = Client.Picture(StudioFixture.Sample.Source.ToArray(), type);
        using var answer = await client.Http.PostAsync("/api/sessions", content, Cancel);
        await Client.AssertProblem(answer, 415, "wrong-type");
    }

    [Fact]
    public async Task What_is_no_picture_is_refused()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        foreach (var bytes in new[] { [], "<html>"u8.ToArray(), StudioFixture.Sample.Source.ToArray()[..100] })
        {
            using var content = Client.Picture(bytes);
            using var answer = await client.Http.PostAsync("/api/sessions", content, Cancel);
            await Client.AssertProblem(answer, 400, "bad-picture");
        }
    }

    [Theory]
    [InlineData("""{"steps":0,"points":[[1,1,9,9]]}""", "bad-option")]
    [InlineData("""{"steps":1001,"points":[[1,1,9,9]]}""", "bad-option")]
    [InlineData("""{"controlScale":11,"points":[[1,1,9,9]]}""", "bad-option")]
    [InlineData("""{"guidance":-1,"points":[[1,1,9,9]]}""", "bad-option")]
    [InlineData("""{"points":[[1,1,9]]}""", "bad-signal")]
    [InlineData("""{"points":[null]}""", "bad-signal")]
    [InlineData("""{"points":[[1,1,64,9]]}""", "bad-signal")]
    [InlineData("""{}""", "bad-signal")]
    [InlineData("""{"sketch":"AAAA"}""", "bad-picture")]
    [InlineData("""{"sketch":"no base64!"}""", "bad-request")]
    [InlineData("""{"path":"/etc/passwd","points":[[1,1,9,9]]}""", "bad-request")]
    [InlineData("""{"steps":1e99}""", "bad-request")]
    [InlineData("""[""", "bad-request")]
    [InlineData("""null""", "bad-request")]
    public async Task A_wrong_order_is_refused(string order, string kind)
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        using var content = new StringContent(order, MediaTypeHeaderValue.Parse("application/json"));
        using var answer = await client.Http.PostAsync($"/api/sessions/{id}/edits", content, Cancel);
        await Client.AssertProblem(answer, 400, kind);
        Assert.False((await client.State(id)).TryGetProperty("edit", out _));
    }

    [Fact]
    public async Task A_form_of_another_page_is_no_order()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        using var content = new StringContent("""{"points":[[1,1,9,9]]}""", MediaTypeHeaderValue.Parse("text/plain"));
        using var answer = await client.Http.PostAsync($"/api/sessions/{id}/edits", content, Cancel);
        await Client.AssertProblem(answer, 415, "wrong-type");
    }

    [Fact]
    public async Task Unknown_sessions_and_results_are_not_found()
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        foreach (var path in new[] { "/api/sessions/none", $"/api/sessions/{id}/edits/1/picture", $"/api/sessions/{id}/edits/1/match?x=1&y=1", "/api/samples/999/source", "/no/such/page", "/nothing.js" })
        {
            using var answer = await client.Http.GetAsync(path, Cancel);
            await Client.AssertProblem(answer, 404, "not-found");
        }
    }

    [Fact]
    public void Every_kind_of_refusal_is_documented()
    {
        var page = File.ReadAllText(Path.Combine(Browser.Repository, "docs", "studio.md"));
        Problem[] all =
        [
            Problem.BadHost(), Problem.BadOrigin(), Problem.NoToken(), Problem.NotFound(""), Problem.TooLarge(1), Problem.TooManyPixels(1, 1, ""), Problem.WrongType(""), Problem.BadPicture(""),
            Problem.BadRequest(""), Problem.BadOption(""), Problem.BadSignal(""), Problem.Editing(), Problem.QueueFull(), Problem.TooManySessions(), Problem.EditFailed(""),
        ];
        Assert.Equal(typeof(Problem).GetMethods().Count(m => m.IsStatic && m.ReturnType == typeof(Problem)), all.Length);
        Assert.Equal([], all.Select(p => p.Body.Type.Split(':')[^1]).Where(kind => !page.Contains($"`{kind}`", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("match?x=left&y=1")]
    [InlineData("match?x=1")]
    [InlineData("match?x=1e99999999999999999999x&y=1")]
    public async Task An_address_that_cannot_be_read_is_a_problem_too(string query)
    {
        await using var server = await fixture.Start();
        using var client = new Client(server);
        var id = await client.Open();
        using var answer = await client.Http.GetAsync($"/api/sessions/{id}/edits/1/{query}", Cancel);
        await Client.AssertProblem(answer, 400, "bad-request");
    }

    /// <summary>A small PNG whose header promises many pixels; its checksums hold.</summary>
    static byte[] Bomb(int width, int height)
    {
        var bytes = StudioFixture.Sample.Source.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), width);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), height);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(29), Checksum(bytes.AsSpan(12, 17)));
        return bytes;
    }

    static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320u);
        }

        return ~crc;
    }
}
