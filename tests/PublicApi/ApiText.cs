using System.Globalization;
using System.Reflection;
using System.Text;

namespace Deit.Tests.PublicApi;

/// <summary>The public interface of an assembly as text: a block a type, a line a member, both sorted.</summary>
internal static class ApiText
{
    private const BindingFlags Declared =
        BindingFlags.Public
        | BindingFlags.NonPublic
        | BindingFlags.Instance
        | BindingFlags.Static
        | BindingFlags.DeclaredOnly;
    private static readonly NullabilityInfoContext Nullability = new();

    private static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(short)] = "short",
        [typeof(ushort)] = "ushort",
        [typeof(int)] = "int",
        [typeof(uint)] = "uint",
        [typeof(long)] = "long",
        [typeof(ulong)] = "ulong",
        [typeof(float)] = "float",
        [typeof(double)] = "double",
        [typeof(char)] = "char",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
    };

    public static string Of(Assembly assembly)
    {
        StringBuilder text = new();
        // Markers of extension blocks have names that no program can write.
        foreach (
            Type type in assembly
                .GetExportedTypes()
                .Where(type => !type.FullName!.Contains('<'))
                .OrderBy(type => type.FullName, StringComparer.Ordinal)
        )
        {
            text.Append(Header(type)).Append('\n');
            foreach (string member in Members(type).Distinct().Order(StringComparer.Ordinal))
                text.Append("    ").Append(member).Append('\n');
            text.Append('\n');
        }
        return text.ToString();
    }

    private static string Header(Type type)
    {
        string kind =
            type.IsEnum ? "enum"
            : type.IsInterface ? "interface"
            : type.IsSubclassOf(typeof(Delegate)) ? "delegate"
            : type.IsValueType ? "struct"
            : type.IsAbstract && type.IsSealed ? "static class"
            : type.IsAbstract ? "abstract class"
            : type.IsSealed ? "sealed class"
            : "class";
        IEnumerable<string> bases =
            type.IsEnum || type.IsSubclassOf(typeof(Delegate))
                ? []
                :
                [
                    .. type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)
                        ? (string[])[Name(parent)]
                        : [],
                    .. type.GetInterfaces()
                        .Where(i => i.IsPublic && type.BaseType?.GetInterfaces().Contains(i) != true)
                        .Select(i => Name(i))
                        .Order(StringComparer.Ordinal),
                ];
        string list = string.Join(", ", bases);
        return $"public {kind} {type.Namespace}.{Name(type, declaring: true)}{(list.Length > 0 ? $" : {list}" : "")}";
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return Enum.GetNames(type)
                .Select(name => $"{name} = {Convert.ToInt64(Enum.Parse(type, name), CultureInfo.InvariantCulture)}");
        if (type.IsSubclassOf(typeof(Delegate)))
            return [Method(type.GetMethod("Invoke")!)];
        return
        [
            .. type.GetFields(Declared).Where(f => f.IsPublic || f.IsFamily).Select(Field),
            .. type.GetProperties(Declared)
                .Where(p => p.Name != "EqualityContract" && p.GetAccessors(nonPublic: true).Any(Visible))
                .Select(Property),
            .. type.GetConstructors(Declared).Where(Visible).Select(c => $"{Short(type.Name)}({Parameters(c)})"),
            // Members that the compiler writes for records and properties say nothing new.
            .. type.GetMethods(Declared)
                .Where(m =>
                    Visible(m)
                    && !m.Name.Contains('<')
                    && (!m.IsSpecialName || m.Name.StartsWith("op_", StringComparison.Ordinal))
                    && !IsOfRecord(m)
                )
                .Select(Method),
        ];
    }

    private static bool Visible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsOfRecord(MethodInfo method) =>
        method.Name
            is "GetHashCode"
                or "Equals"
                or "ToString"
                or "PrintMembers"
                or "Deconstruct"
                or "op_Equality"
                or "op_Inequality"
                or "get_EqualityContract";

    private static string Field(FieldInfo field)
    {
        string modifier =
            field.IsLiteral ? "const "
            : field.IsStatic ? "static "
            : "";
        string value = field.IsLiteral ? $" = {Value(field.GetRawConstantValue())}" : "";
        return $"{modifier}{Name(field.FieldType, Nullability.Create(field))} {field.Name}{value}";
    }

    private static string Property(PropertyInfo property)
    {
        MethodInfo? get = property.GetMethod is { } getter && Visible(getter) ? getter : null,
            set = property.SetMethod is { } setter && Visible(setter) ? setter : null;
        bool init = set?.ReturnParameter.GetRequiredCustomModifiers().Length > 0;
        ParameterInfo[] index = property.GetIndexParameters();
        string name = index.Length > 0 ? $"this[{string.Join(", ", index.Select(Parameter))}]" : property.Name;
        string type = Name(property.PropertyType, Nullability.Create(property));
        string accessors =
            (get is null ? "" : "get; ")
            + (
                set is null ? ""
                : init ? "init; "
                : "set; "
            );
        return $"{Modifiers((get ?? set)!)}{type} {name} {{ {accessors}}}";
    }

    private static string Method(MethodInfo method)
    {
        string generic = method.IsGenericMethod
            ? $"<{string.Join(", ", method.GetGenericArguments().Select(a => a.Name))}>"
            : "";
        string type = Name(method.ReturnType, Nullability.Create(method.ReturnParameter));
        return $"{Modifiers(method)}{type} {method.Name}{generic}({Parameters(method)})";
    }

    private static string Modifiers(MethodInfo method)
    {
        string kind =
            method.IsStatic ? "static "
            : method.DeclaringType!.IsInterface ? ""
            : method.IsAbstract ? "abstract "
            : method.GetBaseDefinition() != method ? "override "
            : method.IsVirtual && !method.IsFinal ? "virtual "
            : "";
        return $"{(method.IsPublic ? "" : "protected ")}{kind}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string by =
            parameter.IsOut ? "out "
            : parameter.IsIn ? "in "
            : parameter.ParameterType.IsByRef ? "ref "
            : "";
        string value = parameter.HasDefaultValue ? $" = {Value(parameter.DefaultValue, parameter.ParameterType)}" : "";
        return $"{by}{Name(parameter.ParameterType, Nullability.Create(parameter))} {parameter.Name}{value}";
    }

    private static string Value(object? value, Type? type = null) =>
        value switch
        {
            null => type is { IsValueType: true } && Nullable.GetUnderlyingType(type) is null ? "default" : "null",
            string text => $"\"{text}\"",
            bool flag => flag ? "true" : "false",
            _ when type is { IsEnum: true } => $"{Short(type.Name)}.{Enum.ToObject(type, value)}",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString()!,
        };

    private static string Name(Type type, NullabilityInfo? nullability = null, bool declaring = false)
    {
        string mark = !type.IsValueType && nullability?.ReadState == NullabilityState.Nullable ? "?" : "";
        if (type.IsByRef)
            return Name(type.GetElementType()!, nullability?.ElementType ?? nullability);
        if (type.IsArray)
            return $"{Name(type.GetElementType()!, nullability?.ElementType)}[]{mark}";
        if (type.IsPointer)
            return $"{Name(type.GetElementType()!)}*";
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return $"{Name(underlying)}?";
        if (Keywords.TryGetValue(type, out string? keyword))
            return $"{keyword}{mark}";
        string outer = type.IsNested && !type.IsGenericParameter ? $"{Name(type.DeclaringType!)}." : "";
        if (!type.IsGenericType || !type.Name.Contains('`'))
            return $"{outer}{type.Name}{mark}";
        Type[] arguments = type.GetGenericArguments();
        NullabilityInfo[] states = declaring ? [] : nullability?.GenericTypeArguments ?? [];
        IEnumerable<string> names = arguments.Select(
            (argument, i) => Name(argument, i < states.Length ? states[i] : null)
        );
        return $"{outer}{Short(type.Name)}<{string.Join(", ", names)}>{mark}";
    }

    private static string Short(string name) => name.Split('`')[0];
}
