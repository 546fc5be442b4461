using NetArchTest.Rules;

namespace FramePainter.Core.Tests.Architecture;

/// <summary>Who may know whom (docs/architecture.md): each room sees only the rooms that its row names.</summary>
public sealed class RoomTests
{
    static readonly string[] s_rooms =
    [
        "FramePainter.Tensors", "FramePainter.Graphs", "FramePainter.Weights", "FramePainter.Model", "FramePainter.Backends", "FramePainter.Pipeline",
    ];

    [Theory]
    [InlineData("FramePainter.Tensors", "")]
    [InlineData("FramePainter.Graphs", "Tensors")]
    [InlineData("FramePainter.Weights", "Tensors")]
    [InlineData("FramePainter.Model", "Graphs Tensors Weights")]
    [InlineData("FramePainter.Backends", "Graphs Tensors")]
    [InlineData("FramePainter.Pipeline", "Graphs Tensors Weights Model Backends")]
    public void A_room_knows_only_its_neighbours(string room, string mayKnow)
    {
        var known = mayKnow.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(r => $"FramePainter.{r}").Append(room);
        var result = Types.InAssembly(typeof(Painter).Assembly)
            .That().ResideInNamespaceStartingWith(room)
            .ShouldNot().HaveDependencyOnAny([.. s_rooms.Except(known, StringComparer.Ordinal)])
            .GetResult();
        Assert.True(result.IsSuccessful, $"{room} must not know what these use: {string.Join(", ", result.FailingTypeNames ?? [])}");
    }

    [Theory]
    [InlineData("FramePainter.Model")]
    [InlineData("FramePainter.Pipeline")]
    public void Only_the_public_face_chooses_a_backend(string room)
    {
        var result = Types.InAssembly(typeof(Painter).Assembly)
            .That().ResideInNamespaceStartingWith(room)
            .ShouldNot().HaveDependencyOn("FramePainter.Backends.Cpu")
            .GetResult();
        Assert.True(result.IsSuccessful, $"These name the CPU backend: {string.Join(", ", result.FailingTypeNames ?? [])}");
    }

    [Fact]
    public void The_rule_sees_dependencies_at_all()
    {
        var result = Types.InAssembly(typeof(Painter).Assembly)
            .That().ResideInNamespaceStartingWith("FramePainter.Pipeline")
            .ShouldNot().HaveDependencyOn("FramePainter.Graphs")
            .GetResult();
        Assert.False(result.IsSuccessful);
    }
}
