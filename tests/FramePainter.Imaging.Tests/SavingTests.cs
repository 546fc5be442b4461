namespace FramePainter.Imaging.Tests;

public sealed class SavingTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("framepainter-imaging-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a.png", 0x89)]
    [InlineData("a.JPG", 0xFF)]
    [InlineData("a.jpeg", 0xFF)]
    [InlineData("a.webp", (byte)'R')]
    public void The_ending_decides_the_format(string name, byte firstByte)
    {
        var path = Path.Combine(_folder, name);
        ImageFile.Save(Pictures.Gradient(8, 8), path);
        Assert.Equal(firstByte, File.ReadAllBytes(path)[0]);
        Assert.Equal((8, 8), (ImageFile.Load(path).Width, ImageFile.Load(path).Height));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData("a.gif")]
    [InlineData("a")]
    [InlineData("png")]
    public void Other_endings_are_refused(string name)
    {
        Assert.Throws<ImageException>(() => ImageFile.Save(Pictures.Gradient(8, 8), Path.Combine(_folder, name)));
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_file_is_replaced_only_where_allowed()
    {
        var path = Path.Combine(_folder, "a.png");
        ImageFile.Save(Pictures.Gradient(8, 8), path);
        ImageFile.Save(Pictures.Gradient(9, 9), path);
        Assert.Throws<IOException>(() => ImageFile.Save(Pictures.Gradient(10, 10), path, overwrite: false));
        Assert.Equal(9, ImageFile.Load(path).Width);
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_failed_save_leaves_the_old_file_and_nothing_else()
    {
        var path = Path.Combine(_folder, "a.webp");
        ImageFile.Save(Pictures.Gradient(8, 8), path);
        var before = File.ReadAllBytes(path);
        Assert.Throws<ImageException>(() => ImageFile.Save(Pictures.Gradient(16384, 1), path));
        Assert.Equal(before, File.ReadAllBytes(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(_folder));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(101)]
    [InlineData(int.MinValue)]
    public void Quality_out_of_range_is_refused(int quality) =>
        Assert.Throws<OptionException>(() => ImageFile.Save(Pictures.Gradient(8, 8), new MemoryStream(), ImageFormat.Jpeg, quality));

    [Fact]
    public void A_missing_folder_is_an_IO_error() =>
        Assert.Throws<DirectoryNotFoundException>(() => ImageFile.Save(Pictures.Gradient(8, 8), Path.Combine(_folder, "no", "a.png")));
}
