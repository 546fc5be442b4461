using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using SharpFuzz.Common;

namespace FramePainter.Fuzz.Engine;

/// <summary>Which branches of a target's own code a corpus reaches, and how many there are.</summary>
internal static class Branches
{
    /// <summary>Counts by the instrumentation's callback, in a pass of its own.</summary>
    public static int Reached(IFuzzTarget target, IEnumerable<byte[]> corpus)
    {
        var reached = new HashSet<int>();
        var before = Trace.OnBranch;
        Trace.OnBranch = (id, method) =>
        {
            if (target.Scope.Any(type => method.Contains(type, StringComparison.Ordinal)))
            {
                reached.Add(id);
            }
        };
        foreach (var input in corpus)
        {
            Trial.Run(target, input);
        }

        Trace.OnBranch = before;
        return reached.Count;
    }

    /// <summary>Counts the callback's loads in the instrumented code of the target's types.</summary>
    public static int All(IFuzzTarget target, params ReadOnlySpan<string> assemblies)
    {
        var count = 0;
        foreach (var path in assemblies)
        {
            using var file = new PEReader(File.OpenRead(path));
            var metadata = file.GetMetadataReader();
            var callback = metadata.MemberReferences.Where(m => metadata.GetString(metadata.GetMemberReference(m).Name) == nameof(Trace.OnBranch)).Select(m => MetadataTokens.GetToken(m)).FirstOrDefault();
            foreach (var type in metadata.TypeDefinitions.Select(metadata.GetTypeDefinition).Where(t => target.Scope.Any(scope => NameOf(metadata, t).Contains(scope, StringComparison.Ordinal))))
            {
                count += type.GetMethods().Select(metadata.GetMethodDefinition).Where(m => m.RelativeVirtualAddress != 0)
                    .Sum(m => Loads(file.GetMethodBody(m.RelativeVirtualAddress).GetILBytes(), callback));
            }
        }

        return count;
    }

    static string NameOf(MetadataReader metadata, TypeDefinition type)
    {
        var outer = type.GetDeclaringType();
        return outer.IsNil
            ? $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}"
            : $"{NameOf(metadata, metadata.GetTypeDefinition(outer))}/{metadata.GetString(type.Name)}";
    }

    static int Loads(ReadOnlySpan<byte> il, int token)
    {
        const byte loadStaticField = 0x7E;
        Span<byte> wanted = [loadStaticField, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(wanted[1..], token);
        return il.Count(wanted);
    }
}
