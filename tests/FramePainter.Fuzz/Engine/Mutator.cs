using System.Buffers.Binary;
using System.Text;

namespace FramePainter.Fuzz.Engine;

/// <summary>Makes new inputs of old ones: a few of the usual changes at once (flipped bits, telling numbers, removed, repeated and exchanged stretches, words of the format).</summary>
internal sealed class Mutator(IFuzzTarget target, Random random)
{
    const int Longest = 1 << 13;
    static readonly long[] s_telling = [0, 1, -1, 7, 8, 16, 127, 128, 255, 256, 1024, 4096, 32767, 32768, 65535, 65536, int.MaxValue, uint.MaxValue, 1L << 32, 1L << 53, long.MaxValue, long.MinValue];
    readonly byte[][] _words = [.. target.Words.Select(Encoding.UTF8.GetBytes)];

    public byte[] Mutate(IReadOnlyList<byte[]> corpus)
    {
        var input = new List<byte>(corpus[random.Next(corpus.Count)]);
        for (var changes = 1 << random.Next(4); changes > 0; changes--)
        {
            Change(input, corpus);
        }

        return input.Count > Longest ? [.. input[..Longest]] : [.. input];
    }

    void Change(List<byte> input, IReadOnlyList<byte[]> corpus)
    {
        var at = random.Next(input.Count + 1);
        var length = Math.Min(1 + random.Next(random.Next(4) == 0 ? 256 : 16), input.Count - at);
        switch (random.Next(10))
        {
            case 0 when at < input.Count:
                input[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when at < input.Count:
                input[at] = (byte)random.Next(256);
                break;
            case 2:
                var number = new byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(number, s_telling[random.Next(s_telling.Length)]);
                Overwrite(input, at, number.AsSpan(0, 1 << random.Next(4)));
                break;
            case 3 when length > 0:
                input.RemoveRange(at, length);
                break;
            case 4 when length > 0:
                input.InsertRange(random.Next(input.Count + 1), input.GetRange(at, length));
                break;
            case 5:
                var other = corpus[random.Next(corpus.Count)];
                if (other.Length > 0)
                {
                    var from = random.Next(other.Length);
                    input.InsertRange(at, other.AsSpan(from, Math.Min(other.Length - from, 1 + random.Next(64))).ToArray());
                }

                break;
            case 6 when _words.Length > 0:
                input.InsertRange(at, _words[random.Next(_words.Length)]);
                break;
            case 7 when _words.Length > 0:
                Overwrite(input, at, _words[random.Next(_words.Length)]);
                break;
            case 8:
                // A number as text, where a number as text stands.
                var digits = Encoding.ASCII.GetBytes(s_telling[random.Next(s_telling.Length)].ToString(System.Globalization.CultureInfo.InvariantCulture));
                var digit = input.FindIndex(Math.Min(at, input.Count), b => b is >= (byte)'0' and <= (byte)'9');
                if (digit >= 0)
                {
                    var end = input.FindIndex(digit, b => b is < (byte)'0' or > (byte)'9');
                    input.RemoveRange(digit, (end < 0 ? input.Count : end) - digit);
                    input.InsertRange(digit, digits);
                }

                break;
            default:
                if (at < input.Count)
                {
                    input[at] = (byte)(input[at] + random.Next(-16, 17));
                }

                break;
        }
    }

    static void Overwrite(List<byte> input, int at, ReadOnlySpan<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
        {
            if (at + i < input.Count)
            {
                input[at + i] = bytes[i];
            }
            else
            {
                input.Add(bytes[i]);
            }
        }
    }
}
