using FramePainter.Pipeline;

namespace FramePainter.Core.Tests.Pipeline;

public sealed class RecentPlansTests
{
    [Fact]
    public void Those_used_last_are_kept_and_no_more()
    {
        var plans = new RecentPlans(3);
        var built = new List<int>();
        foreach (var steps in (int[])[1, 2, 3, 1, 4, 1, 2])
        {
            Assert.Equal(steps, plans.Get(Key(steps), () => { built.Add(steps); return steps; }));
        }

        // 4 took the place of 2, which then took that of 3.
        Assert.Equal([1, 2, 3, 4, 2], built);
        Assert.Equal(3, plans.Count);
        Assert.Equal("other", plans.Get(("other", default), () => "other"));
    }

    [Fact]
    public void What_could_not_be_built_is_tried_again()
    {
        var plans = new RecentPlans(2);
        Assert.Throws<InvalidOperationException>(() => plans.Get(Key(1), () => throw new InvalidOperationException("not now")));
        Assert.Equal("plan", plans.Get(Key(1), () => "plan"));
    }

    [Fact]
    public async Task Threads_that_ask_for_one_plan_share_it()
    {
        var plans = new RecentPlans(2);
        var made = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => plans.Get(Key(1), () => new object()), TestContext.Current.CancellationToken)));
        Assert.All(made, m => Assert.Same(made[0], m));
    }

    static (string Part, DenoiseKey Key) Key(int steps) => ("denoiser", new DenoiseKey(64, 64, steps, 2, steps));
}
