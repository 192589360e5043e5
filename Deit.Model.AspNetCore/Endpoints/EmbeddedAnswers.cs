using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Deit.Model.AspNetCore;

/// <summary>Answers that lie in the assembly: the page for browsers, and the description of the interface.</summary>
internal static class EmbeddedAnswers
{
    /// <summary>The page. The policy lets its own script run and none else, and nothing come from elsewhere.</summary>
    public static RequestDelegate Page()
    {
        byte[] page = Bytes("page.html");
        string policy =
            $"default-src 'none'; script-src 'sha256-{HashOfScript(Encoding.UTF8.GetString(page))}'; style-src 'unsafe-inline'; "
            + "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        return context =>
        {
            // The page asks for addresses beside its own, which are others without the slash.
            if (context.Request.Path.Value?.EndsWith('/') != true)
            {
                context.Response.Redirect(context.Request.PathBase + context.Request.Path + "/");
                return Task.CompletedTask;
            }
            context.Response.Headers.ContentSecurityPolicy = policy;
            return Write(context, "text/html; charset=utf-8", page);
        };
    }

    /// <summary>The OpenAPI document.</summary>
    public static RequestDelegate OpenApi()
    {
        byte[] document = Bytes("openapi.json");
        return context => Write(context, "application/json; charset=utf-8", document);
    }

    private static Task Write(HttpContext context, string type, byte[] content)
    {
        IHeaderDictionary headers = context.Response.Headers;
        (headers.ContentType, headers.ContentLength) = (type, content.Length);
        (headers.CacheControl, headers.XContentTypeOptions) = ("no-cache", "nosniff");
        headers["Referrer-Policy"] = "no-referrer";
        return context.Response.Body.WriteAsync(content, context.RequestAborted).AsTask();
    }

    private static string HashOfScript(string page)
    {
        const string Open = "<script>";
        int start = page.IndexOf(Open, StringComparison.Ordinal) + Open.Length;
        string script = page[start..page.IndexOf("</script>", start, StringComparison.Ordinal)];
        return Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)));
    }

    private static byte[] Bytes(string name)
    {
        using Stream stream = typeof(EmbeddedAnswers).Assembly.GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
