using Spectre.Console;

namespace FramePainter.Cli.Terminal;

/// <summary>A table on stdout: drawn on a terminal, tab-separated lines elsewhere, so that other programs can read it.</summary>
sealed class PlainTable(params string[] headers)
{
    readonly List<string[]> _rows = [];

    public int Count => _rows.Count;

    public void Add(params string[] cells) => _rows.Add(cells);

    public void Write()
    {
        if (Console.IsOutputRedirected)
        {
            Console.Out.WriteLine(string.Join('\t', headers));
            foreach (var row in _rows)
                Console.Out.WriteLine(string.Join('\t', row));

            return;
        }

        var table = new Table().Border(TableBorder.Simple);
        foreach (var header in headers)
            table.AddColumn(new TableColumn(Markup.Escape(header)).NoWrap());

        foreach (var row in _rows)
            table.AddRow([.. row.Select(Markup.Escape)]);

        AnsiConsole.Write(table);
    }
}
