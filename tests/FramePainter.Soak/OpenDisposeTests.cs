using FramePainter.Toy;

namespace FramePainter.Soak;

/// <summary>Painters opened, used and disposed again and again.</summary>
[Collection(nameof(Alone))]
public sealed class OpenDisposeTests
{
    [Fact]
    public void Opening_and_disposing_leaves_nothing()
    {
        var model = ToyModel.Folder;
        var kinds = Enumerable.Range(0, 4).Select(SoakEdit.Draw).ToArray();
        Cycle(4);
        var before = Level.Now();
        Cycle(Amount.Cycles);
        var after = Level.Now();
        TestContext.Current.TestOutputHelper!.WriteLine($"{Amount.Cycles} cycles\nbefore {before}\nafter  {after}");
        before.AssertHeldBy(after, managedSlack: 2 << 20);

        void Cycle(int times)
        {
            for (var i = 0; i < times; i++)
            {
                using var painter = Painter.Load(new PainterOptions { Model = model, Device = Device.Cpu, Threads = 1 + (i % 4) });
                var kind = kinds[i % kinds.Length];
                // A session that is left open goes with its painter.
                var session = painter.Open(kind.Picture);
                session.Edit(kind.Signal, kind.Options with { Steps = 1 });
                if (i % 2 == 0)
                {
                    session.Dispose();
                }
            }
        }
    }
}
