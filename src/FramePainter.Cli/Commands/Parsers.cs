using System.CommandLine.Parsing;
using System.Globalization;

namespace FramePainter.Cli.Commands;

/// <summary>Reads option values, the same in every culture, and says what would be accepted.</summary>
static class Parsers
{
    /// <summary>A whole number in a range.</summary>
    public static Func<ArgumentResult, int> Integer(int least, int most) => result =>
        (int)(ReadInteger(result, least, most) ?? least);

    /// <summary>A whole number in a range, or none.</summary>
    public static Func<ArgumentResult, int?> OptionalInteger(int least, int most) => result => (int?)ReadInteger(result, least, most);

    /// <summary>A large whole number, or none.</summary>
    public static Func<ArgumentResult, long?> OptionalLong(long least, long most) => result => ReadInteger(result, least, most);

    /// <summary>A finite number in a range.</summary>
    public static Func<ArgumentResult, float> Number(float least, float most) => result =>
    {
        // Written so that NaN fails it too.
        if (float.TryParse(Token(result), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;

        result.AddError(string.Create(CultureInfo.InvariantCulture, $"{Option(result)} '{Token(result)}' is no number from {least} to {most}."));
        return least;
    };

    /// <summary>One of a few names.</summary>
    public static Func<ArgumentResult, T> Named<T>(params (string Name, T Value)[] choices) => result =>
    {
        foreach (var (name, value) in choices)
        {
            if (Token(result) == name)
                return value;
        }

        result.AddError($"{Option(result)} '{Token(result)}' is none of {string.Join(", ", choices.Select(c => c.Name))}.");
        return choices[0].Value;
    };

    /// <summary>Some of a few names, each once, in the order given.</summary>
    public static Func<ArgumentResult, IReadOnlyList<(string Name, T Value)>> SomeNamed<T>(params (string Name, T Value)[] choices) => result =>
    {
        var chosen = new List<(string Name, T Value)>();
        foreach (var token in result.Tokens.Select(t => t.Value))
        {
            var at = Array.FindIndex(choices, c => c.Name == token);
            if (at < 0)
                result.AddError($"{Option(result)} '{token}' is none of {string.Join(", ", choices.Select(c => c.Name))}.");
            else if (chosen.Contains(choices[at]))
                result.AddError($"{Option(result)} names '{token}' twice.");
            else
                chosen.Add(choices[at]);
        }

        return chosen;
    };

    /// <summary>A size such as 1024x576, width first.</summary>
    public static (int Width, int Height)? Size(ArgumentResult result)
    {
        if (Token(result).Split('x') is [var w, var h]
            && int.TryParse(w, NumberStyles.None, CultureInfo.InvariantCulture, out var width) && width is >= 1 and <= PixelImage.MaxSide
            && int.TryParse(h, NumberStyles.None, CultureInfo.InvariantCulture, out var height) && height is >= 1 and <= PixelImage.MaxSide)
        {
            return (width, height);
        }

        result.AddError($"{Option(result)} '{Token(result)}' is no size; write width and height as in 1024x576, each 1 to {PixelImage.MaxSide}.");
        return null;
    }

    /// <summary>Refuses values that are empty: no path is, nor any other text.</summary>
    public static void RefuseEmpty(CommandResult result)
    {
        foreach (var value in result.Children.Where(c => c.Tokens.Any(t => t.Value.Length == 0)))
        {
            if (value is OptionResult { Option: var option } && (option.ValueType == typeof(string) || option.ValueType == typeof(string[])))
                result.AddError($"{option.Name} is empty: give a value, or leave it out.");
            else if (value is ArgumentResult { Argument: var argument })
                result.AddError($"{argument.Name} is empty: give a file or a folder.");
        }
    }

    static long? ReadInteger(ArgumentResult result, long least, long most)
    {
        if (long.TryParse(Token(result), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most)
            return value;

        result.AddError($"{Option(result)} '{Token(result)}' is no whole number from {least} to {most}.");
        return null;
    }

    static string Token(ArgumentResult result) => result.Tokens.Count == 1 ? result.Tokens[0].Value : "";

    static string Option(ArgumentResult result) => result.Parent is OptionResult option ? option.Option.Name : result.Argument.Name;
}
