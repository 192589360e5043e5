using Deit.Model;
using Deit.Model.Hub;

namespace Deit.Tests.Model.Hub;

public sealed class HubSettingsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The places as huggingface_hub's documentation of its environment variables has them.
    [Theory]
    [InlineData("HOME=/home/me", "/home/me/.cache/huggingface/hub")]
    [InlineData("HOME=/home/me;XDG_CACHE_HOME=/c", "/c/huggingface/hub")]
    [InlineData("HOME=/home/me;XDG_CACHE_HOME=/c;HF_HOME=/h", "/h/hub")]
    [InlineData("HOME=/home/me;HF_HOME=~/h", "/home/me/h/hub")]
    [InlineData("HOME=/home/me;HF_HOME=$HOME/${X}/h;X=x", "/home/me/x/h/hub")]
    [InlineData("HOME=/home/me;HF_HOME=/h;HF_HUB_CACHE=/models", "/models")]
    [InlineData("HOME=/home/me;HUGGINGFACE_HUB_CACHE=/old", "/old")]
    [InlineData("HOME=/home/me;HF_HUB_CACHE=", "/home/me/.cache/huggingface/hub")]
    public void The_cache_lies_where_Python_has_it(string variables, string cache)
    {
        Assert.Equal(cache, Read(variables).CacheFolder);
        Assert.Equal(cache, HubSettings.CacheOf(Variables(variables)));
    }

    // The separators of Windows, where the default place is ~\.cache, and of the other systems.
    [Theory]
    [InlineData("~", true, true)]
    [InlineData("~/.cache", true, true)]
    [InlineData("~\\.cache", true, false)]
    [InlineData("~me/.cache", false, false)]
    [InlineData("/~/x", false, false)]
    [InlineData("", false, false)]
    public void The_home_stands_before_every_separator(string path, bool onWindows, bool elsewhere)
    {
        Assert.Equal(onWindows, HubSettings.IsInHome(path, '\\', '/'));
        Assert.Equal(elsewhere, HubSettings.IsInHome(path, '/', '/'));
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("HF_HUB_OFFLINE=0", false)]
    [InlineData("HF_HUB_OFFLINE=1", true)]
    [InlineData("HF_HUB_OFFLINE=true", true)]
    [InlineData("HF_HUB_OFFLINE=yes", true)]
    [InlineData("TRANSFORMERS_OFFLINE=ON", true)]
    public void Offline_is_read(string variables, bool offline) => Assert.Equal(offline, Read(variables).IsOffline);

    [Fact]
    public void The_token_comes_from_the_variable_or_else_from_the_file()
    {
        File.WriteAllText(_folder["token"], "hf_file\n");
        string home = $"HF_HOME={_folder.Path}";
        Assert.Equal("hf_file", Read(home).Token);
        Assert.Equal("hf_variable", Read($"{home};HF_TOKEN= hf_variable ").Token);
        Assert.Equal("hf_old", Read($"{home};HUGGING_FACE_HUB_TOKEN=hf_old").Token);
        Assert.Null(Read($"{home};HF_TOKEN=x;HF_HUB_DISABLE_IMPLICIT_TOKEN=1").Token);
        Assert.Null(Read($"{home};HF_TOKEN_PATH={_folder["none"]}").Token);
        Assert.Null(Read($"{home};HF_TOKEN_PATH={_folder.Path}").Token);
        File.WriteAllText(_folder["other"], "hf_other");
        Assert.Equal("hf_other", Read($"{home};HF_TOKEN_PATH={_folder["other"]}").Token);
    }

    [Theory]
    [InlineData("HF_TOKEN=hf_se\ncret", "secret", "HF_TOKEN")]
    [InlineData("HF_TOKEN=hf_sécret", "sécret", "HF_TOKEN")]
    [InlineData("HF_ENDPOINT=https://me:secret@mirror", "secret", "HF_ENDPOINT")]
    [InlineData("HF_ENDPOINT=me:secret@mirror", "secret", "HF_ENDPOINT")]
    [InlineData("HF_ENDPOINT=https:/me:secret@mirror", "secret", "HF_ENDPOINT")]
    [InlineData("HF_ENDPOINT=ftp://me:secret@mirror", "secret", "HF_ENDPOINT")]
    [InlineData("HF_ENDPOINT=https://me:sec/ret@mirror", "ret", "HF_ENDPOINT")]
    [InlineData("HF_ENDPOINT=ftp://mirror", "", "HF_ENDPOINT")]
    [InlineData("HF_ENDPOINT=mirror", "", "HF_ENDPOINT")]
    [InlineData("HF_ENDPOINT=https://mirror?x=1", "", "HF_ENDPOINT")]
    [InlineData("HF_HUB_ETAG_TIMEOUT=soon", "", "HF_HUB_ETAG_TIMEOUT")]
    [InlineData("HF_HUB_DOWNLOAD_TIMEOUT=-1", "", "HF_HUB_DOWNLOAD_TIMEOUT")]
    public void A_value_that_makes_no_sense_is_named_and_a_secret_is_not(
        string variables,
        string secret,
        string variable
    )
    {
        HubException error = Assert.Throws<HubException>(() => Read(variables));
        Assert.Equal(HubErrorKind.Name, error.Reason);
        Assert.Contains(variable, error.Message, StringComparison.Ordinal);
        if (secret.Length > 0)
            Assert.DoesNotContain(secret, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_endpoint_may_have_a_path()
    {
        Assert.Equal("https://huggingface.co/", Read("").Endpoint.AbsoluteUri);
        Assert.Equal("https://mirror/hub", Read("HF_ENDPOINT=https://mirror/hub/").Endpoint.AbsoluteUri);
    }

    private static HubSettings Read(string variables) => HubSettings.FromEnvironment(Variables(variables));

    private static Func<string, string?> Variables(string variables)
    {
        Dictionary<string, string> all = variables
            .Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1]);
        return name => all.GetValueOrDefault(name);
    }
}
